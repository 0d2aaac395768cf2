#include "smpc/ring/fields.h"

#include "smpc/base/error.h"

namespace smpc {

void FieldWriter::bits(const BitVector& v) {
  const std::size_t at = out_.size();
  out_.resize(at + v.byte_count());
  v.write(std::span(out_).subspan(at));
}

void FieldWriter::values(Ring ring, std::span<const std::uint64_t> v) {
  const std::size_t at = out_.size();
  out_.resize(at + ring_field_bytes(v.size(), ring));
  pack_bits(v, ring.bits, std::span(out_).subspan(at));
}

BitVector FieldReader::bits(std::size_t count) {
  const std::size_t size = bit_field_bytes(count);
  SMPC_CHECK(size <= in_.size());
  BitVector v = BitVector::read(in_.first(size), count);
  in_ = in_.subspan(size);
  return v;
}

ByteView FieldReader::packed(std::size_t count, Ring ring) {
  const std::size_t size = ring_field_bytes(count, ring);
  SMPC_CHECK(size <= in_.size());
  const ByteView field = in_.first(size);
  check_padding(field, ring.bits, count);
  in_ = in_.subspan(size);
  return field;
}

RingVector FieldReader::values(std::size_t count, Ring ring) {
  RingVector v(count);
  unpack_range(packed(count, ring), ring.bits, 0, v);
  return v;
}

}  // namespace smpc
