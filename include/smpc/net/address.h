// HOST:PORT, as command lines write it: "127.0.0.1:7200", "localhost:7200", "[::1]:7200".
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace smpc {

struct HostPort {
  std::string host;  // a name or an address, without brackets
  std::uint16_t port = 0;
  std::string text() const;  // the form above
  friend bool operator==(const HostPort&, const HostPort&) = default;
};

// What keeps `host` from being a host name or an IP address that a certificate can be for, and what to do, to go after
// "found 'HOST', "; empty where it is one. A name's labels hold A-Z a-z 0-9 and inner hyphens (RFC 952, 1123), a name of
// other letters stands in its ASCII form, xn--... (RFC 5280, 7.2). With `wildcard`, the leftmost label may be * (RFC 6125).
std::string host_problem(std::string_view host, bool wildcard = false);

// Throws a usage error that shows the form expected.
HostPort parse_host_port(std::string_view text);

}  // namespace smpc
