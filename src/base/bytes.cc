#include "smpc/base/bytes.h"

#include <bit>

#include "smpc/base/error.h"

namespace smpc {
namespace {

template <class T>
void put(Bytes& out, T v) {
  for (std::size_t i = 0; i < sizeof(T); ++i) out.push_back(static_cast<std::byte>(v >> (8 * i)));
}

template <class T>
T get(ByteView b) {
  T v = 0;
  for (std::size_t i = 0; i < sizeof(T); ++i) v |= static_cast<T>(static_cast<T>(b[i]) << (8 * i));
  return v;
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

}  // namespace

ByteView as_bytes(std::string_view text) noexcept { return std::as_bytes(std::span(text.data(), text.size())); }

std::string_view as_text(ByteView bytes) noexcept {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::string to_hex(ByteView bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string out;
  out.reserve(2 * bytes.size());
  for (const std::byte b : bytes) {
    out.push_back(digits[std::to_integer<unsigned>(b) >> 4]);
    out.push_back(digits[std::to_integer<unsigned>(b) & 15]);
  }
  return out;
}

Bytes from_hex(std::string_view hex) {
  if (hex.size() % 2 != 0) fail_input("hexadecimal text: expected an even number of digits");
  Bytes out;
  out.reserve(hex.size() / 2);
  for (std::size_t i = 0; i < hex.size(); i += 2) {
    const int hi = hex_digit(hex[i]);
    const int lo = hex_digit(hex[i + 1]);
    if (hi < 0 || lo < 0) fail_input("hexadecimal text: expected only 0-9 and a-f");
    out.push_back(static_cast<std::byte>(hi * 16 + lo));
  }
  return out;
}

void ByteWriter::u8(std::uint8_t v) { put(data_, v); }
void ByteWriter::u32(std::uint32_t v) { put(data_, v); }
void ByteWriter::u64(std::uint64_t v) { put(data_, v); }
void ByteWriter::i64(std::int64_t v) { put(data_, static_cast<std::uint64_t>(v)); }
void ByteWriter::f64(double v) { put(data_, std::bit_cast<std::uint64_t>(v)); }

void ByteWriter::text(std::string_view v) {
  SMPC_CHECK(v.size() <= UINT32_MAX);
  u32(static_cast<std::uint32_t>(v.size()));
  bytes(as_bytes(v));
}

void ByteWriter::bytes(ByteView v) { data_.insert(data_.end(), v.begin(), v.end()); }

ByteReader::ByteReader(ByteView data, std::string what) : data_(data), what_(std::move(what)) {}

ByteView ByteReader::bytes(std::size_t count) {
  if (count > data_.size()) {
    fail_input(what_ + ": ends early: expected " + std::to_string(count) + " more bytes, found " +
               std::to_string(data_.size()));
  }
  const ByteView out = data_.first(count);
  data_ = data_.subspan(count);
  return out;
}

std::uint8_t ByteReader::u8() { return get<std::uint8_t>(bytes(1)); }
std::uint32_t ByteReader::u32() { return get<std::uint32_t>(bytes(4)); }
std::uint64_t ByteReader::u64() { return get<std::uint64_t>(bytes(8)); }
std::int64_t ByteReader::i64() { return static_cast<std::int64_t>(u64()); }
double ByteReader::f64() { return std::bit_cast<double>(u64()); }

std::string ByteReader::text(std::size_t longest) {
  const std::uint32_t n = u32();
  if (n > longest) {
    fail_input(what_ + ": a text of " + std::to_string(n) + " bytes, expected at most " + std::to_string(longest));
  }
  return std::string(as_text(bytes(n)));
}

std::size_t ByteReader::count(std::size_t element_bytes) {
  const std::uint32_t n = u32();
  if (static_cast<std::uint64_t>(n) * element_bytes > data_.size()) {
    fail_input(what_ + ": claims " + std::to_string(n) + " elements, more than its bytes can hold");
  }
  return n;
}

void ByteReader::expect_end() const {
  if (!data_.empty()) fail_input(what_ + ": " + std::to_string(data_.size()) + " bytes after its end");
}

}  // namespace smpc
