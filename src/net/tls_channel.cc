#include "tls_channel.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <optional>

#include "smpc/base/fd.h"
#include "smpc/net/tls.h"
#include "socket_bio.h"
#include "x509.h"

namespace smpc {
namespace {

constexpr std::size_t record_bytes = 16384;              // the most that one TLS record carries
constexpr std::size_t read_ahead = std::size_t{1} << 16;  // of the socket, so that one call takes several records

void set_no_delay(int socket) {
  const int on = 1;
  ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

}  // namespace

// How an operation of OpenSSL's ended.
struct TlsChannel::Outcome {
  enum class What { done, goodbye, truncated, reset, tls, other };
  What what = What::done;
  unsigned long packed = 0;  // OpenSSL's reason, for tls
  int error = 0;             // errno, for other
  explicit operator bool() const noexcept { return what != What::done; }
};

struct TlsChannel::Impl {
  Impl(const std::shared_ptr<SSL_CTX>& shared, TlsSide which, std::string where)
      : side(which),
        remote(std::move(where)),
        peer_uri(remote),
        cutter(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
        ssl(SSL_new(shared.get()), SSL_free) {
    SMPC_CHECK(ssl != nullptr);
    if (cutter.get() < 0) fail_peer(remote + ": expected a file descriptor for it, found: " + std::strerror(errno));
  }

  // Throws unless the connection may still be used.
  void check_open(const char* expected) {
    if (dead) fail_peer(who() + ": expected an open connection, found that this side has closed it");
    if (is_cut.load()) fail_cut();
    if (Clock::now() >= deadline) fail_late(expected);
  }

  // Until the socket is ready for `events`, the deadline or cut(), whichever comes first. After a deadline or a cut the
  // socket is closed and nothing is ever started again.
  void wait_for(short events, const char* expected) {
    while (true) {
      check_open(expected);
      pollfd waiting[2] = {{socket.get(), events, 0}, {cutter.get(), POLLIN, 0}};
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
      const int timeout = static_cast<int>(std::clamp<std::int64_t>(left, 0, 3'600'000));
      if (::poll(waiting, 2, timeout) > 0 && waiting[0].revents != 0 && waiting[1].revents == 0) return;
    }
  }

  // Runs one operation of OpenSSL's to its end. `step` returns what OpenSSL does: more than zero when it is done.
  template <class Step>
  Outcome run(const char* expected, Step&& step) {
    check_open(expected);
    while (true) {
      ERR_clear_error();
      errno = 0;
      const int result = step(ssl.get());
      if (result > 0) return {};
      const int saved = errno;
      switch (SSL_get_error(ssl.get(), result)) {
        case SSL_ERROR_WANT_READ: wait_for(POLLIN, expected); break;
        case SSL_ERROR_WANT_WRITE: wait_for(POLLOUT, expected); break;
        case SSL_ERROR_ZERO_RETURN: return {Outcome::What::goodbye, 0, 0};
        case SSL_ERROR_SSL: return failure(ERR_get_error());
        default: return failure(saved);
      }
    }
  }
  static Outcome failure(unsigned long packed) {
    const bool truncated = ERR_GET_LIB(packed) == ERR_LIB_SSL && ERR_GET_REASON(packed) == SSL_R_UNEXPECTED_EOF_WHILE_READING;
    return {truncated ? Outcome::What::truncated : Outcome::What::tls, packed, 0};
  }
  static Outcome failure(int error) {
    if (error == ECONNRESET || error == EPIPE) return {Outcome::What::reset, 0, error};
    return {error == 0 ? Outcome::What::truncated : Outcome::What::other, 0, error};
  }

  std::string who() const { return known ? peer_uri + " (" + remote + ")" : remote; }

  [[noreturn]] void fail_cut() {
    shut();
    fail_peer(who() + ": expected to go on, found that this side is stopping or has no room for it");
  }

  [[noreturn]] void fail_late(const char* expected) {
    shut();
    const std::string message =
        who() + ": expected " + expected + " before the deadline, found none in time: is it stopped, busy or far away?";
    if (connecting) throw NobodyListens(message);
    fail_peer(message);
  }

  void shut() noexcept {
    dead = true;
    socket.reset();
  }

  void take(int connected) {
    socket.reset(connected);
    set_no_delay(connected);
    BIO* const bio = new_socket_bio(connected);
    SSL_set_bio(ssl.get(), bio, bio);
    SSL_set_default_read_buffer_len(ssl.get(), read_ahead);
    SSL_set_read_ahead(ssl.get(), 1);
  }

  bool judge(bool accepted, X509_STORE_CTX* store);
  [[noreturn]] void fail_handshake(const Outcome& outcome);
  [[noreturn]] void fail_session(const Outcome& outcome, const char* expected);
  void learn_peer();

  const TlsSide side;
  const std::string remote;
  std::string dialled;       // the host that the other side's certificate must name
  std::optional<Role> role;  // that it must have
  std::string unacceptable;  // why this side did not accept it: "expected ..., found ..."
  std::string peer_uri;
  PeerName peer;
  Deadline deadline = Deadline::max();
  bool known = false;  // the certificate has been accepted
  bool heard = false;  // something came after the handshake
  bool connecting = false;
  bool dead = false;
  std::atomic<bool> is_cut{false};
  std::array<std::byte, record_bytes> first_record;
  Fd socket;
  Fd cutter;  // readable once cut
  std::unique_ptr<SSL, decltype(&SSL_free)> ssl;
};

// OpenSSL's verdict on a certificate of the other side's chain, and ours on the identity in the last of them. Judged
// within the handshake, a wrong one ends it: the other side, when it accepts, never starts a session.
bool TlsChannel::Impl::judge(bool accepted, X509_STORE_CTX* store) {
  const X509* certificate = X509_STORE_CTX_get_current_cert(store);
  std::string problem;
  if (!accepted) {
    problem = "expected a certificate to trust, found " +
              certificate_problem(X509_STORE_CTX_get_error(store), X509_STORE_CTX_get_error_depth(store), certificate, dialled);
  } else if (X509_STORE_CTX_get_error_depth(store) == 0) {
    try {
      const PeerName found = peer_name_of(certificate, "its certificate");
      if (!role || found.role == *role) return true;
      problem =
          "expected a " + std::string(role_name(*role)) + ", found " + found.uri() + ": is this the right address?";
    } catch (const Error& error) {
      problem = error.what();
    }
    X509_STORE_CTX_set_error(store, X509_V_ERR_CERT_REJECTED);  // alert bad_certificate
  } else {
    return true;
  }
  if (unacceptable.empty()) unacceptable = problem;
  return false;
}

void TlsChannel::Impl::fail_handshake(const Outcome& outcome) {
  const std::string expected = who() + ": expected a TLS 1.3 handshake, found ";
  if (!unacceptable.empty()) throw Refused(who() + ": " + unacceptable);
  if (outcome.what == Outcome::What::tls) {
    const TlsReason reason = tls_reason(outcome.packed);
    if (reason.refusal) throw Refused(expected + reason.words);
    fail_peer(expected + reason.words);
  }
  if (outcome.what == Outcome::What::other) fail_peer(expected + std::strerror(outcome.error));
  fail_peer(expected + (side == TlsSide::client ? "the connection closed: the other side may be busy, stopping or no "
                                                  "smpc at all"
                                                : "the connection closed"));
}

void TlsChannel::Impl::fail_session(const Outcome& outcome, const char* expected) {
  std::string found;
  bool refusal = false;
  bool closed = true;
  switch (outcome.what) {
    case Outcome::What::goodbye: found = "that the other side has ended the session"; break;
    case Outcome::What::truncated: found = "the connection cut without a goodbye (close_notify)"; break;
    case Outcome::What::reset: found = "the connection reset: the other side has gone"; break;
    case Outcome::What::tls: {
      const TlsReason reason = tls_reason(outcome.packed);
      found = reason.words;
      closed = refusal = reason.refusal;
      break;
    }
    default:
      found = std::strerror(outcome.error);
      closed = false;
  }
  // The first thing that an accepting side says is where its judgement of this side's certificate shows.
  if (side == TlsSide::client && !heard && closed) {
    const std::string message = who() +
                                ": expected its first frame, found that it closed the connection during the "
                                "handshake: it may not accept this certificate, or is stopping (" +
                                found + ")";
    if (refusal) throw Refused(message);
    fail_peer(message);
  }
  fail_peer(who() + ": expected " + expected + ", found " + found);
}

// judge() has accepted it; a certificate that it was not asked about would be our own bug.
void TlsChannel::Impl::learn_peer() {
  const X509Ptr certificate(SSL_get1_peer_certificate(ssl.get()));
  SMPC_CHECK(certificate != nullptr && SSL_get_verify_result(ssl.get()) == X509_V_OK);
  peer = peer_name_of(certificate.get(), remote);
  SMPC_CHECK(!role || peer.role == *role);
  peer_uri = peer.uri();
  known = true;
}

TlsChannel::TlsChannel(const std::shared_ptr<SSL_CTX>& context, TlsSide side, std::string remote)
    : impl_(std::make_unique<Impl>(context, side, std::move(remote))) {}

TlsChannel::~TlsChannel() { impl_->shut(); }

void TlsChannel::connect(const std::vector<SocketAddress>& addresses) {
  Impl& m = *impl_;
  int error = EADDRNOTAVAIL;
  m.connecting = true;
  for (const SocketAddress& address : addresses) {
    m.socket.reset(::socket(address.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    error = errno;
    if (m.socket.get() < 0) continue;
    error = ::connect(m.socket.get(), address.get(), address.length) == 0 ? 0 : errno;
    if (error == EINPROGRESS) {
      m.wait_for(POLLOUT, "a connection");
      socklen_t size = sizeof error;
      if (::getsockopt(m.socket.get(), SOL_SOCKET, SO_ERROR, &error, &size) != 0) error = errno;
    }
    if (error == 0) break;
  }
  m.connecting = false;
  if (error != 0) {
    m.socket.reset();
    throw NobodyListens(m.remote + ": expected somebody to listen there, found nobody (" + std::strerror(error) +
                        "): is it running, and is the address right?");
  }
  m.take(m.socket.release());
}

void TlsChannel::adopt(int socket) { impl_->take(socket); }

void TlsChannel::handshake(const std::string& host, std::optional<Role> role) {
  Impl& m = *impl_;
  m.role = role;
  SSL* const ssl = m.ssl.get();
  m.dialled = host;
  if (!host.empty()) {
    X509_VERIFY_PARAM* param = SSL_get0_param(ssl);
    X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
    if (X509_VERIFY_PARAM_set1_ip_asc(param, host.c_str()) != 1) {
      SMPC_CHECK(X509_VERIFY_PARAM_set1_host(param, host.c_str(), host.size()) == 1);
    }
    ERR_clear_error();
  }
  SSL_set_app_data(ssl, &m);
  SSL_set_verify(ssl, SSL_get_verify_mode(ssl), [](int accepted, X509_STORE_CTX* store) {
    const auto* judged = static_cast<const SSL*>(X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()));
    return static_cast<Impl*>(SSL_get_app_data(judged))->judge(accepted == 1, store) ? 1 : 0;
  });
  m.side == TlsSide::client ? SSL_set_connect_state(ssl) : SSL_set_accept_state(ssl);
  if (const Outcome outcome = m.run("a TLS 1.3 handshake", SSL_do_handshake)) m.fail_handshake(outcome);
  m.learn_peer();
}

const PeerName& TlsChannel::peer() const noexcept { return impl_->peer; }
const std::string& TlsChannel::peer_identity() const noexcept { return impl_->peer_uri; }
void TlsChannel::set_deadline(Deadline deadline) { impl_->deadline = deadline; }

void TlsChannel::linger(std::chrono::milliseconds longest) noexcept {
  Impl& m = *impl_;
  if (m.dead) return;
  try {
    m.deadline = std::min(m.deadline, Clock::now() + longest);
    ::shutdown(m.socket.get(), SHUT_WR);
    while (true) {
      m.wait_for(POLLIN, "nothing");
      const auto n = ::recv(m.socket.get(), m.first_record.data(), m.first_record.size(), 0);
      if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) break;
    }
  } catch (const std::exception&) {  // long enough
  }
  m.shut();
}

void TlsChannel::cut() noexcept {
  if (impl_->is_cut.exchange(true)) return;
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = ::write(impl_->cutter.get(), &one, sizeof one);
}

void TlsChannel::abandon() noexcept { impl_->shut(); }

// close_notify leaves at once or not at all; the answer to it is not waited for.
void TlsChannel::goodbye() noexcept {
  Impl& m = *impl_;
  if (m.dead || !m.known || m.is_cut.load()) return;
  ERR_clear_error();
  SSL_shutdown(m.ssl.get());
}

void TlsChannel::close() noexcept {
  goodbye();
  impl_->shut();
}

void TlsChannel::close_after_refusal() noexcept {
  goodbye();
  linger(linger_time);
}

// Full records: the header goes with the beginning of the payload, the rest is sent from where it is.
void TlsChannel::write(ByteView header, ByteView payload) {
  Impl& m = *impl_;
  const std::size_t joined = std::min(payload.size(), m.first_record.size() - header.size());
  const auto after_header = std::copy(header.begin(), header.end(), m.first_record.begin());
  std::copy_n(payload.begin(), joined, after_header);
  const char* expected = "it to take what is sent";
  const auto send = [&](const std::byte* data, std::size_t size) {
    std::size_t sent = 0;
    const Outcome outcome = m.run(expected, [&](SSL* ssl) { return SSL_write_ex(ssl, data, size, &sent); });
    if (outcome) m.fail_session(outcome, expected);
  };
  send(m.first_record.data(), header.size() + joined);
  if (joined < payload.size()) send(payload.data() + joined, payload.size() - joined);
  OPENSSL_cleanse(m.first_record.data(), header.size() + joined);
}

void TlsChannel::read(std::span<std::byte> out) {
  Impl& m = *impl_;
  const char* expected = "its next frame";
  while (!out.empty()) {
    std::size_t got = 0;
    const Outcome outcome =
        m.run(expected, [&](SSL* ssl) { return SSL_read_ex(ssl, out.data(), out.size(), &got); });
    if (outcome) m.fail_session(outcome, expected);
    m.heard = true;
    out = out.subspan(got);
  }
}

}  // namespace smpc
