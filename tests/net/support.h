// What the tests of this room share: certificates in a temporary folder, a listener in a thread, errors as text.
#pragma once

#include <gtest/gtest.h>

#include <condition_variable>
#include <filesystem>
#include <functional>
#include <future>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "smpc/net/certs.h"
#include "smpc/net/tls.h"
#include "support/expect_has.h"

namespace smpc::test {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

inline Deadline within(std::chrono::milliseconds time) { return Clock::now() + time; }
constexpr auto plenty = 60'000ms;  // for what must succeed
constexpr auto brief = 300ms;      // for what must fail by its deadline

class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

// A CA and identities of it, valid for localhost, 127.0.0.1 and ::1.
class Authority {
 public:
  Authority();
  fs::path folder() const { return folder_.path(); }
  // Issues on first use.
  fs::path issue(const std::string& name, Role role, Validity validity = {},
                 std::vector<std::string> hosts = {"localhost", "127.0.0.1", "::1"});
  Identity identity(Role role);  // named as its role

 private:
  std::mutex mutex_;
  TemporaryFolder folder_;
};
Authority& authority();        // the one that both sides trust
Authority& other_authority();  // another

// What a server says that is content with its peer.
inline void say_ready(Channel& channel, const PeerName&) { channel.send(FrameType::control, as_bytes("ready")); }

// A listener that runs until the end of the scope.
class Served {
 public:
  Served(const Identity& identity, ListenerOptions options, Listener::Session session);
  ~Served();
  std::uint16_t port() const { return listener_.port(); }
  std::string address() const { return "127.0.0.1:" + std::to_string(port()); }
  Listener& listener() { return listener_; }
  std::string failure();  // waits for the first one
  std::size_t failures();
  int sessions() const { return sessions_.load(); }

 private:
  ListenerOptions with_log(ListenerOptions options);
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> lines_;
  std::atomic<int> sessions_{0};
  Listener listener_;
  std::thread thread_;
};

ListenerOptions allowing(std::vector<Role> roles);
std::unique_ptr<Channel> connect(const Served& served, const Identity& identity, Role expected = Role::server);

// The two ends of one TLS connection, both in the test's hands.
class TlsPair {
 public:
  TlsPair();
  ~TlsPair();
  Channel& client() { return *client_; }
  Channel& server() { return *server_; }
  void drop_client() { client_.reset(); }

 private:
  std::promise<Channel*> accepted_;
  std::promise<void> done_;
  std::shared_future<void> wait_;
  Served served_;
  std::unique_ptr<Channel> client_;
  Channel* server_ = nullptr;
};

Bytes pattern(std::size_t size, unsigned seed = 1);

// The error's text; fails the test when nothing, or something of another kind, is thrown.
template <class Kind = Error, class Body>
std::string error_of(Body&& body, ErrorKind kind = ErrorKind::peer) {
  try {
    body();
  } catch (const Kind& error) {
    EXPECT_EQ(error.kind(), kind) << error.what();
    return error.what();
  } catch (const std::exception& error) {
    ADD_FAILURE() << "another type of error: " << error.what();
    return {};
  }
  ADD_FAILURE() << "no error";
  return {};
}

}  // namespace smpc::test

