#include "net/raw_tls.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <stdexcept>

namespace smpc::test {
namespace {

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

void require(bool held, const char* what) {
  if (!held) throw std::runtime_error(what);
}

}  // namespace

RawSocket::RawSocket(int fd) : fd_(fd) {
  const timeval patience{20, 0};
  if (fd_ >= 0) ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
}

RawSocket RawSocket::dial(std::uint16_t port) {
  RawSocket out(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const sockaddr_in to = loopback(port);
  require(::connect(out.fd_, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0, "cannot connect");
  return out;
}

RawSocket RawSocket::listen() {
  RawSocket out(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const sockaddr_in at = loopback(0);
  require(::bind(out.fd_, reinterpret_cast<const sockaddr*>(&at), sizeof at) == 0 && ::listen(out.fd_, 64) == 0,
          "cannot listen");
  return out;
}

RawSocket RawSocket::accept() const { return RawSocket(::accept(fd_, nullptr, nullptr)); }

std::uint16_t RawSocket::port() const {
  sockaddr_in at{};
  socklen_t length = sizeof at;
  require(::getsockname(fd_, reinterpret_cast<sockaddr*>(&at), &length) == 0, "no port");
  return ntohs(at.sin_port);
}

bool RawSocket::write(std::string_view text) const {
  return ::send(fd_, text.data(), text.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(text.size());
}

std::string RawSocket::read_all() const {
  std::string out;
  char part[4096];
  for (ssize_t n = 0; (n = ::recv(fd_, part, sizeof part, 0)) > 0;) out.append(part, static_cast<std::size_t>(n));
  return out;
}

void RawSocket::close() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

RawTls::RawTls(RawSocket socket, const RawOptions& options)
    : socket_(std::move(socket)),
      accepts_(options.accepts),
      context_(SSL_CTX_new(options.accepts ? TLS_server_method() : TLS_client_method())) {
  std::signal(SIGPIPE, SIG_IGN);  // OpenSSL's own socket writes raise it
  SSL_CTX* c = context_.get();
  SSL_CTX_set_min_proto_version(c, options.version);
  SSL_CTX_set_max_proto_version(c, options.version);
  if (!options.identity.empty()) {
    require(SSL_CTX_use_certificate_chain_file(c, (options.identity / "cert.pem").c_str()) == 1 &&
                SSL_CTX_use_PrivateKey_file(c, (options.identity / "key.pem").c_str(), SSL_FILETYPE_PEM) == 1,
            "no identity");
  }
  SSL_CTX_set_session_cache_mode(c, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_set_app_data(c, &offered_);
  SSL_CTX_sess_set_new_cb(c, [](SSL* ssl, SSL_SESSION*) {
    ++*static_cast<int*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)));
    return 0;
  });
  ssl_.reset(SSL_new(c));
  SSL_set_fd(ssl_.get(), socket_.get());
}

bool RawTls::handshake() {
  ERR_clear_error();
  return (accepts_ ? SSL_accept(ssl_.get()) : SSL_connect(ssl_.get())) == 1;
}

bool RawTls::write(ByteView data) {
  ERR_clear_error();
  return data.empty() || SSL_write(ssl_.get(), data.data(), static_cast<int>(data.size())) > 0;
}

Bytes RawTls::read(std::size_t count) {
  Bytes out(count);
  std::size_t done = 0;
  ERR_clear_error();
  while (done < count) {
    const int n = SSL_read(ssl_.get(), out.data() + done, static_cast<int>(count - done));
    if (n <= 0) break;
    done += static_cast<std::size_t>(n);
  }
  out.resize(done);
  return out;
}

void RawTls::say_goodbye() { SSL_shutdown(ssl_.get()); }
int RawTls::reason() { return ERR_GET_REASON(ERR_peek_error()); }

Relay::Relay(std::uint16_t to) : listening_(RawSocket::listen()) {
  thread_ = std::thread([this, to] {
    const RawSocket client = listening_.accept();
    if (client.get() < 0) return;
    const RawSocket server = RawSocket::dial(to);
    std::thread back([&] { pump(server.get(), client.get(), false); });
    pump(client.get(), server.get(), true);
    back.join();
  });
}

Relay::~Relay() {
  ::shutdown(listening_.get(), SHUT_RDWR);
  thread_.join();
}

void Relay::pump(int from, int to, bool may_flip) {
  char part[65536];
  for (ssize_t n = 0; (n = ::recv(from, part, sizeof part, 0)) > 0;) {
    if (may_flip && flip_.exchange(false)) part[n - 1] = static_cast<char>(part[n - 1] ^ 0x10);
    if (::send(to, part, static_cast<std::size_t>(n), MSG_NOSIGNAL) != n) break;
  }
  ::shutdown(to, SHUT_WR);
  ::shutdown(from, SHUT_RD);
}

}  // namespace smpc::test
