#include "connection.h"

#include <sys/socket.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/error.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/chunk_encode.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/span_body.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <limits>

#include "smpc/base/error.h"
#include "smpc/base/secret.h"

namespace smpc::web {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using namespace std::chrono_literals;

constexpr std::uint32_t longest_header = 16 * 1024;
constexpr std::uint64_t longest_body = 64 * 1024;
constexpr std::uint64_t longest_scan = std::uint64_t{4} << 30;
constexpr std::size_t piece_bytes = std::size_t{1} << 20;  // of a scan, at a time
constexpr auto whole_reply = 60s;                          // to be taken by the peer
constexpr auto linger_time = 5s;
constexpr auto look_time = 1s;      // between looks whether the reader of events is still there
constexpr int looks_to_a_sign = 10; // that we are

void set_rules(http::fields& fields) {
  fields.set("Content-Security-Policy",
             "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
             "base-uri 'none'; form-action 'none'; frame-ancestors 'none'");
  fields.set("Referrer-Policy", "no-referrer");
  fields.set(http::field::cache_control, "no-store");
  fields.set("X-Content-Type-Options", "nosniff");
  fields.set(http::field::x_frame_options, "DENY");
  fields.set("Cross-Origin-Opener-Policy", "same-origin");
  fields.set("Cross-Origin-Resource-Policy", "same-origin");
}

std::string text(beast::string_view view) { return {view.data(), view.size()}; }

std::vector<std::string> all(const http::fields& fields, http::field name) {
  std::vector<std::string> out;
  const auto [first, last] = fields.equal_range(name);
  for (auto it = first; it != last; ++it) out.push_back(text(it->value()));
  return out;
}

Request request_of(const http::request_header<>& header) {
  return {.method = text(header.method_string()),
          .target = text(header.target()),
          .hosts = all(header, http::field::host),
          .origins = all(header, http::field::origin),
          .last_event_id = text(header["Last-Event-ID"])};
}

Reply too_large(const std::string& what, std::uint64_t most) {
  return error_reply(413, "expected " + what + " of at most " + std::to_string(most) + " bytes, found more",
                     static_cast<int>(ErrorKind::bad_input));
}

}  // namespace

Connection::Connection(Site& site, const Guard& guard, std::chrono::milliseconds patience)
    : site_(site), guard_(guard), patience_(patience) {}

void Connection::run() noexcept {
  try {
    socket().set_option(asio::ip::tcp::no_delay(true));
    while (!cut_ && serve_one()) stage_ = Stage::idle;
  } catch (const std::exception&) {  // out of memory: the end of this connection alone
  }
  stage_ = Stage::idle;
  beast::error_code ignored;
  socket().close(ignored);
}

void Connection::cut() {
  cut_ = true;
  asio::post(context_, [this] { stream_.close(); });
}

template <class Start>
beast::error_code Connection::wait(std::chrono::milliseconds patience, Start&& start) {
  beast::error_code result = asio::error::operation_aborted;
  if (cut_) return result;
  stream_.expires_after(patience);
  start([&result](beast::error_code error, std::size_t = 0) { result = error; });
  context_.restart();
  context_.run();
  return result;
}

bool Connection::serve_one() {
  HeaderParser parser;
  parser.header_limit(longest_header);
  parser.body_limit(std::numeric_limits<std::uint64_t>::max());  // until it is known what is asked for
  const auto error = wait(patience_, [&](auto done) { http::async_read_header(stream_, buffer_, parser, done); });
  if (error == http::error::header_limit) return refuse(431);
  if (error == http::error::end_of_stream || error == http::error::partial_message) return false;
  if (error && error.category() == make_error_code(http::error::bad_method).category()) return refuse(400);
  if (error) return false;
  stage_ = Stage::serving;
  return serve(parser);
}

bool Connection::serve(HeaderParser& parser) {
  const Request request = request_of(parser.get());
  const auto path = guard_.admit(request);
  if (!path) return refuse(404);
  if (parser.get().version() != 11) return refuse(400);
  const bool keep = parser.keep_alive();
  if (Site::is_upload(*path, request)) return receive_scan(parser, *path);
  std::string body;
  if (!read_body(parser, body)) return false;
  const Answer answer = site_.answer(*path, request, body);
  if (const auto* reply = std::get_if<Reply>(&answer)) return send(*reply, keep);
  send_events(std::get<EventStream>(answer));
  return false;
}

// The answer to what has no business here tells nothing.
bool Connection::refuse(unsigned status) {
  send({.status = status}, false);
  linger();
  return false;
}

bool Connection::read_body(HeaderParser& parser, std::string& body) {
  const auto refuse_it = [&] {
    send(too_large("a request", longest_body), false);
    linger();
    return false;
  };
  if (parser.content_length().value_or(0) > longest_body) return refuse_it();
  continue_100(parser);
  http::request_parser<http::string_body> whole(std::move(parser));
  whole.body_limit(longest_body);
  const auto error = wait(patience_, [&](auto done) { http::async_read(stream_, buffer_, whole, done); });
  if (error == http::error::body_limit) return refuse_it();
  if (error) return false;
  body = std::move(whole.get().body());
  return true;
}

bool Connection::receive_scan(HeaderParser& parser, const std::string& path) {
  const bool keep = parser.keep_alive();
  const std::uint64_t number = site_.begin_upload();
  Reply refusal;
  std::unique_ptr<Upload> file = read_upload(parser, refusal);
  if (file) return send(site_.finish_upload(number, path, std::move(file)), keep);
  if (refusal.body) {
    send(refusal, false);
    linger();  // a browser reads the answer when it has sent the rest, or was cut
  }
  return false;
}

// Null with a refusal, or, where the peer is gone, without one.
std::unique_ptr<Upload> Connection::read_upload(HeaderParser& parser, Reply& refusal) {
  const auto length = parser.content_length();
  if (length.value_or(0) > longest_scan) {
    refusal = too_large("a scan", longest_scan);
    return nullptr;
  }
  try {
    auto file = std::make_unique<Upload>(length ? std::optional<std::uint64_t>(*length) : std::nullopt);
    continue_100(parser);
    http::request_parser<http::buffer_body> body(std::move(parser));
    body.body_limit(longest_scan);
    SecretVector<char> piece(piece_bytes);
    while (!body.is_done()) {
      body.get().body().data = piece.data();
      body.get().body().size = piece.size();
      const auto error = wait(patience_, [&](auto done) { http::async_read(stream_, buffer_, body, done); });
      if (error == http::error::body_limit) {
        refusal = too_large("a scan", longest_scan);
        return nullptr;
      }
      if (error && error != http::error::need_buffer) return nullptr;
      file->append(std::span(piece).first(piece.size() - body.get().body().size));
    }
    return file;
  } catch (const Error& e) {
    refusal = error_reply(413, e.what(), e.exit_code());
    return nullptr;
  }
}

void Connection::continue_100(HeaderParser& parser) {
  if (!beast::iequals(parser.get()[http::field::expect], "100-continue")) return;
  http::response<http::empty_body> go_on(http::status::continue_, 11);
  wait(patience_, [&](auto done) { http::async_write(stream_, go_on, done); });
}

bool Connection::send(const Reply& reply, bool keep) {
  http::response<http::span_body<const char>> message(static_cast<http::status>(reply.status), 11);
  set_rules(message);
  if (reply.body) {
    message.set(http::field::content_type, reply.type);
    message.body() = beast::span<const char>(reply.body->data(), reply.body->size());
  }
  if (!reply.download.empty()) message.set(http::field::content_disposition, attachment(reply.download));
  if (!reply.allow.empty()) message.set(http::field::allow, reply.allow);
  message.keep_alive(keep);
  message.prepare_payload();
  const auto error = wait(whole_reply, [&](auto done) { http::async_write(stream_, message, done); });
  return keep && !error;
}

void Connection::send_events(const EventStream& stream) {
  http::response<http::empty_body> head(http::status::ok, 11);
  set_rules(head);
  head.set(http::field::content_type, "text/event-stream");
  head.keep_alive(false);
  head.chunked(true);
  http::response_serializer<http::empty_body> serializer(head);
  if (wait(patience_, [&](auto done) { http::async_write_header(stream_, serializer, done); })) return;
  std::size_t at = stream.from;
  for (int looks = 0; !cut_ && !peer_has_left(); ++looks) {
    const EventLog::Part part = stream.log->read(at, look_time);
    std::string lines;
    for (const Event& event : part.events) {
      lines += "id: " + std::to_string(at++) + "\nevent: " + event.name + "\ndata: " + event.data + "\n\n";
    }
    if (lines.empty() && looks % looks_to_a_sign == 0) lines = ":\n\n";
    if (!lines.empty() && !send_chunk(lines)) return;
    if (!part.last) continue;
    wait(patience_, [&](auto done) { asio::async_write(stream_, http::make_chunk_last(), done); });
    return;
  }
}

bool Connection::send_chunk(const std::string& lines) {
  const auto chunk = http::make_chunk(asio::buffer(lines));
  return !wait(patience_, [&](auto done) { asio::async_write(stream_, chunk, done); });
}

bool Connection::peer_has_left() {
  char next = 0;
  const auto n = ::recv(socket().native_handle(), &next, 1, MSG_PEEK | MSG_DONTWAIT);
  return n == 0 || (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR);
}

// Lets the peer read our last word: closing while it still sends would take that from it (RFC 7230, 6.6).
void Connection::linger() {
  stage_ = Stage::idle;
  beast::error_code error;
  socket().shutdown(asio::ip::tcp::socket::shutdown_send, error);
  const auto until = std::chrono::steady_clock::now() + linger_time;
  while (!error) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
    if (left <= 0ms) return;
    buffer_.clear();
    error = wait(left, [&](auto done) { stream_.async_read_some(buffer_.prepare(piece_bytes), done); });
  }
}

}  // namespace smpc::web
