// Channels over TLS 1.3: both sides authenticated by the CA of their identity folder and by no other, no tickets, no
// resumption, no early data. TLS 1.3 lets a client finish before its certificate has been judged, so the accepting side
// speaks first, and a refusal of the client's certificate shows on the client's first receive.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "smpc/net/channel.h"
#include "smpc/net/identity.h"

namespace smpc {

// The address could not be reached: no such host, nobody listens there, or no answer in time. Worth trying again.
class NobodyListens : public Error {
 public:
  explicit NobodyListens(const std::string& message) : Error(ErrorKind::peer, message) {}
};

// Connects to HOST:PORT, once. The other side's certificate must be of `expected_role` and valid for HOST (its DNS or
// IP subject alternative names). Throws NobodyListens, Refused (a certificate, either side's, is not acceptable) or
// another peer Error. `named`, where it is not empty, is what the certificate must be valid for instead of HOST: behind a
// forwarded port, HOST is somebody else. `deadline` covers name lookup, connection and handshake, and stays the channel's until changed.
std::unique_ptr<Channel> tls_connect(const std::string& host_port, const Identity& identity, Role expected_role,
                                     Deadline deadline, const std::string& named = {});

// A connection takes a thread and two file descriptors: the defaults stay below the usual limit of 1024. What is beyond
// them waits in the kernel's queue until it is accepted.
struct ListenerOptions {
  std::string listen = "127.0.0.1:0";  // HOST:PORT; port 0 picks a free one
  std::vector<Role> allowed;           // who may connect
  std::size_t max_sessions = 64;       // authenticated sessions at once
  std::size_t max_sessions_per_peer = 0;  // of those, and of the queue, for one identity; one more is told so; 0: all
  std::size_t max_queue = 64;          // authenticated peers that wait for a place; one more is told so and closed
  std::chrono::milliseconds queue_patience{3'000};  // how long each waits, in the order they came; then it is told so
  std::size_t max_handshakes = 100;    // unauthenticated connections at once
  std::chrono::milliseconds handshake_timeout{10'000};
  // How long an unauthenticated connection is left alone where others wait to be accepted; then the oldest is cut.
  std::chrono::milliseconds handshake_turn{1'000};
  // Why an authenticated peer of an allowed role may not come in all the same, or nothing. Called from its thread.
  std::function<std::string(const PeerName&)> turn_away;
  // Called by run() once it has been told to stop.
  std::function<void()> on_stop;
  // One line for every connection that failed or was refused. Called from any session's thread.
  std::function<void(const std::string&)> on_failure;
};

// Accepts connections and gives each a thread of its own, in which the handshake and the session run: a peer that is
// slow, silent or no TLS at all delays nobody else.
class Listener {
 public:
  // Runs in the session's thread with an authenticated peer of an allowed role. The channel's deadline is that of the
  // handshake: set the session's own first. The channel is closed with a goodbye when it returns, without one when it
  // throws; what it throws goes to on_failure.
  using Session = std::function<void(Channel&, const PeerName&)>;

  // Binds and listens. Throws a usage Error for a malformed address, a peer Error when it cannot be bound.
  Listener(const Identity& identity, ListenerOptions options);
  ~Listener();  // run() must have returned
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  std::uint16_t port() const noexcept;

  // Serves until stop(), then lets sessions end until the grace period is over, cuts the others and returns once every
  // thread has ended.
  void run(const Session& session);

  // From any thread, or from a signal handler. A second call may shorten the grace period.
  void stop(std::chrono::milliseconds grace = std::chrono::seconds(10)) noexcept;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace smpc
