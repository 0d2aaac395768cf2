// Ring elements of l bits, packed back to back, least significant bit first. n elements take ceil(n*l/8) bytes;
// the padding bits of the last byte are zero, and reading checks that they are.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "smpc/base/bytes.h"

namespace smpc {

constexpr std::size_t packed_bytes(std::size_t count, unsigned bits) noexcept { return (count * bits + 7) / 8; }

// The low `bits` (0 to 64) ones.
constexpr std::uint64_t low_mask(unsigned bits) noexcept {
  return bits >= 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << bits) - 1;
}

// Elements must be reduced to `bits` bits; out.size() == packed_bytes(in.size(), bits).
void pack_bits(std::span<const std::uint64_t> in, unsigned bits, std::span<std::byte> out);

// Throws a peer error when a padding bit is set; in.size() == packed_bytes(out.size(), bits).
void unpack_bits(ByteView in, unsigned bits, std::span<std::uint64_t> out);

// The check alone, of `count` packed elements.
void check_padding(ByteView in, unsigned bits, std::size_t count);

// Elements first .. first+out.size() of a packed array; no padding check.
void unpack_range(ByteView in, unsigned bits, std::size_t first, std::span<std::uint64_t> out);

}  // namespace smpc
