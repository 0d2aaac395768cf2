// One mask, one set of weights: by derivation.
#include "smpc/correlation/masks.h"

#include <gtest/gtest.h>

#include <bit>
#include <set>

namespace smpc {
namespace {

Weights small_weights() {
  Weights weights;
  for (const std::size_t outputs : {3U, 2U}) {
    LinearWeights w;
    WeightMatrix::Wide matrix;
    for (std::size_t i = 0; i < outputs * 4; ++i) matrix.push_back(static_cast<std::int32_t>(i) - 5);
    w.matrix = WeightMatrix(std::move(matrix));
    for (std::size_t o = 0; o < outputs; ++o) w.bias.push_back(static_cast<std::int64_t>(o) * 100);
    weights.push_back(std::move(w));
  }
  return weights;
}

WeightMatrix::Wide values_of(const WeightMatrix& matrix) {
  WeightMatrix::Wide values(matrix.size());
  matrix.read(0, values);
  return values;
}

Plan plan_of(const std::vector<LinearDemand>& linears) {
  Plan plan;
  plan.offsets.push_back(0);
  for (const LinearDemand& d : linears) {
    plan.demands.push_back(d);
    plan.offsets.push_back(plan.offsets.back() + correction_bytes(plan.demands.back()));
  }
  return plan;
}

Bytes masked(const Plan& plan, const Weights& weights, const Key& key) {
  Bytes out;
  write_masked_weights(plan, weights, key, [&](ByteView row) { out.insert(out.end(), row.begin(), row.end()); });
  return out;
}

TEST(MaskId, DependsOnKeyProgramAndEveryWeight) {
  const Key key = random_key();
  const Digest program = sha256(as_bytes("a program"));
  std::set<MaskId> ids;
  EXPECT_TRUE(ids.insert(mask_id(key, program, small_weights())).second);
  EXPECT_FALSE(ids.insert(mask_id(key, program, small_weights())).second);
  EXPECT_TRUE(ids.insert(mask_id(random_key(), program, small_weights())).second);
  EXPECT_TRUE(ids.insert(mask_id(key, sha256(as_bytes("another")), small_weights())).second);
  for (std::size_t l = 0; l < 2; ++l) {
    for (std::size_t i = 0; i < small_weights()[l].matrix.size(); ++i) {
      for (const std::int32_t by : {1, 1 << 30}) {
        Weights w = small_weights();
        WeightMatrix::Wide matrix = values_of(w[l].matrix);
        matrix[i] ^= by;
        w[l].matrix = WeightMatrix(std::move(matrix));
        EXPECT_TRUE(ids.insert(mask_id(key, program, w)).second) << "weight " << i << " of " << l;
      }
    }
    for (std::size_t i = 0; i < small_weights()[l].bias.size(); ++i) {
      for (const std::int64_t by : {std::int64_t{1}, std::int64_t{1} << 62}) {
        Weights w = small_weights();
        w[l].bias[i] ^= by;
        EXPECT_TRUE(ids.insert(mask_id(key, program, w)).second) << "bias " << i << " of " << l;
      }
    }
  }
}

// The same numbers, cut otherwise: where one layer ends is part of what is named.
TEST(MaskId, DependsOnWhereAMatrixEnds) {
  const Key key = random_key();
  Weights moved = small_weights();
  WeightMatrix::Wide first = values_of(moved[0].matrix);
  WeightMatrix::Wide second = values_of(moved[1].matrix);
  second.insert(second.begin(), first.back());
  first.pop_back();
  moved[0].matrix = WeightMatrix(std::move(first));
  moved[1].matrix = WeightMatrix(std::move(second));
  EXPECT_NE(mask_id(key, Digest{}, moved), mask_id(key, Digest{}, small_weights()));
}

TEST(MaskKey, DependsOnRootKeyProgramAndId) {
  const Key root = random_key();
  const Digest a = sha256(as_bytes("a"));
  const Digest b = sha256(as_bytes("b"));
  std::set<std::string> keys;
  for (const Key& shared : {program_key(root, a, a), program_key(root, a, b), program_key(root, b, a), program_key(random_key(), a, a)}) {
    EXPECT_TRUE(keys.insert(to_hex(ByteView(shared.reveal()))).second);
    EXPECT_TRUE(keys.insert(to_hex(ByteView(mask_key(shared).reveal()))).second);
  }
}

// HMAC-SHA256 with K = 00 01 .. 1f: "program and mask" 00, 32 bytes aa, 32 bytes bb; then "A" 00 under that.
// $ printf ... | openssl dgst -sha256 -mac HMAC -macopt hexkey:...
TEST(MaskKey, IsDerivedAsTheProtocolSays) {
  Key root;
  for (std::size_t i = 0; i < 32; ++i) root.reveal()[i] = static_cast<std::byte>(i);
  Digest program;
  MaskId id;
  program.fill(std::byte{0xaa});
  id.fill(std::byte{0xbb});
  const Key shared = program_key(root, program, id);
  EXPECT_EQ(to_hex(ByteView(shared.reveal())), "32015c2a4f8c426522a2a41d32af6f62642f7137cca4f1068824112cddb4b5ef");
  EXPECT_EQ(to_hex(ByteView(mask_key(shared).reveal())), "50a6a9d409606861bcd727ba91993f76fe1b09fa766ee112f611d64d332479a3");
}

TEST(MaskRows, AreTheSameHoweverTheyAreRead) {
  const Key key = random_key();
  for (const std::size_t inputs : {1U, 2U, 3U, 8U, 9U}) {
    const LinearDemand d{0, inputs, 7, Ring{44}};
    RingVector all(inputs * 7);
    MaskRows(key, d).rows(0, all);
    MaskRows mask(key, d);
    for (const std::size_t first : {6U, 0U, 3U, 1U}) {
      for (std::size_t n = 1; first + n <= 7; ++n) {
        RingVector part(inputs * n);
        mask.rows(first, part);
        EXPECT_TRUE(std::equal(part.begin(), part.end(), all.begin() + static_cast<std::ptrdiff_t>(first * inputs)));
      }
    }
  }
}

TEST(MaskedWeights, PlusTheMaskAreTheWeightsAtEveryWidth) {
  for (unsigned l = 1; l <= 64; ++l) {
    const Ring ring{l};
    const std::vector<LinearDemand> linears = {{0, 4, 3, ring}, {1, 4, 2, ring}};
    const Plan plan = plan_of(linears);
    const Key key = random_key();
    const Weights weights = small_weights();
    const Bytes e = masked(plan, weights, key);
    const MaskedLayout layout(plan);
    ASSERT_EQ(e.size(), layout.bytes());
    for (std::size_t i = 0; i < 2; ++i) {
      RingVector a(linears[i].inputs * linears[i].outputs);
      MaskRows(key, linears[i]).rows(0, a);
      for (std::size_t r = 0; r < linears[i].outputs; ++r) {
        RingVector row(linears[i].inputs);
        const std::size_t bytes = MaskedLayout::row_bytes(linears[i]);
        unpack_bits(ByteView(e).subspan(layout.offsets[i] + r * bytes, bytes), l, row);
        for (std::size_t c = 0; c < row.size(); ++c) {
          const std::size_t at = r * linears[i].inputs + c;
          ASSERT_EQ(ring.reduce(row[c] + a[at]), ring.from_signed(weights[i].matrix[at])) << l;
        }
      }
    }
  }
}

// From every offset what follows it; of a map that ends before it nobody reads the weights or makes the mask.
TEST(MaskedWeights, FromAnOffsetOnTakeNothingOfWhatIsBeforeIt) {
  const Plan plan = plan_of({{0, 4, 3, Ring{13}}, {1, 4, 2, Ring{29}}});
  const Key key = random_key();
  const Bytes whole = masked(plan, small_weights(), key);
  Weights second_alone = small_weights();
  second_alone[0].matrix = WeightMatrix(WeightMatrix::Wide{});  // whoever reads in it reads beyond its end
  const std::size_t second = MaskedLayout(plan).offsets[1];
  for (std::size_t from = 0; from <= whole.size(); ++from) {
    Bytes rest;
    std::size_t rows = 0;
    write_masked_weights(
        plan, from < second ? small_weights() : second_alone, key,
        [&](ByteView row) {
          rest.insert(rest.end(), row.begin(), row.end());
          ++rows;
        },
        from);
    EXPECT_EQ(rest, Bytes(whole.begin() + static_cast<std::ptrdiff_t>(from), whole.end())) << from;
    EXPECT_LE(rows, 5U);
    if (from + 1 >= whole.size()) {
      EXPECT_LE(rows, 1U);  // and none that is empty
    }
  }
}

// Under two masks the same weights have no block in common, and zero weights look like any others.
TEST(MaskedWeights, UnderTwoMasksDifferEverywhere) {
  const Plan plan = plan_of({{0, 512, 64, Ring{64}}});
  LinearWeights zero;
  zero.matrix = WeightMatrix(WeightMatrix::Wide(512 * 64));
  zero.bias.resize(64);
  const Bytes one = masked(plan, {zero}, random_key());
  const Bytes two = masked(plan, {zero}, random_key());
  std::set<std::string> blocks;
  for (const Bytes* e : {&one, &two}) {
    for (std::size_t at = 0; at + 16 <= e->size(); at += 16) {
      EXPECT_TRUE(blocks.insert(std::string(as_text(ByteView(*e).subspan(at, 16)))).second) << "a block stands twice";
    }
  }
  std::size_t ones = 0;
  for (const std::byte b : one) ones += static_cast<std::size_t>(std::popcount(std::to_integer<unsigned>(b)));
  const std::size_t half = one.size() * 4;
  EXPECT_NEAR(static_cast<double>(ones), static_cast<double>(half), static_cast<double>(half) / 100);
}

}  // namespace
}  // namespace smpc
