// Requests and replies, without the library that carries them.
#pragma once

#include <cstdint>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace smpc::web {

struct Request {
  std::string method;
  std::string target;                // as it came: "/TOKEN/api/run/1/events?x=y"
  std::vector<std::string> hosts;    // every Host field
  std::vector<std::string> origins;  // every Origin field
  std::string last_event_id;
};

struct Reply {
  unsigned status = 200;
  std::string type = {};                         // of the body
  std::shared_ptr<const std::string> body = {};  // may be none
  std::string download = {};                     // the file's name, for what is to be saved
  std::string allow = {};                        // with 405
};

Reply json_reply(unsigned status, const nlohmann::json& body);
// {"error": ...}: the command line's words and exit code.
nlohmann::json error_json(const std::string& message, int exit_code);
Reply error_reply(unsigned status, const std::string& message, int exit_code);

// The value of `name` in "name=value&...", decoded; none where it is not there or not well encoded.
std::optional<std::string> query_value(std::string_view query, std::string_view name);

// The last part of a path that a browser names a file by, as something that can stand in a message, a JSON text and a
// header: valid UTF-8, no control characters, at most 255 bytes. None where nothing such is left.
std::optional<std::string> plain_file_name(const std::string& given);

// "attachment; ..." (RFC 6266), whatever characters the name has.
std::string attachment(const std::string& file_name);

}  // namespace smpc::web
