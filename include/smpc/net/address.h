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

// Throws a usage error that shows the form expected.
HostPort parse_host_port(std::string_view text);

}  // namespace smpc
