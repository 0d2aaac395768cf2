// One browser's connection: requests one after another, each with a deadline, in a thread of its own. The only file,
// with ui_server.cc, that knows Boost.
#pragma once

#include <utility>  // before Asio 1.74, which forgets it

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <chrono>

#include "guard.h"
#include "site.h"

namespace smpc::web {

class Connection {
 public:
  using HeaderParser = boost::beast::http::request_parser<boost::beast::http::empty_body>;

  Connection(Site& site, const Guard& guard, std::chrono::milliseconds patience);

  // To be accepted into, before run().
  boost::asio::ip::tcp::socket& socket() { return stream_.socket(); }
  // Serves until the peer leaves, misbehaves or is cut.
  void run() noexcept;
  // From any thread: run() ends at its next wait.
  void cut();

  // Fresh: its first request has not come. Idle: it has been served, and no other request has come.
  enum class Stage { fresh, serving, idle };
  Stage stage() const noexcept { return stage_; }

 private:
  // True: the connection stays for another request.
  bool serve_one();
  bool serve(HeaderParser& parser);
  bool receive_scan(HeaderParser& parser, const std::string& path);
  bool refuse(unsigned status);
  bool send(const Reply& reply, bool keep);
  void send_events(const EventStream& stream);
  bool send_chunk(const std::string& text);
  bool read_body(HeaderParser& parser, std::string& body);
  std::unique_ptr<Upload> read_upload(HeaderParser& parser, Reply& refusal);
  void continue_100(HeaderParser& parser);
  bool peer_has_left();
  void linger();

  // Starts an operation and waits for its end, up to `patience` from now.
  template <class Start>
  boost::beast::error_code wait(std::chrono::milliseconds patience, Start&& start);

  Site& site_;
  const Guard& guard_;
  const std::chrono::milliseconds patience_;
  boost::asio::io_context context_{1};
  boost::beast::tcp_stream stream_{context_};
  boost::beast::flat_buffer buffer_;
  std::atomic<Stage> stage_{Stage::fresh};
  std::atomic<bool> cut_{false};
};

}  // namespace smpc::web
