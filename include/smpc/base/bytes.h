// Canonical bytes: fixed little-endian fields, written and read in one order, with every length checked before it is
// believed. What is read back and written again is the same bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace smpc {

using Bytes = std::vector<std::byte>;
using ByteView = std::span<const std::byte>;

ByteView as_bytes(std::string_view text) noexcept;
std::string_view as_text(ByteView bytes) noexcept;

// Lower-case hexadecimal. from_hex throws bad_input on an odd length or another character.
std::string to_hex(ByteView bytes);
Bytes from_hex(std::string_view hex);

class ByteWriter {
 public:
  void u8(std::uint8_t v);
  void u32(std::uint32_t v);
  void u64(std::uint64_t v);
  void i64(std::int64_t v);
  void f64(double v);                  // IEEE-754 bits
  void text(std::string_view v);       // u32 length, then the bytes
  void bytes(ByteView v);              // no length
  const Bytes& data() const noexcept { return data_; }
  Bytes take() noexcept { return std::move(data_); }

 private:
  Bytes data_;
};

// Throws bad_input, naming `what`, when the bytes end early.
class ByteReader {
 public:
  ByteReader(ByteView data, std::string what);
  std::uint8_t u8();
  std::uint32_t u32();
  std::uint64_t u64();
  std::int64_t i64();
  double f64();
  std::string text(std::size_t longest = 1U << 16);
  ByteView bytes(std::size_t count);
  // A count that prefixes elements of at least `element_bytes` each: refused when they cannot be there.
  std::size_t count(std::size_t element_bytes);
  std::size_t left() const noexcept { return data_.size(); }
  void expect_end() const;  // trailing bytes are refused

 private:
  ByteView data_;
  std::string what_;
};

}  // namespace smpc
