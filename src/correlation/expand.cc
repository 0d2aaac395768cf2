#include "expand.h"

#include <bit>

#include "smpc/base/error.h"
#include "smpc/crypto/kdf.h"
#include "smpc/ring/kernels.h"

namespace smpc {
namespace {

// [v < digit] for v = 0 .. 2^bits - 2, from the digit's bits, the lowest first: with a higher bit h, the thermometer T
// becomes h | T, h, h & T.
std::vector<BitVector> thermometer(std::span<const BitVector> digit) {
  std::vector<BitVector> t;
  for (const BitVector& h : digit) {
    const std::size_t half = t.size();
    t.push_back(h);
    for (std::size_t v = 0; v < half; ++v) {
      t.push_back(h & t[v]);
      t[v] ^= h ^ t.back();
    }
  }
  return t;
}

std::uint64_t bit(const BitVector& a, const BitVector& b, std::size_t i) { return a.get(i) ^ b.get(i); }

}  // namespace

Key SeedReader::next() {
  ByteWriter context;
  context.u64(demand_);
  context.u32(field_++);
  return derive_key(seed_, "correlation", context.data());
}

BitVector SeedReader::bits(std::size_t count) {
  BitVector v(count);
  Prg(next()).fill(v.words());
  if (count % 64 != 0) v.words().back() &= low_mask(count % 64);
  return v;
}

std::vector<BitVector> SeedReader::bits(std::size_t count, std::size_t vectors) {
  std::vector<BitVector> out;
  out.reserve(vectors);
  Prg prg(next());
  for (std::size_t i = 0; i < vectors; ++i) {
    BitVector& v = out.emplace_back(count);
    prg.fill(v.words());
    if (count % 64 != 0) v.words().back() &= low_mask(count % 64);
  }
  return out;
}

RingVector SeedReader::values(std::size_t count, Ring ring) {
  RingVector v(count);
  Prg(next()).fill(std::span<std::uint64_t>(v));
  reduce_all(drawn_from(ring), v);
  return v;
}

OtSender expand_ot_sender(const OtDemand& d, SeedReader seed) {
  return {seed.bits(d.count, (std::size_t{1} << d.choice_bits) * d.message_bits)};
}

OtReceiver expand_ot_receiver(const OtDemand& d, SeedReader seed) { return {seed.bits(d.count, d.choice_bits), {}}; }

AndShare expand(const AndDemand& d, Party party, SeedReader seed) {
  AndShare s;
  s.masks = seed.bits(d.count, d.inputs);
  if (party == Party::server) s.products = seed.bits(d.count, d.products.size());
  return s;
}

SharedBitShare expand(const SharedBitDemand& d, Party party, SeedReader seed) {
  SharedBitShare s;
  s.bit = seed.bits(d.count);
  if (party == Party::server) s.value = seed.values(d.count, d.ring);
  return s;
}

BitProductShare expand(const BitProductDemand& d, Party party, SeedReader seed) {
  BitProductShare s;
  s.bit = seed.bits(d.count);
  s.mask = seed.values(d.count, d.ring);
  if (party == Party::server) {
    s.bit_value = seed.values(d.count, d.ring);
    s.product = seed.values(d.count, d.ring);
  }
  return s;
}

PrivateBitsShare expand(const PrivateBitsDemand& d, Party party, SeedReader seed) {
  PrivateBitsShare s;
  s.bit = seed.bits(d.count);
  if (party == Party::server) s.product = seed.values(d.count, d.ring);
  return s;
}

OpeningShare expand(const OpeningDemand& d, Party party, SeedReader seed) {
  OpeningShare s;
  s.bits = expand_opening_bits(d, seed);
  if (d.select) s.bit = seed.bits(d.count);
  if (party == Party::client) return s;
  s.thermometers = seed.bits(d.count, corrected_thermometer_bits(d));
  if (!d.carried) s.r = seed.values(d.count, d.ring);
  if (d.out.bits > 0) s.shifted = seed.values(d.count, d.out);
  if (d.top.bits > 0) s.top = seed.values(d.count, d.top);
  if (!d.select) return s;
  s.bit_value = seed.values(d.count, d.out);
  s.bit_shifted = seed.values(d.count, d.out);
  if (d.top.bits > 0) s.bit_top = seed.values(d.count, d.top);
  return s;
}

ProductShare expand(const ProductDemand& d, Party party, SeedReader seed) {
  ProductShare s;
  s.left = seed.values(d.shape.left(), d.ring);
  s.right = seed.values(d.shape.right(), d.ring);
  if (party == Party::server) s.product = seed.values(d.shape.outputs(), d.ring);
  return s;
}

LookupShare expand(const LookupDemand& d, Party party, SeedReader seed) {
  LookupShare s;
  s.r = seed.values(d.count, Ring{d.bits});
  if (party == Party::server) s.one_hot = seed.values(d.entries(), d.ring);
  return s;
}

RingVector expand_opening_bits(const OpeningDemand& d, SeedReader& seed) { return seed.values(d.count, d.ring); }

LinearServer expand_linear_server(const LinearDemand& d, SeedReader seed) { return {seed.values(d.outputs, d.ring)}; }
LinearClient expand_linear_client(const LinearDemand& d, SeedReader seed) { return {seed.values(d.inputs, d.ring), {}}; }

void correct(const OtDemand& d, const OtSender& server, OtReceiver& client) {
  // The chosen string, by halving the table once per choice bit, the highest first.
  std::vector<BitVector> table = server.strings;
  for (unsigned j = d.choice_bits; j-- > 0;) {
    const std::size_t half = table.size() / 2;
    for (std::size_t v = 0; v < half; ++v) table[v] ^= (table[v] ^ table[v + half]) & client.choice[j];
    table.resize(half);
  }
  client.string = std::move(table);
}

void correct(const AndDemand& d, const AndShare& server, AndShare& client) {
  client.products.clear();
  for (std::size_t p = 0; p < d.products.size(); ++p) {
    BitVector product(d.count);
    product.flip();
    for (unsigned i = 0; i < d.inputs; ++i) {
      if ((d.products[p] >> i) & 1) product &= server.masks[i] ^ client.masks[i];
    }
    client.products.push_back(product ^ server.products[p]);
  }
}

void correct(const SharedBitDemand& d, const SharedBitShare& server, SharedBitShare& client) {
  client.value.resize(d.count);
  for (std::size_t i = 0; i < d.count; ++i) {
    client.value[i] = d.ring.reduce(bit(server.bit, client.bit, i) - server.value[i]);
  }
}

void correct(const BitProductDemand& d, const BitProductShare& server, BitProductShare& client) {
  client.bit_value.resize(d.count);
  client.product.resize(d.count);
  for (std::size_t i = 0; i < d.count; ++i) {
    const std::uint64_t b = bit(server.bit, client.bit, i);
    client.bit_value[i] = d.ring.reduce(b - server.bit_value[i]);
    client.product[i] = d.ring.reduce(b * (server.mask[i] + client.mask[i]) - server.product[i]);
  }
}

void correct(const PrivateBitsDemand& d, const PrivateBitsShare& server, PrivateBitsShare& client) {
  client.product.resize(d.count);
  for (std::size_t i = 0; i < d.count; ++i) {
    client.product[i] = d.ring.reduce((server.bit.get(i) & client.bit.get(i)) - server.product[i]);
  }
}

void correct(const OpeningDemand& d, const OpeningShare& server, OpeningShare& client) {
  RingVector r(server.bits);
  for (std::size_t i = 0; i < d.count; ++i) r[i] ^= client.bits[i];
  client.thermometers.clear();
  const std::vector<BitVector> bits = bit_slices(r, 0, d.ring.bits);
  for (const BitRange digit : d.digits) {
    std::vector<BitVector> entries = thermometer(std::span(bits).subspan(digit.first, digit.bits));
    for (std::size_t v = 0; v < entries.size(); ++v) {
      if (!std::has_single_bit(v + 1)) client.thermometers.push_back(std::move(entries[v]));
    }
  }
  for (std::size_t v = 0; v < client.thermometers.size(); ++v) client.thermometers[v] ^= server.thermometers[v];

  // The client's share of f(i), for every value.
  const auto share = [&](Ring ring, const RingVector& servers, auto f) {
    RingVector out(d.count);
    for (std::size_t i = 0; i < d.count; ++i) out[i] = ring.reduce(f(i) - servers[i]);
    return out;
  };
  if (!d.carried) client.r = share(d.ring, server.r, [&](std::size_t i) { return r[i]; });
  const auto shifted = [&](std::size_t i) { return r[i] >> d.shift; };
  const auto top = [&](std::size_t i) { return d.ring.msb(r[i]); };
  if (d.out.bits > 0) client.shifted = share(d.out, server.shifted, shifted);
  if (d.top.bits > 0) client.top = share(d.top, server.top, top);
  if (!d.select) return;
  const auto delta = [&](std::size_t i) { return bit(server.bit, client.bit, i); };
  client.bit_value = share(d.out, server.bit_value, delta);
  client.bit_shifted = share(d.out, server.bit_shifted, [&](std::size_t i) { return delta(i) * shifted(i); });
  if (d.top.bits > 0) client.bit_top = share(d.top, server.bit_top, [&](std::size_t i) { return delta(i) & top(i); });
}

void correct(const ProductDemand& d, const ProductShare& server, ProductShare& client) {
  RingVector left(server.left);
  RingVector right(server.right);
  for (std::size_t i = 0; i < left.size(); ++i) left[i] += client.left[i];
  for (std::size_t i = 0; i < right.size(); ++i) right[i] += client.right[i];
  client.product.assign(d.shape.outputs(), 0);
  accumulate_matrices(d.shape.batch, d.shape.rows, d.shape.inner, d.shape.columns, left, right, client.product);
  for (std::size_t i = 0; i < client.product.size(); ++i) {
    client.product[i] = d.ring.reduce(client.product[i] - server.product[i]);
  }
}

void correct(const LookupDemand& d, const LookupShare& server, LookupShare& client) {
  client.one_hot.resize(d.entries());
  for (std::size_t i = 0; i < d.count; ++i) {
    const std::uint64_t r = Ring{d.bits}.reduce(server.r[i] + client.r[i]);
    for (std::size_t v = 0; v < std::size_t{1} << d.bits; ++v) {
      const std::size_t at = i << d.bits | v;
      const std::uint64_t difference = v ^ r;
      const std::uint64_t equal = (difference - 1) >> 63;  // of less than 2^63: 1 where it is 0
      client.one_hot[at] = d.ring.reduce(equal - server.one_hot[at]);
    }
  }
}

void complete_thermometers(const OpeningDemand& d, OpeningShare& share) {
  const std::vector<BitVector> bits = bit_slices(share.bits, 0, d.ring.bits);
  std::vector<BitVector> all;
  all.reserve(thermometer_bits(d));
  auto corrected = share.thermometers.begin();
  for (const BitRange digit : d.digits) {
    const std::size_t from = all.size();
    const std::size_t values = std::size_t{1} << digit.bits;
    for (std::size_t v = 0; v + 1 < values; ++v) {
      all.push_back(std::has_single_bit(v + 1) ? BitVector() : std::move(*corrected++));
    }
    for (unsigned j = digit.bits; j-- > 0;) {
      BitVector& entry = all[from + (std::size_t{1} << j) - 1];
      entry = bits[digit.first + j];
      for (std::size_t k = 2; k << j < values; ++k) entry ^= all[from + (k << j) - 1];
    }
  }
  share.thermometers = std::move(all);
  share.bits = {};
}

}  // namespace smpc
