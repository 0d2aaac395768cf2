#include "smpc/protocol/arg_max.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "support/two_party.h"

namespace smpc {
namespace {

class ArgMax : public ::testing::TestWithParam<Suite> {};

Program program_of(Suite suite, std::size_t classes, unsigned bits) {
  Program p;
  p.suite = suite;
  p.inputs = {{"x", {classes}, -1e9, 1e9}};
  p.tensors = {{classes, 0, Ring{bits}}, {1, 0, Ring{index_bits(classes)}}};
  p.ops = {{"argmax", ArgMaxOp{}}};
  p.labels.assign(classes, "c");
  return p;
}

TEST_P(ArgMax, EveryCountOfClassesAndTiesGoToTheLowestIndex) {
  std::mt19937_64 rng(3);
  for (std::size_t classes = 1; classes <= 70; ++classes) {
    const unsigned bits = 6 + static_cast<unsigned>(rng() % 58);
    const Program program = program_of(GetParam(), classes, bits);
    constexpr std::size_t volumes = 5;
    RingVector input;
    std::vector<std::uint64_t> expected;
    for (std::size_t v = 0; v < volumes; ++v) {
      std::vector<std::int64_t> x(classes);
      for (auto& e : x) e = static_cast<std::int64_t>(rng() % 9) - 4;  // many ties
      if (v == 4) std::fill(x.begin(), x.end(), -3);
      expected.push_back(static_cast<std::uint64_t>(std::max_element(x.begin(), x.end()) - x.begin()));
      for (const auto e : x) input.push_back(Ring{bits}.from_signed(e));
    }
    const auto r = testing::run_two_party(program, {}, input, volumes);
    EXPECT_TRUE(std::equal(expected.begin(), expected.end(), r.output.begin(), r.output.end())) << classes;
  }
}

INSTANTIATE_TEST_SUITE_P(Suites, ArgMax, ::testing::Values(Suite::cryptflow2, Suite::masked),
                         [](const auto& suite) { return std::string(to_text(suite.param)); });

}  // namespace
}  // namespace smpc
