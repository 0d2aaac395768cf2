#include "relay.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <vector>

#include "machine.h"

namespace smpc::bench {
namespace {

// Small enough that passing a piece on when its last byte is due is near what each byte would do (0.3 ms at 100 Mbit/s).
constexpr std::size_t piece_bytes = 4096;

class Socket {
 public:
  explicit Socket(int fd) : fd_(fd) {
    if (fd < 0) throw std::runtime_error("relay: no socket");
  }
  ~Socket() { ::close(fd_); }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  int fd() const noexcept { return fd_; }
  void no_delay() const {
    const int on = 1;
    ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  }

 private:
  int fd_;
};

sockaddr_in address(const std::string& host, std::uint16_t port) {
  sockaddr_in a{};
  a.sin_family = AF_INET;
  a.sin_port = htons(port);
  if (::inet_pton(AF_INET, host.c_str(), &a.sin_addr) != 1) throw std::runtime_error("relay: no IPv4 address: " + host);
  return a;
}

bool write_all(int fd, const std::vector<char>& data) {
  for (std::size_t done = 0; done < data.size();) {
    const ssize_t n = ::send(fd, data.data() + done, data.size() - done, MSG_NOSIGNAL);
    if (n <= 0) return false;
    done += static_cast<std::size_t>(n);
  }
  return true;
}

// One direction of the line, shared by all connections: when its last byte so far has left it.
class Line {
 public:
  explicit Line(LineSpeed speed) : speed_(speed) {}
  // When the last of `bytes` that entered now arrives.
  double arrival(std::size_t bytes) {
    const std::scoped_lock lock(mutex_);
    const double now = seconds_now();
    if (!first_) first_ = now;
    total_ += bytes;
    free_ = std::max(now, free_);
    if (speed_.bits_per_second > 0) free_ += 8 * static_cast<double>(bytes) / speed_.bits_per_second;
    return free_ + speed_.latency;
  }
  std::uint64_t total() const {
    const std::scoped_lock lock(mutex_);
    return total_;
  }
  std::optional<double> first() const {
    const std::scoped_lock lock(mutex_);
    return first_;
  }
  void reset() {
    const std::scoped_lock lock(mutex_);
    total_ = 0;
    first_.reset();
  }

 private:
  const LineSpeed speed_;
  mutable std::mutex mutex_;
  double free_ = 0;
  std::uint64_t total_ = 0;
  std::optional<double> first_;
};

// What is on the line between two sockets, one way: read as it comes, written when it is due.
class Flow {
 public:
  Flow(int from, int to, Line& line)
      : reader_([this, from, &line] { read(from, line); }), writer_([this, to] { write(to); }) {}

 private:
  struct Piece {
    double due;
    std::vector<char> data;  // empty: the sender ended
  };

  void read(int from, Line& line) {
    for (;;) {
      std::vector<char> data(piece_bytes);
      const ssize_t n = ::recv(from, data.data(), data.size(), 0);
      data.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
      const bool ended = data.empty();
      const double due = ended ? line.arrival(0) : line.arrival(data.size());
      {
        const std::scoped_lock lock(mutex_);
        pieces_.push_back({due, std::move(data)});
      }
      changed_.notify_one();
      if (ended) return;
    }
  }

  void write(int to) {
    for (;;) {
      Piece piece;
      {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return !pieces_.empty(); });
        piece = std::move(pieces_.front());
        pieces_.pop_front();
      }
      const double wait = piece.due - seconds_now();
      if (wait > 0) std::this_thread::sleep_for(std::chrono::duration<double>(wait));
      if (piece.data.empty() || !write_all(to, piece.data)) break;
    }
    ::shutdown(to, SHUT_WR);
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Piece> pieces_;
  std::jthread reader_;
  std::jthread writer_;
};

struct Connection {
  Connection(int accepted, const sockaddr_in& to, Line& up, Line& down)
      : client(accepted), target(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    client.no_delay();
    target.no_delay();
    if (::connect(target.fd(), reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0) {
      ::shutdown(client.fd(), SHUT_RDWR);
    }
    forward.emplace(client.fd(), target.fd(), up);
    backward.emplace(target.fd(), client.fd(), down);
  }
  ~Connection() {
    ::shutdown(client.fd(), SHUT_RDWR);
    ::shutdown(target.fd(), SHUT_RDWR);
  }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  Socket client;
  Socket target;
  std::optional<Flow> forward;
  std::optional<Flow> backward;
};

}  // namespace

struct Relay::Impl {
  Impl(const std::string& to, LineSpeed speed, std::uint16_t wanted)
      : up(speed), down(speed), listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const auto colon = to.rfind(':');
    target = address(to.substr(0, colon), static_cast<std::uint16_t>(std::stoi(to.substr(colon + 1))));
    sockaddr_in here = address("127.0.0.1", wanted);
    socklen_t size = sizeof here;
    const int on = 1;
    ::setsockopt(listener.fd(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (::bind(listener.fd(), reinterpret_cast<sockaddr*>(&here), size) != 0 || ::listen(listener.fd(), 64) != 0) {
      throw std::runtime_error(std::string("relay: cannot listen: ") + std::strerror(errno));
    }
    ::getsockname(listener.fd(), reinterpret_cast<sockaddr*>(&here), &size);
    port = ntohs(here.sin_port);
    acceptor = std::jthread([this] { accept(); });
  }
  ~Impl() { ::shutdown(listener.fd(), SHUT_RDWR); }

  void accept() {
    for (;;) {
      const int fd = ::accept4(listener.fd(), nullptr, nullptr, SOCK_CLOEXEC);
      if (fd < 0) return;
      connections.push_back(std::make_unique<Connection>(fd, target, up, down));
    }
  }

  Line up;
  Line down;
  sockaddr_in target{};
  std::uint16_t port = 0;
  std::deque<std::unique_ptr<Connection>> connections;  // the acceptor's alone, until it has ended
  Socket listener;
  std::jthread acceptor;
};

Relay::Relay(const std::string& target, LineSpeed speed, std::uint16_t port)
    : impl_(std::make_unique<Impl>(target, speed, port)) {}
Relay::~Relay() = default;

std::uint16_t Relay::port() const noexcept { return impl_->port; }
Relay::Counts Relay::counts() const { return {impl_->up.total(), impl_->down.total(), impl_->up.first()}; }
void Relay::reset_counts() {
  impl_->up.reset();
  impl_->down.reset();
}

}  // namespace smpc::bench
