#include "web/http_client.h"

#include <utility>  // before Asio 1.74, which forgets it

#include <algorithm>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <limits>
#include <sstream>
#include <stdexcept>

namespace smpc::testing {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using asio::ip::tcp;

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

}  // namespace

struct RawHttp::Impl {
  asio::io_context context;
  tcp::socket socket{context};
  beast::flat_buffer buffer;
};

RawHttp::RawHttp(std::uint16_t port, const std::string& address) : impl_(std::make_unique<Impl>()) {
  impl_->socket.connect({asio::ip::make_address(address), port});
}
RawHttp::~RawHttp() = default;

void RawHttp::send(const std::string& bytes) {
  beast::error_code closed;
  asio::write(impl_->socket, asio::buffer(bytes), closed);
}

HttpReply RawHttp::receive() {
  http::response_parser<http::string_body> parser;
  parser.body_limit(std::numeric_limits<std::uint64_t>::max());
  beast::error_code error;
  http::read(impl_->socket, impl_->buffer, parser, error);
  if (error) throw std::runtime_error("no whole reply: " + error.message());
  HttpReply reply;
  reply.status = parser.get().result_int();
  for (const auto& field : parser.get()) {
    reply.headers[lower({field.name_string().data(), field.name_string().size()})] = {field.value().data(), field.value().size()};
  }
  reply.body = parser.get().body();
  return reply;
}

std::string RawHttp::receive_some() {
  std::string out(1 << 16, '\0');
  beast::error_code error;
  out.resize(impl_->socket.read_some(asio::buffer(out), error));
  return out;
}

void RawHttp::close() { impl_->socket.close(); }

std::vector<ServerEvent> parse_events(const std::string& body) {
  std::vector<ServerEvent> out;
  ServerEvent event;
  std::istringstream lines(body);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("id: ")) event.id = line.substr(4);
    if (line.starts_with("event: ")) event.name = line.substr(7);
    if (line.starts_with("data: ")) event.data = nlohmann::json::parse(line.substr(6));
    if (line.empty() && !event.name.empty()) out.push_back(std::exchange(event, {}));
  }
  return out;
}

}  // namespace smpc::testing
