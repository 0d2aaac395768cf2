#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <list>
#include <map>
#include <mutex>
#include <set>
#include <thread>
#include <utility>

#include "resolve.h"
#include "smpc/base/fd.h"
#include "smpc/net/address.h"
#include "smpc/net/tls.h"
#include "tls_channel.h"
#include "tls_context.h"

namespace smpc {
namespace {

using std::chrono::milliseconds;

enum class Stage { handshake, queued, serving, done };

struct Connection {
  std::unique_ptr<TlsChannel> channel;
  std::string remote;
  std::atomic<Stage> stage{Stage::handshake};
  const Clock::time_point accepted = Clock::now();
  bool cut = false;  // the accepting thread's
  std::thread thread;
};

std::string listed(const std::vector<Role>& roles) {
  std::string out;
  for (const Role role : roles) out += (out.empty() ? "a " : " or a ") + std::string(role_name(role));
  return out;
}

}  // namespace

struct Listener::Impl {
  Impl(const Identity& identity, ListenerOptions given)
      : options(std::move(given)), context(make_tls_context(identity, TlsSide::server)) {}

  void bind();
  void accept_one(const Session& session);
  void start(int socket, const SocketAddress& from, const Session& session);
  void serve(Connection& connection, const Session& session);
  void talk(Connection& connection, const Session& session);
  enum class Entry { inside, full, full_for_this_peer };
  Entry enter(Connection& connection);
  void leave(const std::string& peer);
  void forget(const std::string& peer);
  void reap();
  void cut_all(Stage stage);
  Connection* oldest_handshake();
  void cut_oldest_handshake();
  std::size_t count(Stage stage) const;
  bool stopping() const { return stop_by.load() >= 0; }
  // Poll's timeouts, in milliseconds; -1: none.
  int time_to_stop() const;
  int time_to_accept();
  void report(const std::string& line) const {
    if (options.on_failure) options.on_failure(line);
  }
  void wake() const noexcept {
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written = ::write(waker.get(), &one, sizeof one);
  }

  const ListenerOptions options;
  const std::shared_ptr<SSL_CTX> context;
  Fd socket;
  Fd waker;
  std::uint16_t port = 0;
  std::atomic<std::int64_t> stop_by{-1};  // nanoseconds of Clock; -1 while serving
  std::mutex mutex;
  std::condition_variable place_free;
  std::size_t serving = 0;            // under mutex
  std::uint64_t tickets = 0;          // under mutex
  std::set<std::uint64_t> queue;      // tickets of those who wait for a place; under mutex
  std::map<std::string, std::size_t> of_peer;  // sessions and places in the queue, by identity; under mutex
  std::list<Connection> connections;  // oldest first; run()'s thread alone
};

void Listener::Impl::bind() {
  const HostPort where = parse_host_port(options.listen);
  const auto addresses = resolve(where, Clock::now() + options.handshake_timeout);
  const SocketAddress& address = addresses.front();
  waker.reset(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  socket.reset(::socket(address.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const int on = 1;
  SocketAddress bound;
  bound.length = sizeof bound.storage;
  if (waker.get() < 0 || socket.get() < 0 ||
      ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
      ::bind(socket.get(), address.get(), address.length) != 0 || ::listen(socket.get(), SOMAXCONN) != 0 ||
      ::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&bound.storage), &bound.length) != 0) {
    fail_peer(where.text() + ": expected to listen there, found that this cannot be: " + std::strerror(errno) +
              ": choose another address with --listen");
  }
  port = bound.port();
}

std::size_t Listener::Impl::count(Stage stage) const {
  return static_cast<std::size_t>(std::count_if(connections.begin(), connections.end(),
                                                [&](const Connection& c) { return c.stage.load() == stage; }));
}

void Listener::Impl::cut_all(Stage stage) {
  for (Connection& c : connections) {
    if (c.stage.load() == stage) c.channel->cut();
  }
}

Connection* Listener::Impl::oldest_handshake() {
  for (Connection& c : connections) {
    if (!c.cut && c.stage.load() == Stage::handshake) return &c;
  }
  return nullptr;
}

void Listener::Impl::cut_oldest_handshake() {
  if (Connection* c = oldest_handshake()) {
    c->cut = true;
    c->channel->cut();
  }
}

// Joins threads that have ended.
void Listener::Impl::reap() {
  for (auto it = connections.begin(); it != connections.end();) {
    if (it->stage.load() == Stage::done) {
      it->thread.join();
      it = connections.erase(it);
    } else {
      ++it;
    }
  }
}

void Listener::Impl::accept_one(const Session& session) {
  SocketAddress from;
  from.length = sizeof from.storage;
  Fd accepted(
      ::accept4(socket.get(), reinterpret_cast<sockaddr*>(&from.storage), &from.length, SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (accepted.get() < 0) {
    if (errno != EMFILE && errno != ENFILE && errno != ENOBUFS && errno != ENOMEM) return;  // the connection's fault
    report(std::string("expected to accept a connection, found: ") + std::strerror(errno));
    cut_oldest_handshake();
    pollfd waiting{waker.get(), POLLIN, 0};
    ::poll(&waiting, 1, 100);  // it stays acceptable: without a pause this would spin
    return;
  }
  if (count(Stage::handshake) >= options.max_handshakes) cut_oldest_handshake();
  try {
    start(accepted.release(), from, session);
  } catch (const std::exception& error) {
    report(from.text() + ": expected to serve it, found: " + error.what());
    cut_oldest_handshake();  // out of threads or descriptors
  }
}

void Listener::Impl::start(int fd, const SocketAddress& from, const Session& session) {
  Fd guard(fd);
  Connection& c = connections.emplace_back();
  try {
    c.remote = from.text();
    c.channel = std::make_unique<TlsChannel>(context, TlsSide::server, c.remote);
    c.channel->adopt(guard.release());
    c.thread = std::thread([this, &c, &session] { serve(c, session); });
  } catch (...) {
    connections.pop_back();
    throw;
  }
}

// Waits for a place, behind those who came before. `full`: there is none, or the listener stops.
Listener::Impl::Entry Listener::Impl::enter(Connection& connection) {
  std::unique_lock lock(mutex);
  const std::string& peer = connection.channel->peer_identity();
  std::size_t& of_this_peer = of_peer[peer];
  if (options.max_sessions_per_peer > 0 && of_this_peer >= options.max_sessions_per_peer) return Entry::full_for_this_peer;
  ++of_this_peer;
  const std::uint64_t me = tickets++;
  queue.insert(me);
  const auto my_turn = [&] { return serving < options.max_sessions && *queue.begin() == me; };
  if (!my_turn() && queue.size() <= options.max_queue) {
    connection.stage.store(Stage::queued);
    place_free.wait_for(lock, options.queue_patience, [&] { return stopping() || my_turn(); });
  }
  const bool mine = !stopping() && my_turn();
  queue.erase(me);
  place_free.notify_all();  // another is first now
  if (!mine) {
    forget(peer);
    return Entry::full;
  }
  ++serving;
  connection.stage.store(Stage::serving);
  return Entry::inside;
}

void Listener::Impl::leave(const std::string& peer) {
  const std::lock_guard lock(mutex);
  --serving;
  forget(peer);
  place_free.notify_all();
}

// One session less, or place in the queue.
void Listener::Impl::forget(const std::string& peer) {
  const auto at = of_peer.find(peer);
  if (--at->second == 0) of_peer.erase(at);
}

void Listener::Impl::serve(Connection& c, const Session& session) {
  try {
    talk(c, session);
  } catch (const std::exception& error) {
    try {
      report(error.what());
    } catch (const std::exception&) {  // a report that fails must not take the process along
    }
    if (c.stage.load() == Stage::handshake) c.channel->linger(linger_time);  // its alert must arrive
    c.channel->abandon();
  }
  if (c.stage.load() == Stage::serving) leave(c.channel->peer_identity());
  c.stage.store(Stage::done);
  wake();
}

void Listener::Impl::talk(Connection& c, const Session& session) {
  TlsChannel& channel = *c.channel;
  channel.set_deadline(Clock::now() + options.handshake_timeout);
  channel.handshake();
  const auto refuse = [&](const std::string& reason) {
    channel.refuse(reason);
    report(channel.peer_identity() + " (" + c.remote + "): refused: " + reason);
  };
  const auto& allowed = options.allowed;
  if (std::find(allowed.begin(), allowed.end(), channel.peer().role) == allowed.end()) {
    refuse("expected " + listed(allowed) + " on this port, found " + channel.peer_identity());
    return;
  }
  if (options.turn_away) {
    if (const std::string reason = options.turn_away(channel.peer()); !reason.empty()) return refuse(reason);
  }
  const Entry entry = enter(c);
  channel.set_deadline(Clock::now() + options.handshake_timeout);
  if (entry == Entry::full_for_this_peer) {
    refuse("busy: all " + std::to_string(options.max_sessions_per_peer) + " sessions that " + channel.peer_identity() +
           " may have at once are taken; end one, or try again later");
    return;
  }
  if (entry == Entry::full) {
    refuse(stopping() ? "stopping" : "busy: all " + std::to_string(options.max_sessions) + " sessions are taken; try again later");
    return;
  }
  session(channel, channel.peer());
  channel.close();
}

int Listener::Impl::time_to_stop() const {
  const std::int64_t by = stop_by.load();
  if (by < 0) return -1;
  const auto left = by - Clock::now().time_since_epoch().count();
  return left <= 0 ? 0 : static_cast<int>(std::min<std::int64_t>(left / 1'000'000 + 1, 3'600'000));
}

// 0: now. Otherwise connections stay in the kernel's queue for that long, or until one of ours ends.
int Listener::Impl::time_to_accept() {
  // More than all who are served, wait or shake hands: there are refused ones, which linger for a moment.
  if (connections.size() >= options.max_sessions + options.max_queue + 2 * options.max_handshakes) return -1;
  if (count(Stage::handshake) < options.max_handshakes) return 0;
  const Connection* oldest = oldest_handshake();
  if (oldest == nullptr) return -1;  // all are cut and about to end
  const auto left = std::chrono::ceil<milliseconds>(oldest->accepted + options.handshake_turn - Clock::now());
  return static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 3'600'000));
}

Listener::Listener(const Identity& identity, ListenerOptions options)
    : impl_(std::make_unique<Impl>(identity, std::move(options))) {
  impl_->bind();
}

Listener::~Listener() { SMPC_CHECK(impl_->connections.empty()); }

std::uint16_t Listener::port() const noexcept { return impl_->port; }

void Listener::run(const Session& session) {
  Impl& m = *impl_;
  bool cut = false;
  bool told = false;
  for (;;) {
    const bool stopping = m.stopping();
    if (stopping && !std::exchange(told, true) && m.options.on_stop) m.options.on_stop();
    if (stopping) {
      m.socket.reset();
      m.cut_all(Stage::handshake);
      m.cut_all(Stage::queued);
      const std::lock_guard lock(m.mutex);
      m.place_free.notify_all();
    }
    m.reap();
    if (stopping && m.connections.empty()) return;
    int timeout = cut ? -1 : m.time_to_stop();
    if (timeout == 0) {
      m.cut_all(Stage::serving);
      cut = true;
      continue;
    }
    const int pause = stopping ? -1 : m.time_to_accept();
    if (pause > 0) timeout = timeout < 0 ? pause : std::min(timeout, pause);
    pollfd waiting[2] = {{m.waker.get(), POLLIN, 0}, {pause == 0 ? m.socket.get() : -1, POLLIN, 0}};  // -1 is ignored
    if (::poll(waiting, 2, timeout) < 0) continue;                                  // EINTR
    std::uint64_t ignored = 0;
    if (waiting[0].revents != 0 && ::read(m.waker.get(), &ignored, sizeof ignored) < 0) continue;
    if ((waiting[1].revents & POLLIN) != 0) m.accept_one(session);
  }
}

void Listener::stop(milliseconds grace) noexcept {
  const std::int64_t by = (Clock::now() + grace).time_since_epoch().count();
  std::int64_t before = impl_->stop_by.load();
  while ((before < 0 || by < before) && !impl_->stop_by.compare_exchange_weak(before, by)) {
  }
  const int saved = errno;  // a signal handler must leave it as it was
  impl_->wake();
  errno = saved;
}

}  // namespace smpc
