#include "service/support.h"

#include <algorithm>
#include <future>

#include "smpc/runtime/interpreter.h"

namespace smpc::testing {
namespace {

RandomModel find_model(Reveal reveal) {
  for (std::uint64_t seed = 1;; ++seed) {
    std::mt19937_64 rng(seed);
    RandomModel m = random_mlp(rng);
    const std::size_t inputs = m.program.input().count;
    if (m.program.reveal == reveal && m.weights.size() == 3 && inputs >= 20 && m.program.classes() >= 5) return m;
  }
}

}  // namespace

const RandomModel& model(Reveal reveal) {
  static const RandomModel label = find_model(Reveal::label);
  static const RandomModel logits = find_model(Reveal::logits);
  return reveal == Reveal::label ? label : logits;
}

Weights other_weights(const RandomModel& m) {
  Weights w = m.weights;
  WeightMatrix::Wide matrix(w.front().matrix.size());
  w.front().matrix.read(0, matrix);
  const auto one = std::find_if(matrix.begin(), matrix.end(), [](std::int32_t v) { return v != 0; });
  if (one != matrix.end()) {
    *one = 0;
    w.front().matrix = WeightMatrix(std::move(matrix));
    return w;
  }
  ADD_FAILURE() << "the model's weights are all zero";
  return w;
}

control::ClientRequest RawSession::request() const {
  control::ClientRequest r;
  r.set_version(protocol_version);
  return r;
}

control::ClientRequest RawSession::infer(const std::vector<Bytes>& headers) const {
  auto r = request();
  auto& infer = *r.mutable_infer();
  infer.set_program(hello.program());
  infer.set_mask(hello.mask());
  infer.set_reveal(hello.reveal());
  for (const Bytes& h : headers) infer.add_bundles(text_of(h));
  return r;
}

std::optional<control::Refusal> RawSession::ask(const control::ClientRequest& request) {
  send_control(*channel, request);
  const auto reply = receive_control<control::Reply>(*channel);
  if (reply.has_refusal()) return reply.refusal();
  EXPECT_TRUE(reply.has_ready());
  return std::nullopt;
}

World::World(RandomModel mlp, Limits limits)
    : mlp_(std::move(mlp)), plan_(correlation_plan(mlp_.program)), limits_(limits) {
  start_dealer();
  start_server();
}

Identity& World::identity(const std::string& name, Role role) {
  const std::scoped_lock guard(identities_mutex_);
  const auto at = identities_.find(name);
  if (at != identities_.end()) return at->second;
  return identities_.emplace(name, Identity::load(test::authority().issue(name, role), role)).first->second;
}

void World::start_dealer(const std::string& listen) {
  DealerOptions options;
  options.listen = listen;
  options.state = state("dealer");
  options.pool = 4;
  options.allow = limits_.allow;
  options.allow_servers = limits_.allow_servers;
  options.log = [this](const std::string& line) {
    const std::scoped_lock guard(lines_mutex_);
    dealer_lines_.push_back(line);
  };
  dealer_ = std::make_unique<Running<DealerService>>(
      std::make_unique<DealerService>(identity("dealer", Role::dealer), std::move(options)));
  last_dealer_ = dealer_->address();
}

void World::start_server(const std::string& listen) {
  const auto ready = std::make_shared<std::promise<void>>();
  ServerOptions options;
  options.listen = listen;
  options.dealer = dealer_address();
  options.state = state("server");
  options.quota = limits_.quota;
  options.quota_total = limits_.quota_total;
  options.allow = limits_.allow;
  options.max_sessions = limits_.max_sessions;
  options.max_sessions_per_peer = limits_.max_sessions_per_peer;
  options.register_again = std::chrono::milliseconds(100);
  options.on_ready = [ready] { ready->set_value(); };
  options.log = [this](const std::string& line) {
    const std::scoped_lock guard(lines_mutex_);
    server_lines_.push_back(line);
  };
  server_ = std::make_unique<Running<ServerService>>(
      std::make_unique<ServerService>(identity("server", Role::server), mlp_.program, mlp_.weights, std::move(options)));
  last_server_ = server_->address();
  if (dealer_) ready->get_future().wait();
}

ClientOptions World::client_options(const std::string& name) const {
  ClientOptions options;
  options.server = server_address();
  options.dealer = dealer_address();
  options.state = state(name);
  return options;
}

std::unique_ptr<ClientService> World::client(const std::string& name) {
  return std::make_unique<ClientService>(identity(name, Role::client), client_options(name));
}

std::unique_ptr<Channel> World::dial_dealer(const std::string& client) {
  auto channel = tls_connect(dealer_address(), identity(client, Role::client), Role::dealer, test::within(test::plenty));
  receive_control<control::DealerHello>(*channel);
  return channel;
}

RawSession World::dial(const std::string& client) {
  RawSession s;
  s.channel = tls_connect(server_address(), identity(client, Role::client), Role::server, test::within(test::plenty));
  s.hello = receive_control<control::ServerHello>(*s.channel);
  return s;
}

std::vector<RingVector> World::volumes(std::size_t count) {
  std::vector<RingVector> out;
  for (std::size_t v = 0; v < count; ++v) out.push_back(random_input(mlp_, 1, rng_));
  return out;
}

void World::expect_right(const std::vector<RingVector>& volumes, const std::vector<VolumeResult>& results) const {
  ASSERT_EQ(results.size(), volumes.size());
  for (std::size_t v = 0; v < volumes.size(); ++v) {
    const RingVector expected = interpret(mlp_.program, mlp_.weights, volumes[v]).back();
    if (mlp_.program.reveal == Reveal::label) {
      EXPECT_EQ(results[v].index, expected[0]) << "volume " << v;
      EXPECT_TRUE(results[v].logits.empty());
    } else {
      EXPECT_EQ(results[v].logits, dequantise(mlp_.program.output(), expected)) << "volume " << v;
    }
  }
}

void World::expect_good(const std::string& name, std::size_t count) {
  SCOPED_TRACE("a good inference by " + name);
  const auto input = volumes(count);
  expect_right(input, client(name)->infer(input));
}

std::vector<ClientBundle> World::stored(const std::string& name) {
  const RawSession s = dial(name);
  BundleFilter filter;
  filter.program = array_of<32>(s.hello.program(), "program");
  filter.mask = array_of<32>(s.hello.mask(), "mask");
  filter.instance = array_of<16>(s.hello.instance(), "instance");
  filter.epoch = s.hello.epoch();
  // What is opened is read where it is stored.
  const auto opened = std::make_shared<ClientState>(state(name));
  auto bundles = opened->open(filter, plan().correction_bytes(), 1000);
  for (ClientBundle& b : bundles) {
    b.material.read = [opened, read = std::move(b.material.read)](std::size_t from, std::span<std::byte> to) { read(from, to); };
  }
  return bundles;
}

std::vector<ClientBundle> World::prefetched(const std::string& name, std::size_t count) {
  EXPECT_EQ(client(name)->prefetch(count), count);
  auto bundles = stored(name);
  EXPECT_EQ(bundles.size(), count);
  return bundles;
}

std::int64_t World::serials_used() const {
  Database db(state("server") / "server.db", "");
  Statement row = db.prepare("SELECT count(*) FROM used");
  EXPECT_TRUE(row.step());
  return row.integer(0);
}

std::vector<std::string> World::server_lines() {
  const std::scoped_lock guard(lines_mutex_);
  return server_lines_;
}

std::vector<std::string> World::dealer_lines() {
  const std::scoped_lock guard(lines_mutex_);
  return dealer_lines_;
}

Key World::root_key() const {
  Database db(state("server") / "server.db", "");
  Statement row = db.prepare("SELECT root_key FROM server");
  EXPECT_TRUE(row.step());
  const Bytes bytes = row.blob(0);
  return Key{ByteView(bytes).first<32>()};
}

std::optional<Failure> failure_of(const std::function<void()>& f) {
  try {
    f();
  } catch (const Error& e) {
    EXPECT_EQ(std::string(e.what()).find('\n'), std::string::npos) << e.what();
    return Failure{e.kind(), e.what()};
  }
  return std::nullopt;
}

}  // namespace smpc::testing
