#include "http.h"

#include <charconv>
#include <nlohmann/json.hpp>

namespace smpc::web {
namespace {

using nlohmann::json;

std::optional<std::string> decode(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i] == '+' ? ' ' : text[i];
      continue;
    }
    unsigned value = 0;
    const char* const from = text.data() + i + 1;
    if (i + 2 >= text.size() || std::from_chars(from, from + 2, value, 16).ptr != from + 2) return std::nullopt;
    out += static_cast<char>(value);
    i += 2;
  }
  return out;
}

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

bool is_unreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
}

bool is_utf8(const std::string& text) {
  try {
    json(text).dump();
    return true;
  } catch (const json::type_error&) {
    return false;
  }
}

}  // namespace

Reply json_reply(unsigned status, const json& body) {
  return {.status = status,
          .type = "application/json",
          .body = std::make_shared<std::string>(body.dump(-1, ' ', false, json::error_handler_t::replace))};
}

json error_json(const std::string& message, int exit_code) {
  return {{"error", {{"message", message}, {"exit_code", exit_code}}}};
}

Reply error_reply(unsigned status, const std::string& message, int exit_code) {
  return json_reply(status, error_json(message, exit_code));
}

std::optional<std::string> query_value(std::string_view query, std::string_view name) {
  while (!query.empty()) {
    const std::string_view pair = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(pair.size() + 1, query.size()));
    const std::size_t equals = pair.find('=');
    if (equals == pair.npos || pair.substr(0, equals) != name) continue;
    return decode(pair.substr(equals + 1));
  }
  return std::nullopt;
}

std::optional<std::string> plain_file_name(const std::string& given) {
  const std::size_t slash = given.find_last_of("/\\");
  std::string name = slash == given.npos ? given : given.substr(slash + 1);
  for (char& c : name) {
    if (is_control(c)) c = '_';
  }
  if (name.empty() || name.size() > 255 || !is_utf8(name)) return std::nullopt;
  return name;
}

std::string attachment(const std::string& file_name) {
  constexpr const char* digits = "0123456789ABCDEF";
  std::string plain;
  std::string encoded;
  for (const char c : file_name) {
    if (is_unreserved(c)) {
      plain += c;
      encoded += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    plain += '_';
    encoded += '%';
    encoded += digits[byte >> 4];
    encoded += digits[byte & 15U];
  }
  return "attachment; filename=\"" + plain + "\"; filename*=UTF-8''" + encoded;
}

}  // namespace smpc::web
