// Each correlation has a part that its holder expands from a seed, and, on the client's side, a part that depends on
// both seeds: the correction, which the dealer computes and sends. Three overloads per type say which is which.
//
// Every field has a PRG key of its own: derive_key(seed, "correlation", demand index || field).
#pragma once

#include <algorithm>

#include "smpc/base/bits.h"
#include "smpc/base/sabotage.h"
#include "smpc/correlation/plan.h"
#include "smpc/correlation/shares.h"
#include "smpc/correlation/source.h"
#include "smpc/crypto/prg.h"
#include "smpc/ring/fields.h"

namespace smpc {

// What masks in a ring are drawn from: all of it.
inline Ring drawn_from(Ring ring) noexcept {
  return sabotaged(Sabotage::half_width_mask) ? Ring{(ring.bits + 1) / 2} : ring;
}

class SeedReader {
 public:
  SeedReader(const Key& seed, std::size_t demand) : seed_(seed), demand_(demand) {}
  BitVector bits(std::size_t count);
  std::vector<BitVector> bits(std::size_t count, std::size_t vectors);
  RingVector values(std::size_t count, Ring ring);
  // What the next call of values() would read, to be read in parts; the caller reduces to drawn_from(ring).
  Prg stream() { return Prg(next()); }

 private:
  Key next();
  const Key& seed_;
  std::size_t demand_;
  std::uint32_t field_ = 0;
};

// The part from a seed. On the client's side the corrected fields are left empty.
OtSender expand_ot_sender(const OtDemand& d, SeedReader seed);
OtReceiver expand_ot_receiver(const OtDemand& d, SeedReader seed);
AndShare expand(const AndDemand& d, Party party, SeedReader seed);
SharedBitShare expand(const SharedBitDemand& d, Party party, SeedReader seed);
BitProductShare expand(const BitProductDemand& d, Party party, SeedReader seed);
PrivateBitsShare expand(const PrivateBitsDemand& d, Party party, SeedReader seed);
OpeningShare expand(const OpeningDemand& d, Party party, SeedReader seed);
ProductShare expand(const ProductDemand& d, Party party, SeedReader seed);
LookupShare expand(const LookupDemand& d, Party party, SeedReader seed);
RingVector expand_opening_bits(const OpeningDemand& d, SeedReader& seed);  // of either party: its first field
LinearServer expand_linear_server(const LinearDemand& d, SeedReader seed);
LinearClient expand_linear_client(const LinearDemand& d, SeedReader seed);

// The dealer: fills the client's corrected fields, given both parts.
void correct(const OtDemand& d, const OtSender& server, OtReceiver& client);
void correct(const AndDemand& d, const AndShare& server, AndShare& client);
void correct(const SharedBitDemand& d, const SharedBitShare& server, SharedBitShare& client);
void correct(const BitProductDemand& d, const BitProductShare& server, BitProductShare& client);
void correct(const PrivateBitsDemand& d, const PrivateBitsShare& server, PrivateBitsShare& client);
void correct(const OpeningDemand& d, const OpeningShare& server, OpeningShare& client);
void correct(const ProductDemand& d, const ProductShare& server, ProductShare& client);
void correct(const LookupDemand& d, const LookupShare& server, LookupShare& client);

// Either party: from the corrected entries of the thermometers and from the bits of r, which are used up, all entries.
// Bit j of a digit is the parity of the entries [v < digit] with v + 1 a multiple of 2^j, so that the entry v = 2^j - 1
// is the sum of that bit and of the others.
void complete_thermometers(const OpeningDemand& d, OpeningShare& share);

// Writes the corrected fields, or reads them, in their order. Lengths are those of correction_bytes().
class WriteFields {
 public:
  explicit WriteFields(Bytes& out) : out_(out) {}
  void bits(std::size_t, const BitVector& v) { out_.bits(v); }
  void values(std::size_t, Ring ring, const RingVector& v) { out_.values(ring, v); }

 private:
  FieldWriter out_;
};

// Little of it at a time is in memory as it is stored.
class ReadFields {
 public:
  ReadFields(const StoredMaterial& bundle, std::size_t from) : bundle_(bundle), at_(from) {}
  void bits(std::size_t count, BitVector& v) { v = FieldReader(next(bit_field_bytes(count))).bits(count); }
  void values(std::size_t count, Ring ring, RingVector& v) {
    constexpr std::size_t at_once = 4096;  // values: whole bytes, in any ring
    v.resize(count);
    for (std::span<std::uint64_t> rest = v; !rest.empty();) {
      const auto part = rest.first(std::min(at_once, rest.size()));
      unpack_range(FieldReader(next(ring_field_bytes(part.size(), ring))).packed(part.size(), ring), ring.bits, 0, part);
      rest = rest.subspan(part.size());
    }
  }

 private:
  ByteView next(std::size_t size) {
    field_.resize(size);
    bundle_.read(at_, field_);
    at_ += size;
    return field_;
  }
  const StoredMaterial& bundle_;
  std::size_t at_;
  SecretBytes field_;
};

template <class Fields>
void corrected_fields(const OtDemand& d, OtReceiver& s, Fields& f) {
  s.string.resize(d.message_bits);
  for (BitVector& v : s.string) f.bits(d.count, v);
}
template <class Fields>
void corrected_fields(const AndDemand& d, AndShare& s, Fields& f) {
  s.products.resize(d.products.size());
  for (BitVector& v : s.products) f.bits(d.count, v);
}
template <class Fields>
void corrected_fields(const SharedBitDemand& d, SharedBitShare& s, Fields& f) {
  f.values(d.count, d.ring, s.value);
}
template <class Fields>
void corrected_fields(const BitProductDemand& d, BitProductShare& s, Fields& f) {
  f.values(d.count, d.ring, s.bit_value);
  f.values(d.count, d.ring, s.product);
}
template <class Fields>
void corrected_fields(const PrivateBitsDemand& d, PrivateBitsShare& s, Fields& f) {
  f.values(d.count, d.ring, s.product);
}
template <class Fields>
void corrected_fields(const OpeningDemand& d, OpeningShare& s, Fields& f) {
  s.thermometers.resize(corrected_thermometer_bits(d));
  for (BitVector& v : s.thermometers) f.bits(d.count, v);
  if (!d.carried) f.values(d.count, d.ring, s.r);
  if (d.out.bits > 0) f.values(d.count, d.out, s.shifted);
  if (d.top.bits > 0) f.values(d.count, d.top, s.top);
  if (!d.select) return;
  f.values(d.count, d.out, s.bit_value);
  f.values(d.count, d.out, s.bit_shifted);
  if (d.top.bits > 0) f.values(d.count, d.top, s.bit_top);
}
template <class Fields>
void corrected_fields(const ProductDemand& d, ProductShare& s, Fields& f) {
  f.values(d.shape.outputs(), d.ring, s.product);
}
template <class Fields>
void corrected_fields(const LookupDemand& d, LookupShare& s, Fields& f) {
  f.values(d.entries(), d.ring, s.one_hot);
}
template <class Fields>
void corrected_fields(const LinearDemand& d, LinearClient& s, Fields& f) {
  f.values(d.outputs, d.ring, s.output);
}

}  // namespace smpc
