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
  for (std::uint64_t& v : out) {
    const std::size_t byte = at / 8;
    const unsigned shift = at % 8;
    std::uint64_t word = bits == 0 ? 0 : load64(in.data() + byte, in.size() - byte) >> shift;
    if (shift + bits > 64) word |= static_cast<std::uint64_t>(in[byte + 8]) << (64 - shift);
    v = word & mask;
    at += bits;
  }
}

void unpack_bits(ByteView in, unsigned bits, std::span<std::uint64_t> out) {
  SMPC_CHECK(in.size() == packed_bytes(out.size(), bits));
  unpack_range(in, bits, 0, out);
  const unsigned used = (out.size() * bits) % 8;
  if (used != 0 && (std::to_integer<unsigned>(in.back()) >> used) != 0) {
    fail_peer("a packed message: expected zero padding bits, found ones");
  }
}

void BitWriter::put(std::uint64_t value, unsigned bits) {
  value &= low_mask(bits);
  while (bits > 0) {
    const unsigned take = bits < 8 - held_ ? bits : 8 - held_;
    hold_ |= (value & low_mask(take)) << held_;
    held_ += take;
    bits -= take;
    value = take == 64 ? 0 : value >> take;
    if (held_ == 8) {
      out_.push_back(static_cast<std::byte>(hold_));
      hold_ = 0;
      held_ = 0;
    }
  }
}

void BitWriter::align() {
  if (held_ > 0) put(0, 8 - held_);
}

std::uint64_t BitReader::get(unsigned bits) {
  std::uint64_t value = 0;
  unsigned done = 0;
  while (done < bits) {
    if (held_ == 0) {
      SMPC_CHECK(!in_.empty());
      hold_ = std::to_integer<std::uint64_t>(in_.front());
      in_ = in_.subspan(1);
      held_ = 8;
    }
    const unsigned take = bits - done < held_ ? bits - done : held_;
    value |= (hold_ & low_mask(take)) << done;
    hold_ >>= take;
    held_ -= take;
    done += take;
  }
  return value;
}

void BitReader::align() {
  if (hold_ != 0) fail_peer("a packed message: expected zero padding bits, found ones");
  held_ = 0;
}

}  // namespace smpc
