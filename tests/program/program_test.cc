#include "smpc/program/program.h"

#include <gtest/gtest.h>

#include <limits>

#include "program/examples.h"
#include "smpc/base/error.h"
#include "smpc/program/weights.h"

namespace smpc {
namespace {

using testing::example;

TEST(Program, DecodesToWhatWasEncoded) {
  for (const Reveal reveal : {Reveal::label, Reveal::logits}) {
    Program p = example(reveal);
    EXPECT_EQ(decode_program(encode(p)), p);
    p.grid.reset();
    EXPECT_EQ(decode_program(encode(p)), p);
    p.input_norm = 0;
    EXPECT_EQ(decode_program(encode(p)), p);
  }
}

TEST(Program, TheHashIsThatOfTheBytesAndNamesEveryPart) {
  const Program p = example();
  EXPECT_EQ(program_hash(p), sha256(encode(p)));
  EXPECT_EQ(program_hash(p), program_hash(decode_program(encode(p))));
  std::vector<Program> others(10, p);
  others[0] = example(Reveal::logits);
  others[1].inputs[0].high = 12.25;
  others[2].input_norm = 31;
  others[3].grid->affine[3] = 1;
  others[4].grid.reset();
  others[5].labels[0] = "Rest";
  others[6].ops[0].name = "First";
  others[7].inputs[0].shape = {6};
  others[8].tensors[0].scale = 11;
  others[9].results = Results::probabilities;
  for (std::size_t i = 0; i < others.size(); ++i) EXPECT_NE(program_hash(others[i]), program_hash(p)) << i;
}

TEST(Program, AMaskIsPartOfItsBytesAndName) {
  Program p = example();
  p.input_mask.assign(1, std::byte{0b101101});
  p.tensors[0].count = 4;
  p.ops[0].kind = LinearOp{4, 4};
  EXPECT_EQ(decode_program(encode(p)), p);
  EXPECT_EQ(p.whole_input(), 6U);
  EXPECT_TRUE(is_inside(p.input_mask, 2));
  EXPECT_FALSE(is_inside(p.input_mask, 1));
  Program other = p;
  other.input_mask[0] = std::byte{0b101110};
  EXPECT_NE(program_hash(other), program_hash(p));
}

TEST(Program, ANearbyProgramHasOtherBytes) {
  Program p = example();
  p.tensors[0].ring = p.tensors[1].ring = Ring{41};
  EXPECT_NE(encode(p), encode(example()));
  EXPECT_EQ(decode_program(encode(p)), p);
}

TEST(IndexBits, AreEnoughAndNoMore) {
  EXPECT_EQ(index_bits(1), 1U);
  EXPECT_EQ(index_bits(2), 1U);
  EXPECT_EQ(index_bits(3), 2U);
  EXPECT_EQ(index_bits(4), 2U);
  EXPECT_EQ(index_bits(5), 3U);
  EXPECT_EQ(index_bits(58), 6U);
  EXPECT_EQ(index_bits(64), 6U);
  EXPECT_EQ(index_bits(65), 7U);
}

Weights weights_of(const Program& p) {
  Weights w;
  for (const Op& op : p.ops) {
    if (const auto* linear = std::get_if<LinearOp>(&op.kind)) {
      LinearWeights one;
      one.matrix = WeightMatrix(WeightMatrix::Wide(linear->inputs * linear->outputs));
      one.bias.resize(linear->outputs);
      w.push_back(std::move(one));
    }
  }
  return w;
}

TEST(WeightsDeathTest, ThatDoNotFitTheProgramStopTheProcess) {
  const Program p = example();
  check_weights(p, weights_of(p));
  Weights fewer = weights_of(p);
  fewer.pop_back();
  EXPECT_DEATH(check_weights(p, fewer), "internal error");
  Weights more = weights_of(p);
  more.emplace_back();
  EXPECT_DEATH(check_weights(p, more), "internal error");
  Weights smaller = weights_of(p);
  smaller[1].matrix = WeightMatrix(WeightMatrix::Wide(smaller[1].matrix.size() - 1));
  EXPECT_DEATH(check_weights(p, smaller), "internal error");
  Weights no_bias = weights_of(p);
  no_bias[2].bias.clear();
  EXPECT_DEATH(check_weights(p, no_bias), "internal error");
}

// Two bytes a weight where all fit, four where one does not; the values are the same.
TEST(WeightMatrix, HoldsWhatItIsGivenInAsFewBytesAsItNeeds) {
  for (const std::int32_t extreme : {0, 32767, -32768, 32768, -32769, std::numeric_limits<std::int32_t>::min()}) {
    const WeightMatrix::Wide values{1, -1, extreme, 32767, -32768};
    const WeightMatrix m(values);
    ASSERT_EQ(m.size(), values.size());
    const bool narrow = extreme >= -32768 && extreme <= 32767;
    EXPECT_EQ(m.visit([](auto all) { return sizeof all[0]; }), narrow ? 2U : 4U) << extreme;
    WeightMatrix::Wide part(2);
    m.read(1, part);
    EXPECT_EQ(part[0], -1);
    EXPECT_EQ(part[1], extreme);
    for (std::size_t i = 0; i < values.size(); ++i) EXPECT_EQ(m[i], values[i]);
  }
}

}  // namespace
}  // namespace smpc
