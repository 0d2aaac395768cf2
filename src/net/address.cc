#include "smpc/net/address.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>

#include "smpc/base/error.h"

namespace smpc {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter_or_digit(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c); }

bool is_address(const std::string& host) {
  unsigned char binary[16];
  return ::inet_pton(AF_INET, host.c_str(), binary) == 1 || ::inet_pton(AF_INET6, host.c_str(), binary) == 1;
}

// What people write where a host is asked for.
std::string more_than_a_host(std::string_view host) {
  const auto colon = host.rfind(':');
  if (host.find('/') != host.npos) return "a URL or a path: give the host in it alone";
  if (host.front() == '[') return "brackets: give the address without them, and without a port";
  if (colon == host.npos) return {};
  const bool port = host.find(':') == colon && std::all_of(host.begin() + static_cast<std::ptrdiff_t>(colon) + 1, host.end(), is_digit);
  return port ? "a host with a port: give the host alone" : "a colon, and no IPv6 address: give a host name or an IP address";
}

std::string label_problem(std::string_view label) {
  if (label.empty()) return "an empty part between dots: give a host name or an IP address";
  if (label.size() > 63) return "a part of more than 63 characters: give a host name";
  for (const char c : label) {
    if (static_cast<unsigned char>(c) >= 0x80) return "letters beyond ASCII: give the name's ASCII form, xn--..., which idn2 prints";
    if (c == '*') return "a wildcard that is not the whole first part of a name: give one as in *.example.org";
    if (!is_letter_or_digit(c) && c != '-') return "a character that no host name has: names are of letters, digits, - and dots";
  }
  if (label.front() == '-' || label.back() == '-') return "a part that begins or ends with -: give a host name";
  return {};
}

}  // namespace

std::string host_problem(std::string_view host, bool wildcard) {
  if (host.empty()) return "nothing: give a host name or an IP address";
  if (host.find('\0') == host.npos && is_address(std::string(host))) return {};
  if (std::string more = more_than_a_host(host); !more.empty()) return more;
  if (host.size() > 253) return "a name of more than 253 characters: give a host name";
  if (host.back() == '.') return "a dot at the end: leave it out";
  const bool wild = wildcard && host.starts_with("*.");
  std::string_view rest = wild ? host.substr(2) : host;
  // Nobody takes a wildcard for all of org.
  if (wild && rest.find('.') == rest.npos) return "a wildcard in front of less than two parts: give one as in *.example.org";
  std::string_view label;
  for (bool more = true; more;) {
    const auto dot = rest.find('.');
    label = rest.substr(0, dot);
    more = dot != rest.npos;
    if (more) rest.remove_prefix(dot + 1);
    if (std::string problem = label_problem(label); !problem.empty()) return problem;
  }
  if (std::all_of(label.begin(), label.end(), is_digit)) return "a number at its end, and no IPv4 address: give a host name or an IP address";
  return {};
}

std::string HostPort::text() const {
  const bool v6 = host.find(':') != std::string::npos;
  return (v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

HostPort parse_host_port(std::string_view text) {
  const auto refuse = [&]() {
    fail_usage("expected HOST:PORT, as in 127.0.0.1:7200, localhost:7200 or [::1]:7200, found '" + std::string(text) +
               "'");
  };
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0) refuse();
  std::string_view host = text.substr(0, colon);
  const std::string_view digits = text.substr(colon + 1);
  if (host.front() == '[') {
    if (host.back() != ']' || host.size() < 3) refuse();
    host = host.substr(1, host.size() - 2);
  } else if (host.find(':') != std::string_view::npos) {
    refuse();
  }
  HostPort out{std::string(host), 0};
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), out.port);
  if (error != std::errc() || end != digits.data() + digits.size()) refuse();
  return out;
}

}  // namespace smpc
