// The other side of a test, by plain OpenSSL on a blocking socket: it does what a channel never would.
#pragma once

#include <openssl/ssl.h>

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "smpc/base/bytes.h"

namespace smpc::test {

// A TCP socket that closes itself. Reads give up after 20 s, so that a test fails rather than hangs.
class RawSocket {
 public:
  explicit RawSocket(int fd = -1);
  ~RawSocket() { close(); }
  RawSocket(RawSocket&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  RawSocket& operator=(RawSocket&&) = delete;
  static RawSocket dial(std::uint16_t port);
  static RawSocket listen();
  RawSocket accept() const;
  std::uint16_t port() const;
  int get() const { return fd_; }
  bool write(std::string_view text) const;  // false once the other side has gone
  std::string read_all() const;             // until the other side closes
  void close();

 private:
  int fd_;
};

struct RawOptions {
  std::filesystem::path identity;  // empty: no certificate
  int version = TLS1_3_VERSION;    // and no other
  bool accepts = false;            // the server's side
};

class RawTls {
 public:
  RawTls(RawSocket socket, const RawOptions& options);
  bool handshake();
  bool write(ByteView data);
  Bytes read(std::size_t count);  // fewer at the end
  void say_goodbye();             // close_notify
  void close() { socket_.close(); }
  int reason();  // ERR_GET_REASON of the last failure
  SSL* ssl() { return ssl_.get(); }
  int sessions_offered() const { return offered_; }

 private:
  struct FreeContext {
    void operator()(SSL_CTX* c) const { SSL_CTX_free(c); }
  };
  struct FreeSsl {
    void operator()(SSL* s) const { SSL_free(s); }
  };
  RawSocket socket_;
  bool accepts_;
  int offered_ = 0;
  std::unique_ptr<SSL_CTX, FreeContext> context_;
  std::unique_ptr<SSL, FreeSsl> ssl_;
};

// Passes bytes between a client and a server, and flips one bit of what the client sends when told to.
class Relay {
 public:
  explicit Relay(std::uint16_t to);
  ~Relay();
  std::uint16_t port() const { return listening_.port(); }
  void flip_next() { flip_ = true; }

 private:
  void pump(int from, int to, bool may_flip);
  RawSocket listening_;
  std::atomic<bool> flip_{false};
  std::thread thread_;
};

}  // namespace smpc::test
