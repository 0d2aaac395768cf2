#include "guard.h"

#include <openssl/crypto.h>

#include <algorithm>
#include <array>

#include "smpc/crypto/random.h"

namespace smpc::web {
namespace {

// In a time that depends on the length alone.
bool same(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace

std::string make_token() {
  constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  std::array<std::byte, 32> random{};
  os_random(random);
  std::string token;
  std::uint32_t bits = 0;
  unsigned held = 0;
  for (const std::byte b : random) {
    bits = bits << 8 | std::to_integer<std::uint32_t>(b);
    held += 8;
    while (held >= 6) {
      held -= 6;
      token += alphabet[bits >> held & 63U];
    }
  }
  return token += alphabet[bits << (6 - held) & 63U];
}

Guard::Guard(std::string token, std::uint16_t port) : token_(std::move(token)) {
  for (const char* host : {"127.0.0.1", "localhost"}) {
    authorities_.push_back(std::string(host) + ":" + std::to_string(port));
    if (port == 80) authorities_.emplace_back(host);  // browsers leave it out
  }
}

bool Guard::is_here(const std::vector<std::string>& values, std::string_view before) const {
  return values.size() == 1 && std::any_of(authorities_.begin(), authorities_.end(), [&](const std::string& authority) {
           return values.front() == std::string(before) + authority;
         });
}

std::optional<std::string> Guard::admit(const Request& request) const {
  const std::string_view target = request.target;
  const std::size_t end = 1 + token_.size();
  if (target.size() <= end || target.front() != '/' || target[end] != '/') return std::nullopt;
  if (!same(target.substr(1, token_.size()), token_)) return std::nullopt;
  if (!is_here(request.hosts, "")) return std::nullopt;
  const bool from_elsewhere = !request.origins.empty() && !is_here(request.origins, "http://");
  if (from_elsewhere || (request.origins.empty() && request.method != "GET")) return std::nullopt;
  return std::string(target.substr(end + 1));
}

}  // namespace smpc::web
