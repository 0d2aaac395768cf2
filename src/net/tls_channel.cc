#include "tls_channel.h"

#include <utility>  // Boost 1.74's coroutine support forgets it

#include <fcntl.h>
#include <openssl/err.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>
#include <optional>

#include "smpc/net/tls.h"
#include "x509.h"

namespace smpc {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using ErrorCode = boost::system::error_code;

constexpr std::size_t record_bytes = 16384;  // the most that one TLS record carries

asio::ssl::context shared_context(const std::shared_ptr<SSL_CTX>& context) {
  SSL_CTX_up_ref(context.get());  // Asio's wrapper frees what it is given
  return asio::ssl::context(context.get());
}

}  // namespace

struct TlsChannel::Impl {
  Impl(const std::shared_ptr<SSL_CTX>& shared, TlsSide which, std::string where)
      : side(which),
        remote(std::move(where)),
        peer_uri(remote),
        context(shared_context(shared)),
        stream(loop, context) {}

  // Runs one operation to its end, the deadline or cut(), whichever comes first. `start` is given the handler.
  // After a deadline or a cut the socket is closed and nothing is ever started again.
  template <class Start>
  ErrorCode run(const char* expected, Start&& start) {
    if (dead) fail_peer(who() + ": expected an open connection, found that this side has closed it");
    loop.restart();
    if (is_cut.load()) fail_cut();
    finished = false;
    start([this](const ErrorCode& ec, auto&&...) {
      finished = true;
      result = ec;
    });
    loop.run_until(deadline);
    if (finished) return result;
    shut();
    if (is_cut.load()) fail_cut();
    const std::string message =
        who() + ": expected " + expected + " before the deadline, found none in time: is it stopped, busy or far away?";
    if (connecting) throw NobodyListens(message);
    fail_peer(message);
  }

  std::string who() const { return known ? peer_uri + " (" + remote + ")" : remote; }

  [[noreturn]] void fail_cut() {
    shut();
    fail_peer(who() + ": expected to go on, found that this side is stopping or has no room for it");
  }

  // Closes the socket and lets the operation that was under way, if any, end.
  void shut() noexcept {
    if (dead) return;
    dead = true;
    ErrorCode ignored;
    stream.next_layer().close(ignored);
    try {
      loop.restart();
      loop.poll();
    } catch (const std::exception&) {  // handlers of ours do not throw
    }
  }

  bool judge(bool accepted, X509_STORE_CTX* store);
  [[noreturn]] void fail_handshake(const ErrorCode& ec);
  [[noreturn]] void fail_session(const ErrorCode& ec, const char* expected);
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
  bool finished = false;
  ErrorCode result;
  std::atomic<bool> is_cut{false};
  std::array<std::byte, record_bytes> first_record;
  asio::io_context loop{1};
  asio::ssl::context context;
  asio::ssl::stream<tcp::socket> stream;
};

// OpenSSL's verdict on a certificate of the other side's chain, and ours on the identity in the last of them. Judged
// within the handshake, a wrong one ends it: the other side, when it accepts, never starts a session.
bool TlsChannel::Impl::judge(bool accepted, X509_STORE_CTX* store) {
  const X509* certificate = X509_STORE_CTX_get_current_cert(store);
  std::string problem;
  if (!accepted) {
    problem = "expected a certificate to trust, found " +
              certificate_problem(X509_STORE_CTX_get_error(store), certificate, dialled);
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

void TlsChannel::Impl::fail_handshake(const ErrorCode& ec) {
  const std::string expected = who() + ": expected a TLS 1.3 handshake, found ";
  if (!unacceptable.empty()) throw Refused(who() + ": " + unacceptable);
  if (ec.category() == asio::error::get_ssl_category()) {
    const TlsReason reason = tls_reason(static_cast<unsigned long>(static_cast<unsigned>(ec.value())));
    if (reason.refusal) throw Refused(expected + reason.words);
    fail_peer(expected + reason.words);
  }
  if (ec == asio::error::eof || ec == asio::ssl::error::stream_truncated || ec == asio::error::connection_reset ||
      ec == asio::error::broken_pipe) {
    fail_peer(expected + (side == TlsSide::client ? "the connection closed: the other side may be busy, stopping or no "
                                                    "smpc at all"
                                                  : "the connection closed"));
  }
  fail_peer(expected + ec.message());
}

void TlsChannel::Impl::fail_session(const ErrorCode& ec, const char* expected) {
  std::string found;
  bool refusal = false;
  bool closed = true;
  if (ec == asio::error::eof) {
    found = "that the other side has ended the session";
  } else if (ec == asio::ssl::error::stream_truncated) {
    found = "the connection cut without a goodbye (close_notify)";
  } else if (ec == asio::error::connection_reset || ec == asio::error::broken_pipe) {
    found = "the connection reset: the other side has gone";
  } else if (ec.category() == asio::error::get_ssl_category()) {
    const TlsReason reason = tls_reason(static_cast<unsigned long>(static_cast<unsigned>(ec.value())));
    found = reason.words;
    closed = refusal = reason.refusal;
  } else {
    found = ec.message();
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
  const X509Ptr certificate(SSL_get1_peer_certificate(stream.native_handle()));
  SMPC_CHECK(certificate != nullptr && SSL_get_verify_result(stream.native_handle()) == X509_V_OK);
  peer = peer_name_of(certificate.get(), remote);
  SMPC_CHECK(!role || peer.role == *role);
  peer_uri = peer.uri();
  known = true;
}

TlsChannel::TlsChannel(const std::shared_ptr<SSL_CTX>& context, TlsSide side, std::string remote)
    : impl_(std::make_unique<Impl>(context, side, std::move(remote))) {}

TlsChannel::~TlsChannel() { impl_->shut(); }

void TlsChannel::connect(const std::vector<SocketAddress>& addresses) {
  tcp::socket& socket = impl_->stream.next_layer();
  ErrorCode error = asio::error::host_not_found;
  impl_->connecting = true;
  for (const SocketAddress& address : addresses) {
    tcp::endpoint endpoint;
    std::memcpy(endpoint.data(), &address.storage, address.length);
    endpoint.resize(address.length);
    ErrorCode ignored;
    socket.close(ignored);
    socket.open(endpoint.protocol(), error);
    if (error) continue;
    ::fcntl(socket.native_handle(), F_SETFD, FD_CLOEXEC);
    error = impl_->run("a connection", [&](auto handler) { socket.async_connect(endpoint, std::move(handler)); });
    if (!error) break;
  }
  impl_->connecting = false;
  if (error) {
    throw NobodyListens(impl_->remote + ": expected somebody to listen there, found nobody (" + error.message() +
                        "): is it running, and is the address right?");
  }
  socket.set_option(tcp::no_delay(true), error);
}

void TlsChannel::adopt(int socket, int family) {
  tcp::socket& own = impl_->stream.next_layer();
  ErrorCode error;
  own.assign(family == AF_INET6 ? tcp::v6() : tcp::v4(), socket, error);
  SMPC_CHECK(!error);
  own.set_option(tcp::no_delay(true), error);
}

void TlsChannel::handshake(const std::string& host, std::optional<Role> role) {
  Impl& m = *impl_;
  m.role = role;
  SSL* ssl = m.stream.native_handle();
  m.dialled = host;
  if (!host.empty()) {
    X509_VERIFY_PARAM* param = SSL_get0_param(ssl);
    X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
    if (X509_VERIFY_PARAM_set1_ip_asc(param, host.c_str()) != 1) {
      SMPC_CHECK(X509_VERIFY_PARAM_set1_host(param, host.c_str(), host.size()) == 1);
    }
    ERR_clear_error();
  }
  m.stream.set_verify_callback(
      [&m](bool accepted, asio::ssl::verify_context& store) { return m.judge(accepted, store.native_handle()); });
  const auto type = m.side == TlsSide::client ? asio::ssl::stream_base::client : asio::ssl::stream_base::server;
  const ErrorCode error =
      m.run("a TLS 1.3 handshake", [&](auto handler) { m.stream.async_handshake(type, std::move(handler)); });
  if (error) m.fail_handshake(error);
  m.learn_peer();
}

const PeerName& TlsChannel::peer() const noexcept { return impl_->peer; }
const std::string& TlsChannel::peer_identity() const noexcept { return impl_->peer_uri; }
void TlsChannel::set_deadline(Deadline deadline) { impl_->deadline = deadline; }

void TlsChannel::linger(std::chrono::milliseconds longest) noexcept {
  Impl& m = *impl_;
  if (m.dead) return;
  try {
    ErrorCode error;
    m.stream.next_layer().shutdown(tcp::socket::shutdown_send, error);
    m.deadline = std::min(m.deadline, Clock::now() + longest);
    while (!error) {
      error = m.run("nothing", [&](auto handler) {
        m.stream.next_layer().async_read_some(asio::buffer(m.first_record.data(), m.first_record.size()),
                                              std::move(handler));
      });
    }
  } catch (const std::exception&) {  // long enough
  }
  m.shut();
}

void TlsChannel::cut() noexcept {
  if (!impl_->is_cut.exchange(true)) impl_->loop.stop();
}

void TlsChannel::abandon() noexcept { impl_->shut(); }

// close_notify leaves with the first step; the answer to it is not waited for.
void TlsChannel::goodbye() noexcept {
  Impl& m = *impl_;
  if (m.dead || !m.known || m.is_cut.load()) return;
  try {
    m.loop.restart();
    m.stream.async_shutdown([](const ErrorCode&) {});
    m.loop.poll();
  } catch (const std::exception&) {  // then there is no goodbye
  }
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
    const ErrorCode error = m.run(
        expected, [&](auto handler) { asio::async_write(m.stream, asio::buffer(data, size), std::move(handler)); });
    if (error) m.fail_session(error, expected);
  };
  send(m.first_record.data(), header.size() + joined);
  if (joined < payload.size()) send(payload.data() + joined, payload.size() - joined);
  OPENSSL_cleanse(m.first_record.data(), header.size() + joined);
}

void TlsChannel::read(std::span<std::byte> out) {
  Impl& m = *impl_;
  if (out.empty()) return;
  const char* expected = "its next frame";
  const ErrorCode error = m.run(expected, [&](auto handler) {
    asio::async_read(m.stream, asio::buffer(out.data(), out.size()), std::move(handler));
  });
  if (error) m.fail_session(error, expected);
  m.heard = true;
}

}  // namespace smpc
