#include "net/support.h"

#include <cstdlib>

#include "support/peak_memory.h"

namespace smpc::test {

TemporaryFolder::TemporaryFolder() {
  std::string name = (fs::temp_directory_path() / "smpc-net-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder");
  path_ = name;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

Authority::Authority() { make_ca(folder_.path(), {-24h, ca_lifetime}); }  // older than what tests let it sign

fs::path Authority::issue(const std::string& name, Role role, Validity validity, std::vector<std::string> hosts) {
  const std::scoped_lock guard(mutex_);
  const fs::path out = folder() / name;
  if (!fs::exists(out)) issue_certificate(folder(), {{role, name}, std::move(hosts), validity}, out);
  return out;
}

Identity Authority::identity(Role role) { return Identity::load(issue(std::string(role_name(role)), role), role); }

Authority& authority() {
  static Authority one;
  return one;
}

Authority& other_authority() {
  static Authority one;
  return one;
}

ListenerOptions allowing(std::vector<Role> roles) {
  ListenerOptions options;
  options.allowed = std::move(roles);
  return options;
}

ListenerOptions Served::with_log(ListenerOptions options) {
  options.on_failure = [this](const std::string& line) {
    const std::lock_guard lock(mutex_);
    lines_.push_back(line);
    changed_.notify_all();
  };
  return options;
}

Served::Served(const Identity& identity, ListenerOptions options, Listener::Session session)
    : listener_(identity, with_log(std::move(options))), thread_([this, session = std::move(session)] {
        listener_.run([&](Channel& channel, const PeerName& peer) {
          ++sessions_;
          channel.set_deadline(within(plenty));
          session(channel, peer);
        });
      }) {}

Served::~Served() {
  listener_.stop(0ms);
  thread_.join();
  testing::expect_little_memory();  // whatever a peer claimed or sent
}

std::string Served::failure() {
  std::unique_lock lock(mutex_);
  if (!changed_.wait_for(lock, plenty, [&] { return !lines_.empty(); })) return "no failure was reported";
  return lines_.front();
}

std::size_t Served::failures() {
  const std::lock_guard lock(mutex_);
  return lines_.size();
}

std::unique_ptr<Channel> connect(const Served& served, const Identity& identity, Role expected) {
  return tls_connect(served.address(), identity, expected, within(plenty));
}

TlsPair::TlsPair()
    : wait_(done_.get_future()),
      served_(authority().identity(Role::server), allowing({Role::client}),
              [this](Channel& channel, const PeerName&) {
                accepted_.set_value(&channel);
                wait_.wait();
              }),
      client_(connect(served_, authority().identity(Role::client))),
      server_(accepted_.get_future().get()) {}

TlsPair::~TlsPair() { done_.set_value(); }

Bytes pattern(std::size_t size, unsigned seed) {
  Bytes out(size);
  std::uint64_t state = seed;
  for (std::byte& b : out) {
    state = state * 6364136223846793005ULL + 1442695040888963407ULL;
    b = static_cast<std::byte>(state >> 56);
  }
  return out;
}

}  // namespace smpc::test
