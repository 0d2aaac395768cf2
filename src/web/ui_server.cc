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

constexpr auto pause = std::chrono::milliseconds(20);  // until there may be room for another connection

// A connection and its thread. The accepting thread's, but for `connection.run()`.
struct Served {
  Served(web::Site& site, const web::Guard& guard, const UiOptions& options)
      : connection(site, guard, options.patience) {}
  Connection connection;
  std::thread thread;
};

ClientOptions client_options(const UiOptions& options) {
  parse_host_port(options.server);
  parse_host_port(options.dealer);
  ClientOptions out;
  out.server = options.server;
  out.dealer = options.dealer;
  out.state = options.state;
  out.approved = options.approved;
  out.patience = options.state_patience;
  return out;
}

}  // namespace

struct UiServer::Impl {
  Impl(const Identity& identity, UiOptions given)
      : options(std::move(given)), site(identity, client_options(options), options.page, options.nan_as_zero), token(web::make_token()) {
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
      acceptor.non_blocking(true);  // who has waited may have gone
      port = acceptor.local_endpoint().port();
    } catch (const boost::system::system_error& e) {
      fail_peer("127.0.0.1:" + std::to_string(options.port) + ": expected to listen there, found that this cannot be: " +
                e.code().message() + ": choose another port with --port, or 0 for a free one");
    }
  }

  void accept_next() {
    acceptor.async_wait(tcp::acceptor::wait_read, [this](error_code error) {
      if (stopping) return;
      if (error || !has_room() || !accept_one()) return accept_later();
      accept_next();
    });
  }

  void accept_later() {
    retry.expires_after(pause);
    retry.async_wait([this](error_code error) {
      if (!error && !stopping) accept_next();
    });
  }

  // Gives a new connection a thread.
  bool accept_one() {
    const auto served = connections.emplace(connections.end(), site, *guard, options);
    try {
      acceptor.accept(served->connection.socket());
      served->thread = std::thread([this, served] {
        served->connection.run();
        asio::post(context, [this, served] { reap(served); });
      });
      return true;
    } catch (const std::system_error&) {  // out of descriptors or threads
    } catch (const boost::system::system_error&) {
    }
    connections.erase(served);
    return false;
  }

  // Where all connections are taken one is cut, and there will be room when it has ended: of those that are served and
  // idle the oldest, else of those that have not asked for anything. Else they are all at work.
  bool has_room() {
    if (connections.size() < options.max_connections) return true;
    for (const auto stage : {Connection::Stage::idle, Connection::Stage::fresh}) {
      for (Served& served : connections) {
        if (served.connection.stage() != stage) continue;
        served.connection.cut();
        return false;
      }
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
