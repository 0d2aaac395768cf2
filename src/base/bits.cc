#include "smpc/base/bits.h"

#include <cstring>

#include "smpc/base/error.h"
#include "smpc/base/wide.h"

namespace smpc {
namespace {

std::uint64_t load64(const std::byte* p, std::size_t available) {
  std::uint64_t v = 0;
  std::memcpy(&v, p, available < 8 ? available : 8);
  return v;
}

}  // namespace

void pack_bits(std::span<const std::uint64_t> in, unsigned bits, std::span<std::byte> out) {
  SMPC_CHECK(out.size() == packed_bytes(in.size(), bits));
  u128 hold = 0;
  unsigned held = 0;
  std::byte* p = out.data();
  for (const std::uint64_t v : in) {
    hold |= static_cast<u128>(v & low_mask(bits)) << held;
    held += bits;
    if (held >= 64) {
      const auto word = static_cast<std::uint64_t>(hold);
      std::memcpy(p, &word, 8);
      p += 8;
      hold >>= 64;
      held -= 64;
    }
  }
  const auto word = static_cast<std::uint64_t>(hold);
  if (held > 0) std::memcpy(p, &word, (held + 7) / 8);
}

void unpack_range(ByteView in, unsigned bits, std::size_t first, std::span<std::uint64_t> out) {
  const std::uint64_t mask = low_mask(bits);
  std::size_t at = first * bits;
  std::size_t done = 0;
  // Up to 57 bits lie within the eight bytes from the one in which they begin.
  if (bits > 0 && bits <= 57) {
    for (; done < out.size() && at / 8 + 8 <= in.size(); ++done, at += bits) {
      std::uint64_t word = 0;
      std::memcpy(&word, in.data() + at / 8, 8);
      out[done] = (word >> (at % 8)) & mask;
    }
  }
  for (std::uint64_t& v : out.subspan(done)) {
    const std::size_t byte = at / 8;
    const unsigned shift = at % 8;
    std::uint64_t word = bits == 0 ? 0 : load64(in.data() + byte, in.size() - byte) >> shift;
    if (shift + bits > 64) word |= static_cast<std::uint64_t>(in[byte + 8]) << (64 - shift);
    v = word & mask;
    at += bits;
  }
}

void unpack_bits(ByteView in, unsigned bits, std::span<std::uint64_t> out) {
  check_padding(in, bits, out.size());
  unpack_range(in, bits, 0, out);
}

void check_padding(ByteView in, unsigned bits, std::size_t count) {
  SMPC_CHECK(in.size() == packed_bytes(count, bits));
  const unsigned used = (count * bits) % 8;
  if (used != 0 && (std::to_integer<unsigned>(in.back()) >> used) != 0) {
    fail_peer("a packed message: expected zero padding bits, found ones");
  }
}

}  // namespace smpc
