// Every type is defined by what the two parties end up holding. Both parties' shares, as they come from the dealer, are
// joined, and the relation is checked value by value.
#include <gtest/gtest.h>

#include <random>
#include <set>

#include "smpc/correlation/dealer.h"
#include "smpc/correlation/masks.h"
#include "smpc/correlation/source.h"

namespace smpc {
namespace {

Plan plan_of(std::vector<Demand> demands) {
  Plan plan;
  plan.demands = std::move(demands);
  plan.offsets.push_back(0);
  for (const Demand& d : plan.demands) plan.offsets.push_back(plan.offsets.back() + correction_bytes(d));
  return plan;
}

struct Dealt {
  explicit Dealt(Plan p, std::size_t volumes, const Weights& weights = {}, bool finish = true) : plan(std::move(p)) {
    const Key mask = random_key();
    write_masked_weights(plan, weights, mask, [&](ByteView row) { masked.insert(masked.end(), row.begin(), row.end()); });
    std::vector<BundleSeeds> seeds;
    std::vector<Key> server_seeds;
    for (std::size_t v = 0; v < volumes; ++v) {
      seeds.push_back({random_key(), random_key()});
      server_seeds.push_back(seeds.back().server);
    }
    auto corrections = make_corrections(plan, mask, seeds);
    std::vector<ClientMaterial> material;
    for (std::size_t v = 0; v < volumes; ++v) {
      EXPECT_EQ(corrections[v].size(), plan.correction_bytes());
      material.push_back({seeds[v].client, corrections[v]});
    }
    if (finish) finish_corrections(plan, masked, material);
    server = server_source(plan, server_seeds);
    client = client_source(plan, std::move(material));
  }
  Plan plan;
  Bytes masked;
  std::unique_ptr<CorrelationSource> server;
  std::unique_ptr<CorrelationSource> client;
};

// Uniform bits: neither all alike nor mostly so. 2^-40 at least for a false alarm.
void expect_mixed(const BitVector& v) {
  std::size_t ones = 0;
  for (std::size_t i = 0; i < v.size(); ++i) ones += v.get(i);
  EXPECT_GT(ones, v.size() / 4);
  EXPECT_LT(ones, v.size() - v.size() / 4);
}

constexpr std::size_t count = 333;  // times three volumes: ends within a word

TEST(Correlations, TheClientHasTheStringOfItsChoice) {
  for (unsigned choice_bits = 1; choice_bits <= 4; ++choice_bits) {
    for (unsigned message_bits = 1; message_bits <= 2; ++message_bits) {
      Dealt dealt(plan_of({OtDemand{count, choice_bits, message_bits}}), 3);
      const OtSender s = dealt.server->ot_sender(0);
      const OtReceiver c = dealt.client->ot_receiver(0);
      ASSERT_EQ(s.strings.size(), (std::size_t{1} << choice_bits) * message_bits);
      ASSERT_EQ(c.choice.size(), choice_bits);
      ASSERT_EQ(c.string.size(), message_bits);
      ASSERT_EQ(c.choice[0].size(), 3 * count);
      for (std::size_t i = 0; i < 3 * count; ++i) {
        std::size_t index = 0;
        for (unsigned j = 0; j < choice_bits; ++j) index |= c.choice[j].get(i) << j;
        for (unsigned j = 0; j < message_bits; ++j) {
          ASSERT_EQ(c.string[j].get(i), s.strings[index * message_bits + j].get(i)) << i;
        }
      }
      for (const BitVector& v : c.choice) expect_mixed(v);
      for (const BitVector& v : s.strings) expect_mixed(v);
    }
  }
}

TEST(Correlations, AndProductsAreProductsOfTheMasks) {
  std::vector<Demand> demands;
  for (unsigned k = 2; k <= largest_arity; ++k) {
    for (const auto& [eq, select] : {std::pair(false, false), std::pair(true, false), std::pair(false, true)}) {
      ComparisonNode node;
      node.children.resize(k);
      node.eq = eq;
      node.select = select;
      demands.push_back(AndDemand{count, node.and_inputs(), node.and_products()});
    }
  }
  Dealt dealt(plan_of(demands), 3);
  for (std::size_t d = 0; d < demands.size(); ++d) {
    const auto& demand = std::get<AndDemand>(dealt.plan.demands[d]);
    const AndShare s = dealt.server->and_share(d);
    const AndShare c = dealt.client->and_share(d);
    ASSERT_EQ(s.masks.size(), demand.inputs);
    ASSERT_EQ(c.products.size(), demand.products.size());
    std::vector<BitVector> masks;
    for (unsigned i = 0; i < demand.inputs; ++i) {
      masks.push_back(s.masks[i] ^ c.masks[i]);
      expect_mixed(s.masks[i]);
      expect_mixed(c.masks[i]);
    }
    for (std::size_t p = 0; p < demand.products.size(); ++p) {
      const BitVector product = s.products[p] ^ c.products[p];
      expect_mixed(s.products[p]);
      expect_mixed(c.products[p]);
      for (std::size_t v = 0; v < 3 * count; ++v) {
        std::uint64_t expected = 1;
        for (unsigned i = 0; i < demand.inputs; ++i) {
          if ((demand.products[p] >> i & 1) != 0) expected &= masks[i].get(v);
        }
        ASSERT_EQ(product.get(v), expected) << "demand " << d << ", product " << p;
      }
    }
  }
}

TEST(Correlations, ABitIsSharedBothWaysInEveryRing) {
  for (unsigned l = 1; l <= 64; ++l) {
    const Ring ring{l};
    Dealt dealt(plan_of({SharedBitDemand{count, ring}}), 2);
    const SharedBitShare s = dealt.server->shared_bit(0);
    const SharedBitShare c = dealt.client->shared_bit(0);
    ASSERT_EQ(c.value.size(), 2 * count);
    const BitVector joined = s.bit ^ c.bit;
    expect_mixed(joined);
    for (std::size_t i = 0; i < 2 * count; ++i) ASSERT_EQ(ring.reduce(s.value[i] + c.value[i]), joined.get(i)) << l;
  }
}

TEST(Correlations, ABitTimesARingElementInEveryRing) {
  for (unsigned l = 1; l <= 64; ++l) {
    const Ring ring{l};
    Dealt dealt(plan_of({BitProductDemand{count, ring}}), 2);
    const BitProductShare s = dealt.server->bit_product(0);
    const BitProductShare c = dealt.client->bit_product(0);
    const BitVector joined = s.bit ^ c.bit;
    expect_mixed(joined);
    for (std::size_t i = 0; i < 2 * count; ++i) {
      const std::uint64_t bit = joined.get(i);
      ASSERT_EQ(ring.reduce(s.bit_value[i] + c.bit_value[i]), bit) << l;
      ASSERT_EQ(ring.reduce(s.product[i] + c.product[i]), ring.reduce(bit * (s.mask[i] + c.mask[i]))) << l;
    }
  }
}

TEST(Correlations, EachPartysOwnBitsAndTheirProductInEveryRing) {
  for (unsigned l = 1; l <= 64; ++l) {
    const Ring ring{l};
    Dealt dealt(plan_of({PrivateBitsDemand{count, ring}}), 2);
    const PrivateBitsShare s = dealt.server->private_bits(0);
    const PrivateBitsShare c = dealt.client->private_bits(0);
    expect_mixed(s.bit);
    expect_mixed(c.bit);
    expect_mixed(s.bit ^ c.bit);
    for (std::size_t i = 0; i < 2 * count; ++i) {
      ASSERT_EQ(ring.reduce(s.product[i] + c.product[i]), s.bit.get(i) & c.bit.get(i)) << l;
    }
  }
}

// r and everything that is made of it, in one relation.
TEST(Correlations, AnOpeningHasThermometersShiftsAndProductsOfItsMask) {
  std::mt19937_64 rng(4);
  for (unsigned l = 2; l <= 64; ++l) {
    OpeningDemand d{count, Ring{l}, {}};
    for (unsigned at = 0; at < l;) {
      const unsigned bits = std::min(l - at, 1 + static_cast<unsigned>(rng() % widest_digit));
      d.digits.push_back({at, bits});
      at += bits;
    }
    d.shift = static_cast<unsigned>(rng() % l);
    d.out = Ring{1 + static_cast<unsigned>(rng() % 64)};
    d.top = Ring{static_cast<unsigned>(rng() % 65)};
    d.select = l % 3 != 0;
    Dealt dealt(plan_of({d}), 2);
    const OpeningShare s = dealt.server->opening(0);
    const OpeningShare c = dealt.client->opening(0);
    ASSERT_EQ(c.thermometers.size(), thermometer_bits(d));
    if (d.select) expect_mixed(s.bit ^ c.bit);
    for (const BitVector& v : s.thermometers) expect_mixed(v);
    for (const BitVector& v : c.thermometers) expect_mixed(v);
    for (std::size_t i = 0; i < 2 * count; ++i) {
      const std::uint64_t r = d.ring.reduce(s.r[i] + c.r[i]);
      std::size_t at = 0;
      for (const BitRange digit : d.digits) {
        const std::uint64_t value = (r >> digit.first) & low_mask(digit.bits);
        for (std::uint64_t v = 0; v < low_mask(digit.bits); ++v, ++at) {
          ASSERT_EQ(s.thermometers[at].get(i) ^ c.thermometers[at].get(i), v < value ? 1U : 0U) << l;
        }
      }
      ASSERT_EQ(d.out.reduce(s.shifted[i] + c.shifted[i]), d.out.reduce(r >> d.shift)) << l;
      if (d.top.bits > 0) {
        ASSERT_EQ(d.top.reduce(s.top[i] + c.top[i]), d.ring.msb(r)) << l;
      }
      if (!d.select) continue;
      const std::uint64_t delta = s.bit.get(i) ^ c.bit.get(i);
      ASSERT_EQ(d.out.reduce(s.bit_value[i] + c.bit_value[i]), delta) << l;
      ASSERT_EQ(d.out.reduce(s.bit_shifted[i] + c.bit_shifted[i]), d.out.reduce(delta * (r >> d.shift))) << l;
      if (d.top.bits > 0) {
        ASSERT_EQ(d.top.reduce(s.bit_top[i] + c.bit_top[i]), delta & d.ring.msb(r)) << l;
      }
    }
  }
}

// The bits of a value, from both parties' thermometers: a digit is the number of entries that are set.
std::uint64_t joined(const OpeningDemand& d, const OpeningShare& s, const OpeningShare& c, std::size_t i) {
  std::uint64_t r = 0;
  std::size_t at = 0;
  for (const BitRange digit : d.digits) {
    std::uint64_t value = 0;
    const std::size_t end = at + (std::size_t{1} << std::min(digit.bits, widest_digit)) - 1;
    for (; at < end; ++at) value += s.thermometers.at(at).get(i) ^ c.thermometers.at(at).get(i);
    r |= value << digit.first;
  }
  return r;
}

Weights random_weights(const std::vector<LinearDemand>& linears, std::mt19937_64& rng) {
  Weights out;
  for (const LinearDemand& d : linears) {
    LinearWeights w;
    WeightMatrix::Wide matrix;
    for (std::size_t i = 0; i < d.inputs * d.outputs; ++i) matrix.push_back(static_cast<std::int32_t>(rng()));
    w.matrix = WeightMatrix(std::move(matrix));
    w.bias.resize(d.outputs);
    out.push_back(std::move(w));
  }
  return out;
}

// What both hold after a linear map sums to W b and the mask of the opening that follows.
TEST(Correlations, ALinearMapCarriesTheMaskOfItsOpening) {
  std::mt19937_64 rng(6);
  for (const unsigned l : {5U, 40U, 64U}) {
    const LinearDemand linear{0, 4, count, Ring{l}, 1};
    OpeningDemand opening{count, Ring{l}, {}};
    opening.carried = true;
    for (unsigned at = 0; at < l; at += 3) opening.digits.push_back({at, std::min(3U, l - at)});
    const Weights weights = random_weights({linear}, rng);
    constexpr std::size_t volumes = 2;
    Dealt dealt(plan_of({linear, opening}), volumes, weights);
    const LinearServer s = dealt.server->linear_server(0);
    const LinearClient c = dealt.client->linear_client(0);
    const OpeningShare so = dealt.server->opening(1);
    const OpeningShare co = dealt.client->opening(1);
    EXPECT_TRUE(so.r.empty());
    EXPECT_TRUE(co.r.empty());
    for (std::size_t i = 0; i < volumes * count; ++i) {
      std::uint64_t wb = 0;
      for (std::size_t k = 0; k < linear.inputs; ++k) {
        wb += static_cast<std::uint64_t>(weights[0].matrix[i % count * linear.inputs + k]) * c.b[i / count * linear.inputs + k];
      }
      ASSERT_EQ(linear.ring.reduce(s.r[i] + c.output[i]), linear.ring.reduce(wb + joined(opening, so, co, i))) << l;
    }
  }
}

// What the client holds and what the server holds sum to W b, for every b that a seed gives.
TEST(Correlations, LinearSharesSumToTheWeightsTimesB) {
  std::mt19937_64 rng(1);
  const std::vector<LinearDemand> linears = {{0, 5, 3, Ring{40}}, {1, 3, 7, Ring{64}}, {2, 7, 1, Ring{17}}, {3, 1, 2, Ring{1}}};
  const Weights weights = random_weights(linears, rng);
  constexpr std::size_t volumes = 3;
  Dealt dealt(plan_of({linears[0], linears[1], linears[2], linears[3]}), volumes, weights);
  for (std::size_t d = 0; d < linears.size(); ++d) {
    const Ring ring = linears[d].ring;
    const LinearServer s = dealt.server->linear_server(d);
    const LinearClient c = dealt.client->linear_client(d);
    ASSERT_EQ(c.b.size(), volumes * linears[d].inputs);
    ASSERT_EQ(s.r.size(), volumes * linears[d].outputs);
    for (std::size_t v = 0; v < volumes; ++v) {
      for (std::size_t o = 0; o < linears[d].outputs; ++o) {
        std::uint64_t expected = 0;
        for (std::size_t i = 0; i < linears[d].inputs; ++i) {
          expected += static_cast<std::uint64_t>(std::int64_t{weights[d].matrix[o * linears[d].inputs + i]}) *
                      c.b[v * linears[d].inputs + i];
        }
        const std::size_t at = v * linears[d].outputs + o;
        ASSERT_EQ(ring.reduce(s.r[at] + c.output[at]), ring.reduce(expected)) << "linear op " << d;
      }
    }
  }
}

// The dealer knows no weights: its correction is A b - r, whatever W is, and E b makes W b of it.
TEST(Correlations, TheDealersCorrectionIsOfTheMaskAlone) {
  std::mt19937_64 rng(2);
  const LinearDemand linear{0, 6, 4, Ring{44}};
  const Plan plan = plan_of({linear});
  const Key key = random_key();
  const std::vector<BundleSeeds> seeds = {{random_key(), random_key()}};
  const auto correction = make_corrections(plan, key, seeds);
  const auto server = server_source(plan, {seeds[0].server});
  const auto client = client_source(plan, {ClientMaterial{seeds[0].client, correction[0]}});
  const LinearServer s = server->linear_server(0);
  const LinearClient c = client->linear_client(0);  // not finished: output is A b - r
  RingVector a(linear.inputs * linear.outputs);
  MaskRows(key, linear).rows(0, a);
  for (std::size_t o = 0; o < linear.outputs; ++o) {
    std::uint64_t expected = 0;
    for (std::size_t i = 0; i < linear.inputs; ++i) expected += a[o * linear.inputs + i] * c.b[i];
    EXPECT_EQ(linear.ring.reduce(s.r[o] + c.output[o]), linear.ring.reduce(expected));
  }
}

TEST(Correlations, AProductIsThatOfTheTwoMasks) {
  for (const ProductOp shape : {ProductOp{count, 1, 1, 1}, ProductOp{3, 4, 5, 6}}) {
    for (const Ring ring : {Ring{7}, Ring{44}, Ring{64}}) {
      Dealt dealt(plan_of({ProductDemand{shape, ring}}), 1);
      const ProductShare s = dealt.server->product(0);
      const ProductShare c = dealt.client->product(0);
      for (std::size_t i = 0; i < shape.outputs(); ++i) {
        const std::size_t row = i / shape.columns;
        std::uint64_t expected = 0;
        for (std::size_t k = 0; k < shape.inner; ++k) {
          const std::size_t left = row * shape.inner + k;
          const std::size_t right = (row / shape.rows * shape.inner + k) * shape.columns + i % shape.columns;
          expected += (s.left[left] + c.left[left]) * (s.right[right] + c.right[right]);
        }
        ASSERT_EQ(ring.reduce(s.product[i] + c.product[i]), ring.reduce(expected)) << i;
      }
    }
  }
}

TEST(Correlations, ALookupHasAOneAtItsIndexAndZerosElsewhere) {
  for (const unsigned bits : {1U, 3U, 6U}) {
    for (const Ring ring : {Ring{1}, Ring{37}, Ring{64}}) {
      constexpr std::size_t volumes = 2;
      Dealt dealt(plan_of({LookupDemand{count, bits, ring}}), volumes);
      const LookupShare s = dealt.server->lookup(0);
      const LookupShare c = dealt.client->lookup(0);
      std::vector<std::size_t> seen(std::size_t{1} << bits);
      for (std::size_t i = 0; i < count * volumes; ++i) {
        const std::uint64_t r = Ring{bits}.reduce(s.r[i] + c.r[i]);
        ++seen[r];
        for (std::size_t v = 0; v < seen.size(); ++v) {
          const std::size_t at = i << bits | v;
          ASSERT_EQ(ring.reduce(s.one_hot[at] + c.one_hot[at]), v == r ? 1U : 0U) << i << " " << v;
        }
      }
      EXPECT_EQ(std::count(seen.begin(), seen.end(), 0U), 0) << "an index that never comes";
    }
  }
}

TEST(CorrelationsDeathTest, TakingOneTwiceStopsTheProcess) {
  std::mt19937_64 rng(3);
  const LinearDemand linear{0, 2, 2, Ring{30}};
  Dealt d(plan_of({OtDemand{9, 2, 1}, AndDemand{9, 2, {3}}, SharedBitDemand{9, Ring{8}}, BitProductDemand{9, Ring{8}},
                   PrivateBitsDemand{9, Ring{8}}, linear, OpeningDemand{9, Ring{8}, {{0, 2}}}, ProductDemand{{9, 1, 1, 1}, Ring{8}},
                   LookupDemand{9, 2, Ring{8}}}),
          1, random_weights({linear}, rng));
  for (CorrelationSource* source : {d.server.get(), d.client.get()}) {
    source->and_share(1);
    source->shared_bit(2);
    source->bit_product(3);
    source->private_bits(4);
    EXPECT_DEATH(source->and_share(1), "internal error");
    EXPECT_DEATH(source->shared_bit(2), "internal error");
    EXPECT_DEATH(source->bit_product(3), "internal error");
    EXPECT_DEATH(source->private_bits(4), "internal error");
    source->opening(6);
    EXPECT_DEATH(source->opening(6), "internal error");
    source->product(7);
    EXPECT_DEATH(source->product(7), "internal error");
    source->lookup(8);
    EXPECT_DEATH(source->lookup(8), "internal error");
  }
  d.server->ot_sender(0);
  d.client->ot_receiver(0);
  d.server->linear_server(5);
  d.client->linear_client(5);
  EXPECT_DEATH(d.server->ot_sender(0), "internal error");
  EXPECT_DEATH(d.client->ot_receiver(0), "internal error");
  EXPECT_DEATH(d.server->linear_server(5), "internal error");
  EXPECT_DEATH(d.client->linear_client(5), "internal error");
}

TEST(CorrelationsDeathTest, APartyHasNoAccessToTheOthersPart) {
  Dealt d(plan_of({OtDemand{9, 2, 1}}), 1);
  EXPECT_DEATH(d.server->ot_receiver(0), "internal error");
  EXPECT_DEATH(d.client->ot_sender(0), "internal error");
  EXPECT_DEATH(d.server->linear_client(0), "internal error");
  EXPECT_DEATH(d.client->linear_server(0), "internal error");
}

// Everything that a party holds of a correlation, in columns of 64 elements.
class Held {
 public:
  void add(const BitVector& v) {
    for (std::size_t i = 0; i + 64 <= v.size(); i += 64) columns_.push_back(v.words()[i / 64]);
  }
  void add(const std::vector<BitVector>& all) {
    for (const BitVector& v : all) add(v);
  }
  void add(const RingVector& values) { columns_.insert(columns_.end(), values.begin(), values.end()); }
  const RingVector& columns() const noexcept { return columns_; }

 private:
  RingVector columns_;
};

// One of each type, in the widest ring, where chance makes no two elements alike.
const std::vector<Demand>& one_of_each() {
  static constexpr Ring wide{64};
  static const std::vector<Demand> demands = {
      OtDemand{count, 4, 2},
      AndDemand{count, 3, {0b011, 0b101, 0b111}},
      SharedBitDemand{count, wide},
      BitProductDemand{count, wide},
      PrivateBitsDemand{count, wide},
      ProductDemand{ProductOp{count, 1, 1, 1}, wide},
      LookupDemand{count, 2, wide},
      LinearDemand{0, 7, count, wide},
      [] {
        OpeningDemand d{count, wide, {}};
        for (unsigned at = 0; at < 64; at += 4) d.digits.push_back({at, 4});
        d.shift = 7;
        d.out = wide;
        d.top = Ring{64};
        d.select = true;
        return d;
      }(),
  };
  return demands;
}

RingVector held_by(CorrelationSource& source, std::size_t demand) {
  const bool server = source.party() == Party::server;
  Held held;
  const auto all = [&](const auto&... fields) { (held.add(fields), ...); };
  switch (demand) {
    case 0:
      if (server) {
        all(source.ot_sender(demand).strings);
      } else {
        const OtReceiver s = source.ot_receiver(demand);
        all(s.choice, s.string);
      }
      break;
    case 1: {
      const AndShare s = source.and_share(demand);
      all(s.masks, s.products);
      break;
    }
    case 2: {
      const SharedBitShare s = source.shared_bit(demand);
      all(s.bit, s.value);
      break;
    }
    case 3: {
      const BitProductShare s = source.bit_product(demand);
      all(s.bit, s.bit_value, s.mask, s.product);
      break;
    }
    case 4: {
      const PrivateBitsShare s = source.private_bits(demand);
      all(s.bit, s.product);
      break;
    }
    case 5: {
      const ProductShare s = source.product(demand);
      all(s.left, s.right, s.product);
      break;
    }
    case 6: {
      const LookupShare s = source.lookup(demand);  // r has two bits
      all(s.one_hot);
      break;
    }
    case 7:
      if (server) {
        all(source.linear_server(demand).r);
      } else {
        const LinearClient s = source.linear_client(demand);
        all(s.b, s.output);
      }
      break;
    default: {
      const OpeningShare s = source.opening(demand);
      all(s.r, s.thermometers, s.shifted, s.top, s.bit, s.bit_value, s.bit_shifted, s.bit_top);
    }
  }
  return held.columns();
}

// Of every type and field, what either party holds of one bundle and of another: no word of 64 bits, whether it is an element or
// 64 bits of as many elements, is in both, at its place or any other. Within a bundle the parties may well hold the same word:
// where a thermometer's last entry is zero for 64 elements, as it is for one word in sixty, their shares of it are equal.
TEST(Correlations, TwoBundlesAgreeInNothing) {
  LinearWeights w;
  w.matrix = WeightMatrix(WeightMatrix::Wide(7 * count, 5));
  w.bias.resize(count);
  Dealt one(plan_of(one_of_each()), 1, {w});
  Dealt two(plan_of(one_of_each()), 1, {w});
  for (std::size_t demand = 0; demand < one_of_each().size(); ++demand) {
    std::set<std::uint64_t> of_one;
    for (CorrelationSource* source : {one.server.get(), one.client.get()}) {
      const RingVector words = held_by(*source, demand);
      of_one.insert(words.begin(), words.end());
    }
    std::size_t words = 0;
    for (CorrelationSource* source : {two.server.get(), two.client.get()}) {
      for (const std::uint64_t word : held_by(*source, demand)) {
        EXPECT_FALSE(of_one.contains(word)) << "demand " << demand << ", word " << words;
        ++words;
      }
    }
    EXPECT_GT(words, 20U) << "demand " << demand;
  }
}

}  // namespace
}  // namespace smpc
