#include "smpc/web/ui_server.h"

#include <utility>  // before Asio 1.74, which forgets it

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <list>
#include <thread>

#include "connection.h"
#include "guard.h"
#include "site.h"
#include "smpc/base/error.h"
#include "smpc/net/address.h"

namespace smpc {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;
using web::Connection;

constexpr auto pause = std::chrono::milliseconds(100);  // after a failing accept, which would fail again at once

// A connection and its thread. The accepting thread's, but for `connection.run()`.
struct Served {
  Served(web::Site& site, const web::Guard& guard, const UiOptions& options)
      : connection(site, guard, options.patience) {}
  Connection connection;
  bool cut = false;
  std::thread thread;
};

ClientOptions client_options(const UiOptions& options) {
  parse_host_port(options.server);
  parse_host_port(options.dealer);
  ClientOptions out;
  out.server = options.server;
  out.dealer = options.dealer;
  out.state = options.state;
  out.patience = options.state_patience;
  return out;
}

}  // namespace

struct UiServer::Impl {
  Impl(const Identity& identity, UiOptions given)
      : options(std::move(given)), site(identity, client_options(options), options.page), token(web::make_token()) {
    listen();
    guard.emplace(token, port);
  }

  void listen() {
    const tcp::endpoint where(asio::ip::address_v4::loopback(), options.port);
    try {
      acceptor.open(where.protocol());
      acceptor.set_option(tcp::acceptor::reuse_address(true));
      acceptor.bind(where);
      acceptor.listen();
      port = acceptor.local_endpoint().port();
    } catch (const boost::system::system_error& e) {
      fail_peer("127.0.0.1:" + std::to_string(options.port) + ": expected to listen there, found that this cannot be: " +
                e.code().message() + ": choose another port with --port, or 0 for a free one");
    }
  }

  void accept_next() {
    next.emplace_front(site, *guard, options);
    acceptor.async_accept(next.front().connection.socket(), [this](error_code error) {
      if (stopping) return next.clear();  // one may have been accepted just before
      if (error) return accept_later();
      admit();
      accept_next();
    });
  }

  void accept_later() {
    next.clear();
    retry.expires_after(pause);
    retry.async_wait([this](error_code error) {
      if (!error && !stopping) accept_next();
    });
  }

  // The one that was accepted last gets a thread, or is closed where there are too many.
  void admit() {
    if (connections.size() >= options.max_connections && !make_room()) return next.clear();
    connections.splice(connections.end(), next);
    const auto served = std::prev(connections.end());
    try {
      served->thread = std::thread([this, served] {
        served->connection.run();
        asio::post(context, [this, served] { reap(served); });
      });
    } catch (const std::system_error&) {  // out of threads
      connections.erase(served);
    }
  }

  bool make_room() {
    if (connections.size() >= 2 * options.max_connections) return false;  // those that are cut have not ended yet
    for (Served& served : connections) {
      if (served.cut || !served.connection.is_waiting()) continue;
      served.cut = true;
      served.connection.cut();
      return true;
    }
    return false;
  }

  void reap(std::list<Served>::iterator served) {
    served->thread.join();
    connections.erase(served);
    if (stopping && connections.empty()) working.reset();
  }

  void end() {
    if (std::exchange(stopping, true)) return;
    error_code ignored;
    acceptor.close(ignored);
    retry.cancel();
    site.stop();
    for (Served& served : connections) served.connection.cut();
    if (connections.empty()) working.reset();
  }

  const UiOptions options;
  web::Site site;
  const std::string token;
  std::uint16_t port = 0;
  std::optional<web::Guard> guard;

  // What follows is the accepting thread's.
  asio::io_context context{1};
  asio::executor_work_guard<asio::io_context::executor_type> working{context.get_executor()};
  tcp::acceptor acceptor{context};
  asio::steady_timer retry{context};
  std::list<Served> next;  // the one to be accepted into
  std::list<Served> connections;
  bool stopping = false;
};

UiServer::UiServer(const Identity& identity, UiOptions options)
    : impl_(std::make_unique<Impl>(identity, std::move(options))) {}
UiServer::~UiServer() { SMPC_CHECK(impl_->connections.empty()); }

std::uint16_t UiServer::port() const noexcept { return impl_->port; }
std::string UiServer::url() const {
  return "http://127.0.0.1:" + std::to_string(impl_->port) + "/" + impl_->token + "/";
}

void UiServer::run() {
  impl_->accept_next();
  impl_->context.run();
}

void UiServer::stop() noexcept {
  asio::post(impl_->context, [impl = impl_.get()] { impl->end(); });
}

}  // namespace smpc
