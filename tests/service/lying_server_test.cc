// A server that changes its share of the result decides which index the client opens: a valid one or not. Whether it was valid
// must not show in anything that the client does afterwards, or the server would learn the label, a guess a run.
#include <bit>

#include "service/support.h"
#include "smpc/runtime/interpreter.h"
#include "smpc/runtime/schedule.h"

namespace smpc {
namespace {

using testing::failure_of;
using testing::RandomModel;
using testing::World;

// The first model of this kind whose index bits can name classes that there are not.
RandomModel find_model(Reveal reveal, Suite suite) {
  for (std::uint64_t seed = 1;; ++seed) {
    std::mt19937_64 rng(seed);
    RandomModel m = testing::random_mlp(rng, suite);
    const std::size_t classes = m.program.classes();
    if (m.program.reveal == reveal && m.weights.size() == 2 && classes >= 3 && !std::has_single_bit(classes)) return m;
  }
}

// What its last message of inference number `i` is added to: index bits or logits, packed as they are sent.
using Lie = std::function<Bytes(std::size_t i, std::size_t bytes)>;

// A listener with the server's certificate, behind which a true server works: all passes, but the last message of each inference,
// to which the lie is added. Everything that the client sends and does is kept, without contents that are random anyway.
class LyingServer {
 public:
  LyingServer(World& world, Lie lie)
      : world_(world), lie_(std::move(lie)), listener_(world.identity("server", Role::server), test::allowing({Role::client})) {
    thread_ = std::thread([this] { listener_.run([this](Channel& channel, const PeerName& peer) { session(channel, peer); }); });
  }
  ~LyingServer() {
    listener_.stop();
    thread_.join();
  }
  std::string address() const { return "127.0.0.1:" + std::to_string(listener_.port()); }
  std::vector<std::string> seen() {
    const std::scoped_lock guard(mutex_);
    return seen_;
  }
  // Sessions whose end has been seen.
  void wait_for_ends(std::size_t count) {
    std::unique_lock lock(mutex_);
    ended_.wait(lock, [&] { return ends_ >= count; });
  }

 private:
  void session(Channel& client, const PeerName& peer) {
    note("a session begins");
    const auto [near, far] = memory_channels(peer.uri(), "urn:smpc:server:server");
    Channel& to_far = *far;
    const std::jthread true_server([&, &end = *near] { failure_of([&] { world_.server().serve(end, peer); }); });
    client.set_deadline(test::within(test::plenty));
    try {
      pass(client, to_far);
      note("the session ends with Done");
    } catch (const Error& e) {
      note(std::string("the session breaks off: ") + e.what());
      near->cut();
    }
    const std::scoped_lock guard(mutex_);
    ++ends_;
    ended_.notify_all();
  }

  void pass(Channel& client, Channel& server) {
    client.send(FrameType::control, server.receive_up_to(FrameType::control, longest_control));
    for (;;) {
      const Bytes bytes = client.receive_up_to(FrameType::control, longest_control);
      control::ClientRequest request;
      SMPC_CHECK(request.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())));
      note("request " + std::to_string(request.what_case()) + " of " + std::to_string(bytes.size()) + " bytes");
      server.send(FrameType::control, bytes);
      if (request.has_done()) {
        EXPECT_TRUE(failure_of([&] { client.receive_up_to(FrameType::control, 1); }));  // the connection is closed
        return;
      }
      client.send(FrameType::control, server.receive_up_to(FrameType::control, longest_control));
      if (request.has_infer()) run(client, server, static_cast<std::size_t>(request.infer().bundles_size()));
    }
  }

  void run(Channel& client, Channel& server, std::size_t volumes) {
    const Schedule schedule = make_schedule(world_.mlp().program, world_.plan(), volumes);
    for (const Message& m : schedule.messages) {
      Bytes payload(m.bytes);
      if (m.from == Party::client) {
        client.receive(FrameType::data, payload);
        note("data of " + std::to_string(payload.size()) + " bytes");
        server.send(FrameType::data, payload);
        continue;
      }
      server.receive(FrameType::data, payload);
      if (&m == &schedule.messages.back()) {
        const std::size_t bytes = schedule.halves[m.halves.back()].bytes;
        const Bytes change = lie_(inferences_++, bytes);
        for (std::size_t i = 0; i < bytes; ++i) payload[payload.size() - bytes + i] ^= change[i];
      }
      client.send(FrameType::data, payload);
    }
  }

  void note(std::string what) {
    const std::scoped_lock guard(mutex_);
    seen_.push_back(std::move(what));
  }

  World& world_;
  const Lie lie_;
  std::size_t inferences_ = 0;
  std::mutex mutex_;
  std::condition_variable ended_;
  std::size_t ends_ = 0;
  std::vector<std::string> seen_;
  Listener listener_;
  std::thread thread_;
};

// The bits of `change`, one field of `volumes` bits each, set for one volume of a batch.
Bytes index_change(std::uint64_t change, std::size_t bytes, std::size_t volumes, std::size_t volume) {
  Bytes out(bytes);
  const std::size_t field = (volumes + 7) / 8;
  for (std::size_t t = 0; t < bytes / field; ++t) {
    if ((change >> t & 1) != 0) out[t * field + volume / 8] |= std::byte{1} << (volume % 8);
  }
  return out;
}

class LyingServers : public ::testing::TestWithParam<Suite> {
 protected:
  // What the server sees of a client that asks about `volumes` volumes `times` times; `target`: the index that volume 0 of the
  // first inference opens to.
  std::vector<std::string> seen_of(World& world, std::size_t volumes, std::size_t times, std::uint64_t target) {
    const auto input = world.volumes(volumes);
    world.client("alice")->prefetch(volumes * times);
    const std::uint64_t index = interpret(world.mlp().program, world.mlp().weights, input[0]).back()[0];
    const std::size_t batch = std::min<std::size_t>(volumes, 64);
    LyingServer liar(world, [&](std::size_t i, std::size_t bytes) {
      return i == 0 ? index_change(index ^ target, bytes, batch, 0) : Bytes(bytes);
    });
    ClientOptions options = world.client_options("alice");
    options.server = liar.address();
    ClientService client(world.identity("alice", Role::client), options);
    for (std::size_t t = 0; t < times; ++t) {
      std::vector<VolumeResult> results;
      const auto failure = failure_of([&] { results = client.infer(input); });
      const bool valid = t > 0 || target < world.mlp().program.classes();
      EXPECT_EQ(failure.has_value(), !valid);
      if (!valid) {
        EXPECT_EQ(failure->kind, ErrorKind::peer);
        EXPECT_NE(failure->text.find("expected a class below"), std::string::npos) << failure->text;
        continue;
      }
      EXPECT_EQ(results.at(0).index, t == 0 ? target : index);
    }
    liar.wait_for_ends(times);
    return liar.seen();
  }
};

// A single scan; a scan of two batches, of which the first is lied about; scan after scan, as a study asks.
TEST_P(LyingServers, SeeTheSameWhetherTheOpenedIndexIsAClassOrNot) {
  World world(find_model(Reveal::label, GetParam()));
  const std::size_t classes = world.mlp().program.classes();
  const std::uint64_t beyond = std::bit_ceil(classes) - 1;
  ASSERT_GE(beyond, classes);
  for (const auto& [volumes, times] : {std::pair<std::size_t, std::size_t>{1, 1}, {65, 1}, {2, 2}}) {
    const auto valid = seen_of(world, volumes, times, 0);
    EXPECT_EQ(seen_of(world, volumes, times, beyond), valid);
    EXPECT_EQ(std::ranges::count(valid, "the session ends with Done"), static_cast<std::ptrdiff_t>(times));
  }
}

// Every element of a ring is a logit: there is none to refuse.
TEST_P(LyingServers, SeeTheSameWhateverTheLogitsAre) {
  World world(find_model(Reveal::logits, GetParam()));
  const auto input = world.volumes(1);
  std::vector<std::vector<std::string>> seen;
  for (const std::byte with : {std::byte{0}, std::byte{0x81}}) {
    world.client("alice")->prefetch(1);
    // The last byte of a field may hold padding, which has to be zero.
    LyingServer liar(world, [&](std::size_t, std::size_t bytes) {
      Bytes change(bytes, with);
      change.back() = std::byte{0};
      return change;
    });
    ClientOptions options = world.client_options("alice");
    options.server = liar.address();
    ClientService client(world.identity("alice", Role::client), options);
    const auto results = client.infer(input);
    const bool right = results[0].logits == dequantise(world.mlp().program.output(), interpret(world.mlp().program, world.mlp().weights, input[0]).back());
    EXPECT_EQ(right, with == std::byte{0});
    liar.wait_for_ends(1);
    seen.push_back(liar.seen());
  }
  EXPECT_EQ(seen[0], seen[1]);
}

INSTANTIATE_TEST_SUITE_P(Suites, LyingServers, ::testing::Values(Suite::cryptflow2, Suite::masked),
                         [](const auto& suite) { return std::string(to_text(suite.param)); });

}  // namespace
}  // namespace smpc
