// What servers register with a dealer: bounded before it is stored, in nobody else's way, and healed when it is lost.
#include "dealer_pool.h"
#include "program_bounds.h"
#include "service/support.h"
#include "smpc/base/file.h"
#include "smpc/runtime/memory.h"

namespace smpc {
namespace {

using namespace std::chrono_literals;
using testing::failure_of;
using testing::RawSession;
using testing::World;

// One map of many rows, or an element-wise op on many values: short to write down, endless to serve.
Program program_of(std::size_t inputs, const OpKind& kind, std::size_t outputs) {
  Program p;
  p.suite = Suite::masked;
  p.reveal = Reveal::logits;
  p.inputs = {{"x", {inputs}, -1, 1}};
  p.tensors = {{inputs, 20, Ring{40}}, {outputs, 20, Ring{40}}};
  p.ops = {{"op", kind}};
  p.outputs = {{"y", {outputs}}};
  return p;
}

// Each is of one kind beyond what is taken: bytes of a bundle, of masked weights, multiplications.
std::vector<std::pair<std::string, Program>> programs_beyond_bounds() {
  constexpr std::size_t many = std::size_t{1} << 31;
  ConvOp conv;
  conv.shape.in_channels = 1U << 12;
  conv.shape.out_channels = 1U << 12;
  ConvAxis axis;
  axis.input = axis.output = 1U << 8;
  conv.shape.axes = {ConvAxis{}, axis, axis};
  return {{"a bundle", program_of(many, ReluOp{0}, many)},
          {"masked weights", program_of(std::size_t{1} << 18, LinearOp{1U << 18, 1U << 17}, 1U << 17)},
          {"multiplications", program_of(conv.shape.in_channels << 16, conv, conv.shape.out_channels << 16)}};
}

control::DealerRequest registration(const Program& program, char instance) {
  control::DealerRequest request;
  request.set_version(protocol_version);
  auto& r = *request.mutable_register_program();
  r.set_program(text_of(encode(program)));
  r.set_mask(std::string(32, 'm'));
  r.set_instance(std::string(16, instance));
  r.set_epoch(1);
  r.set_shared_key(std::string(32, 'k'));
  return request;
}

control::Reply ask_dealer(World& world, const std::string& server, const control::DealerRequest& request) {
  const auto channel =
      tls_connect(world.dealer_address(), world.identity(server, Role::server), Role::dealer, test::within(test::plenty));
  receive_control<control::DealerHello>(*channel);
  send_control(*channel, request);
  return receive_control<control::Reply>(*channel);
}

std::int64_t stored_registrations(const World& world) {
  Database db(world.state("dealer") / "dealer.db", "");
  Statement row = db.prepare("SELECT count(*) FROM registrations");
  EXPECT_TRUE(row.step());
  return row.integer(0);
}

bool has_line(const std::vector<std::string>& lines, const std::string& part) {
  return std::ranges::any_of(lines, [&](const std::string& line) { return line.find(part) != std::string::npos; });
}

TEST(Registration, OfAProgramThatNoDealerCanServeIsRefusedBeforeItIsStored) {
  World world;
  for (const auto& [what, program] : programs_beyond_bounds()) {
    const auto reply = ask_dealer(world, "mallory", registration(program, 'x'));
    ASSERT_TRUE(reply.has_refusal()) << what;
    EXPECT_EQ(reply.refusal().code(), control::PROGRAM);
    EXPECT_NE(reply.refusal().text().find(what), std::string::npos) << reply.refusal().text();
    EXPECT_EQ(stored_registrations(world), 1);
  }
  world.expect_good();
  world.stop_dealer();
  world.start_dealer();
  world.expect_good("bob", 6);
}

// Programs with which a server once stopped a dealer for good, in format 4: without the byte that says what the results are.
TEST(Registration, ProgramsThatOnceStoppedADealerAreRefusedBeforeTheyAreStored) {
  const std::filesystem::path folder = std::filesystem::path(SMPC_SHARED_DATA) / "failing" / "programs";
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << "no test data at " << SMPC_SHARED_DATA;
  World world;
  for (const char* name : {"big", "crash1", "gln6"}) {
    Bytes program = read_file(folder / (std::string(name) + ".program"), 1 << 20);
    program[4] = std::byte{5};
    program.insert(program.begin() + 10, std::byte{2});
    control::DealerRequest request = registration(world.mlp().program, 'x');
    request.mutable_register_program()->set_program(text_of(program));
    const auto reply = ask_dealer(world, "mallory", request);
    ASSERT_TRUE(reply.has_refusal()) << name;
    EXPECT_EQ(reply.refusal().code(), control::PROGRAM) << name;
    EXPECT_EQ(reply.refusal().text().find("version"), std::string::npos) << reply.refusal().text();
    EXPECT_EQ(stored_registrations(world), 1);
  }
  world.expect_good();
}

// What an older version, or a damaged disk, has left: served are the others, and the log says what is not.
TEST(Registration, ThatIsStoredAndCannotBeServedStopsNoOther) {
  World world;
  world.expect_good();
  world.stop_dealer();
  {
    Database db(world.state("dealer") / "dealer.db", "");
    std::vector<Bytes> programs{Bytes(100, std::byte{7}), Bytes(1)};
    for (const auto& [what, program] : programs_beyond_bounds()) programs.push_back(encode(program));
    for (std::size_t i = 0; i < programs.size(); ++i) {
      const Bytes instance(i == 1 ? 3 : 16, static_cast<std::byte>(i));
      db.prepare("INSERT INTO registrations VALUES ('urn:smpc:server:mallory', ?, 1, ?, ?, ?, ?)")
          .bind(ByteView(instance))
          .bind(ByteView(sha256(programs[i])))
          .bind(ByteView(Bytes(32)))
          .bind(ByteView(programs[i]))
          .bind(ByteView(Bytes(32)))
          .run();
    }
  }
  world.stop_server();  // so that nobody registers anew
  world.start_dealer();
  const auto lines = world.dealer_lines();
  EXPECT_EQ(std::ranges::count_if(lines, [](const std::string& line) {
              return line.starts_with("a stored registration of urn:smpc:server:mallory is left out: ");
            }), 5);
  world.start_server();
  world.expect_good("alice", 6);
}

// A client takes no program that it could not serve either, from any server.
TEST(Registration, TheSameProgramsAreRefusedByAClientAndNotStored) {
  World world;
  for (const auto& [what, found] : programs_beyond_bounds()) {
    const Program& program = found;
    const Bytes bytes = encode(program);
    test::Served liar(world.identity("server", Role::server), test::allowing({Role::client}), [&](Channel& channel, const PeerName&) {
      control::ServerHello hello;
      hello.set_version(protocol_version);
      hello.set_program(text_of(sha256(bytes)));
      hello.set_mask(std::string(32, 'm'));
      hello.set_program_bytes(bytes.size());
      hello.set_reveal(std::string(to_text(program.reveal)));
      hello.set_instance(std::string(16, 'i'));
      send_control(channel, hello);
      receive_control<control::ClientRequest>(channel);
      send_ready(channel);
      channel.send(FrameType::bulk, bytes);
      failure_of([&] { channel.receive_up_to(FrameType::control, longest_control); });
    });
    ClientOptions options = world.client_options("alice");
    options.server = liar.address();
    ClientService client(world.identity("alice", Role::client), options);
    const auto failure = failure_of([&] { client.connect(); });
    ASSERT_TRUE(failure) << what;
    EXPECT_EQ(failure->kind, ErrorKind::peer);
    EXPECT_NE(failure->text.find(what), std::string::npos) << failure->text;
  }
  Database db(world.state("alice") / "client.db", "");
  Statement row = db.prepare("SELECT count(*) FROM programs");
  ASSERT_TRUE(row.step());
  EXPECT_EQ(row.integer(0), 0);
}

// Also one of which nobody foresaw that it fails.
TEST(Registration, AProgramWhoseBundlesCannotBeMadeLeavesTheOthersAlone) {
  std::vector<std::string> lines;
  DealerPool pool(2, [&](const std::string& line) { lines.push_back(line); });
  Plan endless;
  endless.demands.push_back(ProductDemand{ProductOp{std::size_t{1} << 61, 1, 1, 1}, Ring{64}});  // more than a vector can hold
  endless.offsets = {0, 1};
  testing::World world;
  Registration bad;
  bad.server = "urn:smpc:server:mallory";
  bad.instance[0] = std::byte{1};
  Registration good = bad;
  good.server = "urn:smpc:server:s";
  good.instance[0] = std::byte{2};
  pool.add(bad, endless);
  pool.add(good, world.plan());
  std::jthread generator([&](std::stop_token stop) { pool.generate(stop); });
  Registration found;
  BundleHeader wanted;
  wanted.instance = good.instance;
  EXPECT_EQ(pool.take(wanted, 5, found, [](std::size_t) {}).size(), 5U);
  wanted.instance = bad.instance;
  const auto failure = failure_of([&] { pool.take(wanted, 1, found, [](std::size_t) {}); });
  ASSERT_TRUE(failure);
  EXPECT_EQ(failure->kind, ErrorKind::no_bundles);
  EXPECT_NE(failure->text.find("cannot be made"), std::string::npos) << failure->text;
  generator.request_stop();
  generator.join();
  EXPECT_TRUE(has_line(lines, "urn:smpc:server:mallory: its bundles cannot be made"));
}

TEST(Registration, TheSameAgainChangesNothingAndOtherStatesPushOutTheOldest) {
  World world;
  const std::size_t before = world.dealer_lines().size();
  std::this_thread::sleep_for(500ms);  // the server has said it again
  EXPECT_EQ(world.dealer_lines().size(), before);
  for (int i = 0; i < 20; ++i) {
    EXPECT_TRUE(ask_dealer(world, "mallory", registration(world.mlp().program, static_cast<char>('a' + i))).has_ready());
  }
  EXPECT_EQ(stored_registrations(world), 16 + 1);  // and the world's server's own
  world.expect_good();
}

TEST(Registration, ADealerThatLostItsStateHasItAgainWithoutAnybodysHelp) {
  World world;
  world.expect_good("alice");
  const std::string address = world.dealer_address();
  world.stop_dealer();
  while (!has_line(world.server_lines(), "waiting for the dealer: ")) std::this_thread::sleep_for(10ms);
  std::filesystem::remove_all(world.state("dealer"));
  world.start_dealer(address);
  while (stored_registrations(world) == 0) std::this_thread::sleep_for(10ms);
  world.expect_good("bob", 6);
  while (!has_line(world.server_lines(), "the dealer has the program again")) std::this_thread::sleep_for(10ms);
}

// In the moment between, a client is told what to do.
TEST(Registration, AClientThatComesBeforeItIsToldToTryAgain) {
  World world;
  world.client("alice")->prefetch(0);
  const std::string address = world.dealer_address();
  world.stop_dealer();
  std::filesystem::remove_all(world.state("dealer"));
  world.stop_server();
  world.start_dealer(address);
  control::DealerRequest request;
  request.set_version(protocol_version);
  request.mutable_take()->set_program(std::string(32, 'p'));
  request.mutable_take()->set_mask(std::string(32, 'm'));
  request.mutable_take()->set_instance(std::string(16, 'i'));
  request.mutable_take()->set_count(1);
  const auto channel = world.dial_dealer();
  send_control(*channel, request);
  const auto reply = receive_control<control::Reply>(*channel);
  ASSERT_TRUE(reply.has_refusal());
  EXPECT_NE(reply.refusal().text().find("within half a minute"), std::string::npos) << reply.refusal().text();
}

class AllowedServers : public ::testing::Test {
 protected:
  void write(const std::string& text) { write_file(path_, as_bytes(text)); }
  const test::TemporaryFolder folder_;
  const std::filesystem::path path_ = folder_.path() / "servers";
};

TEST_F(AllowedServers, AloneMayRegister) {
  write("urn:smpc:server:server  # ours\n");
  World world(Reveal::label, {.allow_servers = path_});
  world.expect_good();
  const auto failure = failure_of([&] { ask_dealer(world, "mallory", registration(world.mlp().program, 'x')); });
  ASSERT_TRUE(failure);
  EXPECT_NE(failure->text.find("expected a server on the allow-list, found urn:smpc:server:mallory"), std::string::npos) << failure->text;
  EXPECT_EQ(stored_registrations(world), 1);
}

// What a server registered goes when it is taken off the list, and comes back with it.
TEST_F(AllowedServers, ThatAreTakenOffTheListAreServedNoMore) {
  write("urn:smpc:server:server\n");
  World world(Reveal::label, {.allow_servers = path_});
  write("urn:smpc:server:another\n");
  world.reload();
  const auto failure = failure_of([&] { world.client("alice")->prefetch(6); });
  ASSERT_TRUE(failure);
  EXPECT_EQ(failure->kind, ErrorKind::no_bundles);
  write("urn:smpc:server:server\nurn:smpc:server:another\n");
  world.reload();
  while (failure_of([&] { world.client("alice")->prefetch(6); })) std::this_thread::sleep_for(10ms);
  world.expect_good("alice", 6);
}

// On its disk, whichever files there are: the key of the program and its mask, and not the one of which it was made.
TEST(Registration, NeverTellsTheDealerTheServersOwnKey) {
  World world;
  world.expect_good();
  RawSession session = world.dial();
  const Key root = world.root_key();
  const Key shared = program_key(root, array_of<32>(session.hello.program(), "program"), array_of<32>(session.hello.mask(), "mask"));
  std::string all;
  for (const auto& file : std::filesystem::directory_iterator(world.state("dealer"))) all += as_text(read_file(file.path()));
  const auto holds = [&](const Key& key) { return all.find(as_text(ByteView(key.reveal()))) != std::string::npos; };
  EXPECT_TRUE(holds(shared));
  EXPECT_FALSE(holds(root));
}

// A dealer's table of before, with the key of which all others are made: it goes, and the server's own key is another.
TEST(Registration, AKeyThatAnOlderVersionGaveAwayIsReplaced) {
  World world;
  world.stop_server();
  world.stop_dealer();
  const Key before = world.root_key();
  {
    Database db(world.state("server") / "server.db", "");
    db.execute("ALTER TABLE server RENAME COLUMN root_key TO shared_key");
    db.execute("PRAGMA user_version = 0");
    Database dealer(world.state("dealer") / "dealer.db", "");
    dealer.execute("PRAGMA user_version = 0");
  }
  world.start_dealer();
  EXPECT_EQ(stored_registrations(world), 0);
  world.start_server();
  EXPECT_NE(to_hex(ByteView(world.root_key().reveal())), to_hex(ByteView(before.reveal())));
  world.expect_good();
  world.stop_server();
  world.stop_dealer();
  Database(world.state("dealer") / "dealer.db", "").execute("PRAGMA user_version = 99");
  const auto failure = failure_of([&] { world.start_dealer(); });
  ASSERT_TRUE(failure);
  EXPECT_NE(failure->text.find("a newer smpc-dealer"), std::string::npos) << failure->text;
}

}  // namespace
}  // namespace smpc
