// Bit for bit: what two parties compute is what the interpreter computes, in every tensor.
#include <gtest/gtest.h>

#include "support/random_program.h"
#include "support/thinned.h"
#include "support/two_party.h"
#include "support/wide_values.h"

namespace smpc {
namespace {

class TwoParty : public ::testing::TestWithParam<Suite> {};

TEST_P(TwoParty, TwoHundredRandomMlpsAgreeWithTheInterpreterInEveryTensor) {
  std::mt19937_64 rng(20);
  std::size_t layers_seen[7] = {};
  for (int run = 0; run < 200 / testing::one_in(4); ++run) {
    const auto m = testing::random_mlp(rng, GetParam());
    ASSERT_EQ(decode_program(encode(m.program)), m.program);
    ++layers_seen[m.weights.size()];
    const std::size_t volumes = 1 + rng() % 3;
    const RingVector input = testing::random_input(m, volumes, rng);
    const auto two = testing::run_two_party(m.program, m.weights, input, volumes);
    const std::size_t n = m.program.input().count;
    for (std::size_t v = 0; v < volumes; ++v) {
      const RingVector one(input.begin() + static_cast<std::ptrdiff_t>(v * n),
                           input.begin() + static_cast<std::ptrdiff_t>((v + 1) * n));
      const auto reference = interpret(m.program, m.weights, one);
      testing::expect_same_in_rings(m.program, testing::wide_values(m.program, m.weights, one), reference);
      for (std::size_t t = 0; t < two.tensors.size(); ++t) {
        const std::size_t count = m.program.tensors[t].count;
        for (std::size_t i = 0; i < count; ++i) {
          ASSERT_EQ(two.tensors[t][v * count + i], reference[t][i]) << "run " << run << ", tensor " << t;
        }
      }
      const std::size_t count = reference.back().size();
      for (std::size_t i = 0; i < count; ++i) ASSERT_EQ(two.output[v * count + i], reference.back()[i]) << run;
    }
  }
  for (std::size_t layers = 1; layers <= 6; ++layers) EXPECT_GT(layers_seen[layers], 0U) << layers;
}

INSTANTIATE_TEST_SUITE_P(Suites, TwoParty, ::testing::Values(Suite::cryptflow2, Suite::masked),
                         [](const auto& suite) { return std::string(to_text(suite.param)); });

}  // namespace
}  // namespace smpc
