#include "resolve.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>

#include <cstring>
#include <future>
#include <thread>

#include "smpc/net/tls.h"

namespace smpc {
namespace {

struct Lookup {
  int error = 0;
  std::vector<SocketAddress> found;
};

Lookup look_up(const std::string& host, const std::string& port, int flags) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = flags | AI_NUMERICSERV;
  addrinfo* list = nullptr;
  Lookup out;
  out.error = ::getaddrinfo(host.c_str(), port.c_str(), &hints, &list);
  if (out.error != 0) return out;
  for (const addrinfo* a = list; a != nullptr; a = a->ai_next) {
    SocketAddress address;
    std::memcpy(&address.storage, a->ai_addr, a->ai_addrlen);
    address.length = a->ai_addrlen;
    out.found.push_back(address);
  }
  ::freeaddrinfo(list);
  return out;
}

}  // namespace

std::uint16_t SocketAddress::port() const noexcept {
  if (storage.ss_family == AF_INET6) {
    sockaddr_in6 in{};
    std::memcpy(&in, &storage, sizeof in);
    return ntohs(in.sin6_port);
  }
  sockaddr_in in{};
  std::memcpy(&in, &storage, sizeof in);
  return ntohs(in.sin_port);
}

std::string SocketAddress::text() const {
  char host[NI_MAXHOST] = "?";
  ::getnameinfo(get(), length, host, sizeof host, nullptr, 0, NI_NUMERICHOST);
  return HostPort{host, port()}.text();
}

std::vector<SocketAddress> resolve(const HostPort& where, Deadline deadline) {
  const std::string port = std::to_string(where.port);
  Lookup lookup = look_up(where.host, port, AI_NUMERICHOST);
  if (lookup.error != 0) {
    // getaddrinfo cannot be cancelled, so a thread of its own is left behind when it outlasts the deadline.
    std::promise<Lookup> promise;
    auto future = promise.get_future();
    std::thread([promise = std::move(promise), host = where.host, port]() mutable {
      promise.set_value(look_up(host, port, 0));
    }).detach();
    if (future.wait_until(deadline) != std::future_status::ready) {
      throw NobodyListens(where.text() + ": expected the address of the host before the deadline, found no answer");
    }
    lookup = future.get();
  }
  if (lookup.error != 0 || lookup.found.empty()) {
    throw NobodyListens(where.text() + ": expected a host that has an address, found none (" +
                        ::gai_strerror(lookup.error) + "): check the name");
  }
  return lookup.found;
}

}  // namespace smpc
