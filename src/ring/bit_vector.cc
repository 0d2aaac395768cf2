#include "smpc/ring/bit_vector.h"

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

BitVector bit_slice(std::span<const std::uint64_t> values, unsigned bit) {
  BitVector out(values.size());
  const auto words = out.words();
  for (std::size_t i = 0; i < values.size(); ++i) words[i / 64] |= ((values[i] >> bit) & 1) << (i % 64);
  return out;
}

}  // namespace smpc
