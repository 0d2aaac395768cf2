#include "smpc/ring/bit_vector.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "smpc/base/bits.h"
#include "smpc/base/error.h"

namespace smpc {

BitVector& BitVector::operator^=(const BitVector& other) noexcept {
  SMPC_CHECK(size_ == other.size_);
  for (std::size_t i = 0; i < words_.size(); ++i) words_[i] ^= other.words_[i];
  return *this;
}

BitVector& BitVector::operator&=(const BitVector& other) noexcept {
  SMPC_CHECK(size_ == other.size_);
  for (std::size_t i = 0; i < words_.size(); ++i) words_[i] &= other.words_[i];
  return *this;
}

void BitVector::flip() noexcept {
  for (std::uint64_t& w : words_) w = ~w;
  if (size_ % 64 != 0) words_.back() &= low_mask(size_ % 64);
}

void BitVector::write(std::span<std::byte> out) const {
  SMPC_CHECK(out.size() == byte_count());
  if (!out.empty()) std::memcpy(out.data(), words_.data(), out.size());
}

BitVector BitVector::read(ByteView in, std::size_t size) {
  BitVector v(size);
  SMPC_CHECK(in.size() == v.byte_count());
  if (!in.empty()) std::memcpy(v.words_.data(), in.data(), in.size());
  if (size % 64 != 0 && (v.words_.back() & ~low_mask(size % 64)) != 0) {
    fail_peer("a packed message: expected zero padding bits, found ones");
  }
  return v;
}

void BitVector::place(std::size_t at, const BitVector& part) {
  SMPC_CHECK(at + part.size() <= size_);
  const unsigned shift = at % 64;
  std::size_t word = at / 64;
  for (const std::uint64_t w : part.words_) {
    words_[word] |= w << shift;
    // The second half is zero where it would lie past the end, since bits past a vector's size are zero.
    if (shift != 0 && word + 1 < words_.size()) words_[word + 1] |= w >> (64 - shift);
    ++word;
  }
}

void swap_where(const BitVector& where, BitVector& a, BitVector& b) noexcept {
  SMPC_CHECK(where.size() == a.size() && where.size() == b.size());
  const auto w = where.words();
  const auto x = a.words();
  const auto y = b.words();
  for (std::size_t i = 0; i < w.size(); ++i) {
    const std::uint64_t swap = (x[i] ^ y[i]) & w[i];
    x[i] ^= swap;
    y[i] ^= swap;
  }
}

namespace {

// Transposes 64 x 64 bits: bit j of word i becomes bit i of word j. Warren, Hacker's Delight, section 7-3.
void transpose(std::span<std::uint64_t, 64> a) noexcept {
  std::uint64_t mask = 0x00000000ffffffff;
  for (unsigned j = 32; j != 0; j >>= 1, mask ^= mask << j) {
    for (unsigned k = 0; k < 64; k = ((k | j) + 1) & ~j) {
      const std::uint64_t t = ((a[k] >> j) ^ a[k | j]) & mask;
      a[k] ^= t << j;
      a[k | j] ^= t;
    }
  }
}

}  // namespace

std::vector<BitVector> bit_slices(std::span<const std::uint64_t> values, unsigned first, unsigned count) {
  SMPC_CHECK(first + count <= 64);
  std::vector<BitVector> out(count, BitVector(values.size()));
  std::array<std::uint64_t, 64> block;
  for (std::size_t from = 0; from < values.size(); from += 64) {
    const std::size_t n = std::min<std::size_t>(64, values.size() - from);
    block.fill(0);
    std::copy_n(values.begin() + static_cast<std::ptrdiff_t>(from), n, block.begin());
    transpose(block);
    for (unsigned j = 0; j < count; ++j) out[j].words()[from / 64] = block[first + j];
  }
  wipe(std::span<std::uint64_t>(block));
  // They are zero already, as XORs that cancel. Who follows secrets bit by bit (tests/constant_time) has to be told.
  if (const unsigned rest = values.size() % 64; rest != 0) {
    for (BitVector& slice : out) slice.words().back() &= low_mask(rest);
  }
  return out;
}

BitVector bit_slice(std::span<const std::uint64_t> values, unsigned bit) {
  BitVector out(values.size());
  const auto words = out.words();
  for (std::size_t from = 0; from < values.size(); from += 64) {
    const std::size_t n = std::min<std::size_t>(64, values.size() - from);
    std::uint64_t word = 0;
    for (std::size_t j = 0; j < n; ++j) word |= ((values[from + j] >> bit) & 1) << j;
    words[from / 64] = word;
  }
  return out;
}

}  // namespace smpc
