// Bits of many values, one bit each, packed 64 to a word: the bit-sliced form in which comparisons run.
// Bits past size() are always zero.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "smpc/base/bytes.h"
#include "smpc/base/secret.h"

namespace smpc {

class BitVector {
 public:
  BitVector() = default;
  explicit BitVector(std::size_t size) : size_(size), words_((size + 63) / 64) {}

  std::size_t size() const noexcept { return size_; }
  std::span<std::uint64_t> words() noexcept { return words_; }
  std::span<const std::uint64_t> words() const noexcept { return words_; }
  std::uint64_t get(std::size_t i) const noexcept { return (words_[i / 64] >> (i % 64)) & 1; }
  // The bit at i must still be zero.
  void put(std::size_t i, std::uint64_t bit) noexcept { words_[i / 64] |= bit << (i % 64); }

  BitVector& operator^=(const BitVector& other) noexcept;
  BitVector& operator&=(const BitVector& other) noexcept;
  friend BitVector operator^(BitVector a, const BitVector& b) noexcept { return a ^= b; }
  friend BitVector operator&(BitVector a, const BitVector& b) noexcept { return a &= b; }
  void flip() noexcept;  // every bit

  // Packed as on the wire: ceil(size/8) bytes, padding bits zero.
  std::size_t byte_count() const noexcept { return (size_ + 7) / 8; }
  void write(std::span<std::byte> out) const;
  static BitVector read(ByteView in, std::size_t size);  // peer error when a padding bit is set

  // Sets bits [at, at + part.size()) from another vector; those bits must still be zero.
  void place(std::size_t at, const BitVector& part);

 private:
  std::size_t size_ = 0;
  SecretVector<std::uint64_t> words_;
};

// Swaps the bits of a and b where that of `where` is set.
void swap_where(const BitVector& where, BitVector& a, BitVector& b) noexcept;

// Bit `bit` of every value; bits first .. first + count - 1 of every value.
BitVector bit_slice(std::span<const std::uint64_t> values, unsigned bit);
std::vector<BitVector> bit_slices(std::span<const std::uint64_t> values, unsigned first, unsigned count);

}  // namespace smpc
