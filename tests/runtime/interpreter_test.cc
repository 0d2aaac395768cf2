// The reference at its edges: the index of the largest by differences, and norms that 128 bits do not hold.
#include "smpc/runtime/interpreter.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "smpc/base/error.h"
#include "support/two_party.h"

namespace smpc {
namespace {

// Scores x + bias, in a ring that holds their differences and not themselves.
struct Scores {
  Scores(Suite suite, std::size_t classes, unsigned bits) {
    program.suite = suite;
    program.inputs = {{"x", {classes}, -1000, 1000}};
    program.outputs = {{"y", {classes}}};
    program.labels.resize(classes, "c");
    program.tensors = {{classes, 0, Ring{bits}}, {classes, 0, Ring{bits}}, {1, 0, Ring{index_bits(classes)}}};
    program.ops = {{"bias", BiasOp{}}, {"argmax", ArgMaxOp{}}};
    LinearWeights w;
    w.bias.resize(classes);
    weights = {w};
  }
  Program program;
  Weights weights;
};

class Labels : public ::testing::TestWithParam<Suite> {};

// One offset of all scores changes no label, however far it takes them beyond the ring; of several largest, the lowest counts.
TEST_P(Labels, OfScoresWithACommonOffsetAreThoseOfTheParties) {
  std::mt19937_64 rng(6);
  for (int run = 0; run < 60; ++run) {
    const std::size_t classes = 2 + rng() % 9;
    Scores s(GetParam(), classes, 8);
    std::vector<std::int64_t> values(classes);
    for (auto& v : values) v = static_cast<std::int64_t>(rng() % (run % 3 == 0 ? 3 : 128));  // differences fit 8 bits
    const auto best = static_cast<std::uint64_t>(std::max_element(values.begin(), values.end()) - values.begin());
    for (const std::int64_t offset : {0, 100, 127, 128, -200, 70'000}) {
      for (std::size_t c = 0; c < classes; ++c) s.weights[0].bias[c] = values[c] + offset;
      const RingVector input(classes);
      const auto fixed = interpret(s.program, s.weights, input);
      const auto two = testing::run_two_party(s.program, s.weights, input, 1);
      ASSERT_EQ(fixed.back(), RingVector{best}) << "offset " << offset;
      ASSERT_EQ(two.output, fixed.back()) << "offset " << offset;
    }
  }
}

// Also where not even differences fit, what the parties do is what the reference does.
TEST_P(Labels, AreThoseOfThePartiesForAnyElementsOfTheRing) {
  std::mt19937_64 rng(7);
  for (int run = 0; run < 60; ++run) {
    const std::size_t classes = 2 + rng() % 9;
    Scores s(GetParam(), classes, 6);
    RingVector input(classes);
    for (auto& v : input) v = rng() % 64;
    ASSERT_EQ(testing::run_two_party(s.program, s.weights, input, 1).output, interpret(s.program, s.weights, input).back());
  }
}

INSTANTIATE_TEST_SUITE_P(Suites, Labels, ::testing::Values(Suite::cryptflow2, Suite::masked),
                         [](const auto& suite) { return std::string(to_text(suite.param)); });

// count values of `value`, and a norm that is declared.
bool is_taken(std::size_t count, double value, double norm, int scale) {
  Program p;
  p.inputs = {{"x", {count}, -0x1p62, 0x1p62}};
  p.input_norm = norm;
  p.tensors = {{count, scale, Ring{64}}};
  try {
    quantise(p, std::vector<double>(count, value), "x");
    return true;
  } catch (const Error& e) {
    EXPECT_EQ(e.kind(), ErrorKind::bad_input);
    EXPECT_NE(std::string(e.what()).find("squares sum to at most"), std::string::npos) << e.what();
    return false;
  }
}

TEST(InputNorm, OfValuesWhoseSquaresSumTo2ToThe128IsNotZero) {
  EXPECT_FALSE(is_taken(64, 0x1p44, 1, 17));    // 64 (2^61)^2 = 2^128
  EXPECT_FALSE(is_taken(128, 0x1p44, 1, 17));   // 2^129
  EXPECT_FALSE(is_taken(128, -0x1p44, 1, 17));
  EXPECT_FALSE(is_taken(63, 0x1p44, 1, 17));
  EXPECT_FALSE(is_taken(65, 0x1p44, 0x1p46, 17));  // beyond by one square of 2^122, which alone would be taken
  EXPECT_FALSE(is_taken(16, 0x1p62, 1, 0));     // 16 (2^62)^2 = 2^128
  EXPECT_FALSE(is_taken(17, 0x1p62, 0x1p63, 0));
}

TEST(InputNorm, IsExactWhereItIsLarge) {
  EXPECT_TRUE(is_taken(64, 0x1p44, 0x1p47, 17));  // sqrt(64) 2^44
  EXPECT_FALSE(is_taken(64, 0x1p44, 0x1p47 * (1 - 0x1p-52), 17));
  EXPECT_TRUE(is_taken(16, 0x1p62, 0x1p64, 0));
  EXPECT_FALSE(is_taken(16, 0x1p62, 0x1p64 * (1 - 0x1p-52), 0));
  EXPECT_TRUE(is_taken(4, 3, 6, 0));
  EXPECT_FALSE(is_taken(4, 3, 5.999, 0));
}

}  // namespace
}  // namespace smpc
