// Host names to socket addresses, within a deadline.
#pragma once

#include <sys/socket.h>

#include <string>
#include <vector>

#include "smpc/net/address.h"
#include "smpc/net/channel.h"

namespace smpc {

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t length = 0;
  const sockaddr* get() const noexcept { return reinterpret_cast<const sockaddr*>(&storage); }
  std::string text() const;  // 127.0.0.1:7200, [::1]:7200
  std::uint16_t port() const noexcept;
};

// Every TCP address of the host, in the system's order. Throws NobodyListens when it has none or the lookup takes too
// long.
std::vector<SocketAddress> resolve(const HostPort& where, Deadline deadline);

}  // namespace smpc
