// Z_{2^l}: integers modulo 2^l, 1 <= l <= 64, held reduced in a uint64_t.
// A fixed-point value of scale f stands for signed(x) / 2^f.
#pragma once

#include <cstdint>
#include <span>

#include "smpc/base/bits.h"
#include "smpc/base/secret.h"

namespace smpc {

constexpr unsigned max_ring_bits = 64;

struct Ring {
  unsigned bits = max_ring_bits;

  constexpr std::uint64_t mask() const noexcept { return low_mask(bits); }
  constexpr std::uint64_t reduce(std::uint64_t x) const noexcept { return x & mask(); }
  constexpr std::uint64_t from_signed(std::int64_t x) const noexcept { return reduce(static_cast<std::uint64_t>(x)); }
  // The representative in [-2^(l-1), 2^(l-1)).
  constexpr std::int64_t to_signed(std::uint64_t x) const noexcept {
    const unsigned up = max_ring_bits - bits;
    return static_cast<std::int64_t>(x << up) >> up;
  }
  constexpr std::uint64_t msb(std::uint64_t x) const noexcept { return (x >> (bits - 1)) & 1; }
  friend constexpr bool operator==(Ring, Ring) = default;
};

// Shares, masks and private values of a tensor.
using RingVector = SecretVector<std::uint64_t>;

void reduce_all(Ring ring, std::span<std::uint64_t> values) noexcept;

// The smallest l with -2^(l-1) <= low and high < 2^(l-1): at most 64.
unsigned bits_for(std::int64_t low, std::int64_t high) noexcept;

}  // namespace smpc
