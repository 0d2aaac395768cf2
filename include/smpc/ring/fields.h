// Messages and corrections are sequences of fields: so many bits, or so many ring elements, packed and padded to a whole
// byte each. Reading checks that padding bits are zero (a peer error); lengths have been checked by whoever read them.
#pragma once

#include "smpc/ring/bit_vector.h"
#include "smpc/ring/ring.h"

namespace smpc {

constexpr std::size_t bit_field_bytes(std::size_t count) noexcept { return packed_bytes(count, 1); }
constexpr std::size_t ring_field_bytes(std::size_t count, Ring ring) noexcept { return packed_bytes(count, ring.bits); }

class FieldWriter {
 public:
  explicit FieldWriter(Bytes& out) : out_(out) {}
  void bits(const BitVector& v);
  void values(Ring ring, std::span<const std::uint64_t> v);  // reduced

 private:
  Bytes& out_;
};

class FieldReader {
 public:
  explicit FieldReader(ByteView in) : in_(in) {}
  BitVector bits(std::size_t count);
  RingVector values(std::size_t count, Ring ring);
  // The field as it was sent, its padding checked.
  ByteView packed(std::size_t count, Ring ring);
  std::size_t left() const noexcept { return in_.size(); }

 private:
  ByteView in_;
};

}  // namespace smpc
