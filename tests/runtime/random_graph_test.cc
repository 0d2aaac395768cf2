// Bit for bit: what two parties compute is what the interpreter computes, in every tensor, whatever reads what.
#include <gtest/gtest.h>

#include "support/random_graph.h"
#include "support/thinned.h"
#include "support/two_party.h"
#include "support/wide_values.h"

namespace smpc {
namespace {

class Graphs : public ::testing::TestWithParam<Suite> {};

TEST_P(Graphs, ThreeHundredAgreeWithTheInterpreterInEveryTensor) {
  std::mt19937_64 rng(41);
  std::vector<std::size_t> seen(std::variant_size_v<OpKind>);
  for (int run = 0; run < 300 / testing::one_in(4); ++run) {
    const testing::RandomModel g = testing::random_graph(rng, GetParam(), 1 + rng() % 12);
    const Program& p = g.program;
    ASSERT_EQ(decode_program(encode(p)), p);
    for (const Op& op : p.ops) ++seen[op.kind.index()];
    const std::size_t volumes = 1 + rng() % 3;
    const RingVector input = testing::random_input(g, volumes, rng);
    const auto two = testing::run_two_party(p, g.weights, input, volumes);
    const std::size_t n = p.input().count;
    for (std::size_t v = 0; v < volumes; ++v) {
      const auto one = std::span(input).subspan(v * n, n);
      const auto reference = interpret(p, g.weights, RingVector(one.begin(), one.end()));
      testing::expect_same_in_rings(p, testing::wide_values(p, g.weights, RingVector(one.begin(), one.end())), reference);
      for (std::size_t t = 0; t < two.tensors.size(); ++t) {
        const std::size_t count = p.tensors[t].count;
        for (std::size_t i = 0; i < count; ++i) {
          ASSERT_EQ(two.tensors[t][v * count + i], reference[t][i])
              << "run " << run << ", tensor " << t << ", of " << (t > 0 ? p.ops[t - 1].name : "the input");
        }
      }
      const std::size_t count = reference.back().size();
      for (std::size_t i = 0; i < count; ++i) ASSERT_EQ(two.output[v * count + i], reference.back()[i]) << run;
    }
  }
  for (std::size_t kind = 0; kind < seen.size(); ++kind) EXPECT_GT(seen[kind], 20U / testing::one_in(4)) << kind;
}

// As between processes: what everybody has read is given back.
TEST_P(Graphs, GiveTheSameWhenNothingIsKept) {
  std::mt19937_64 rng(43);
  for (int run = 0; run < 100 / testing::one_in(4); ++run) {
    const testing::RandomModel g = testing::random_graph(rng, GetParam(), 1 + rng() % 12);
    const std::size_t volumes = 1 + rng() % 3;
    const RingVector input = testing::random_input(g, volumes, rng);
    const LocalRun kept = run_locally(g.program, g.weights, input, volumes);
    const LocalRun given_back = run_locally(g.program, g.weights, input, volumes, false);
    ASSERT_EQ(given_back.output, kept.output) << run;
    ASSERT_EQ(given_back.measured, kept.measured) << run;
  }
}

INSTANTIATE_TEST_SUITE_P(Suites, Graphs, ::testing::Values(Suite::cryptflow2, Suite::masked),
                         [](const auto& suite) { return std::string(to_text(suite.param)); });

}  // namespace
}  // namespace smpc
