// Speaks HTTP to the page's server as a browser would, or as one would not.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace smpc::testing {

struct HttpReply {
  unsigned status = 0;
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;
  nlohmann::json json() const { return nlohmann::json::parse(body); }
};

// One connection, in the test's hands.
class RawHttp {
 public:
  explicit RawHttp(std::uint16_t port, const std::string& address = "127.0.0.1");  // throws where nobody listens
  ~RawHttp();
  RawHttp(const RawHttp&) = delete;
  RawHttp& operator=(const RawHttp&) = delete;

  void send(const std::string& bytes);  // as they are; that the peer has closed is no error
  HttpReply receive();                  // throws std::runtime_error where the peer closes before one is whole
  std::string receive_some();           // what has come; "" when the peer has closed
  void close();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

struct ServerEvent {
  std::string id;
  std::string name;
  nlohmann::json data;
  friend bool operator==(const ServerEvent&, const ServerEvent&) = default;
};
std::vector<ServerEvent> parse_events(const std::string& body);

}  // namespace smpc::testing
