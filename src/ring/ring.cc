#include "smpc/ring/ring.h"

#include <bit>

namespace smpc {

void reduce_all(Ring ring, std::span<std::uint64_t> values) noexcept {
  for (std::uint64_t& v : values) v = ring.reduce(v);
}

unsigned bits_for(std::int64_t low, std::int64_t high) noexcept {
  // A non-negative x needs bit_width(x) + 1 bits; a negative one as many as ~x.
  const auto magnitude = [](std::int64_t x) { return static_cast<std::uint64_t>(x < 0 ? ~x : x); };
  const auto widest = std::bit_width(magnitude(low) | magnitude(high));
  return static_cast<unsigned>(widest) + 1;
}

}  // namespace smpc
