// Factors on the first map's outputs: what limits they keep, and that the model stays what it is.
#include "src/compiler/equalise.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

namespace smpc {
namespace {

// Rows of sizes from 1 down to 2^-6, some of few large weights.
Affine uneven(unsigned seed) {
  std::mt19937 rng(seed);
  std::normal_distribution<float> normal;
  Affine a;
  a.outputs = 30;
  a.inputs = 500;
  for (std::size_t o = 0; o < a.outputs; ++o) {
    const float size = std::ldexp(1.0F, -static_cast<int>(rng() % 7));
    for (std::size_t i = 0; i < a.inputs; ++i) {
      a.weights.push_back(o % 5 == 0 && i % 50 != 0 ? 0.0F : size * normal(rng));
    }
    a.bias.push_back(static_cast<double>(normal(rng)));
  }
  return a;
}

TEST(Equalise, RowSizesAreTheRows) {
  Affine a;
  a.outputs = 2;
  a.inputs = 2;
  a.weights = {1, -2, 0, 0.5};
  a.bias = {-3, 0};
  const auto rows = row_sizes(a, 4);
  EXPECT_EQ(rows[0].bound, 15);
  EXPECT_EQ(rows[0].largest, 2);
  EXPECT_EQ(rows[0].squares, 5);
  EXPECT_EQ(rows[1].bound, 2);
}

TEST(Equalise, EveryRowIsAsLargeAsTheLimitsAllow) {
  for (unsigned seed = 0; seed < 10; ++seed) {
    const auto rows = row_sizes(uneven(seed), 8);
    double largest = 0;
    for (const RowSizes& row : rows) largest = std::max(largest, row.bound);
    const double power = std::exp2(std::floor(std::log2(largest)));
    const auto candidates = equalising_factors(rows);
    ASSERT_GT(candidates.size(), 2U);
    double heaviest_before = INFINITY;
    for (const auto& factors : candidates) {
      double heaviest = 0;
      for (std::size_t o = 0; o < rows.size(); ++o) heaviest = std::max(heaviest, factors[o] * rows[o].largest);
      const double least = *std::min_element(factors.begin(), factors.end());
      for (std::size_t o = 0; o < rows.size(); ++o) {
        const double bound = factors[o] * rows[o].bound;
        EXPECT_LT(bound, power);
        // At one of its limits; 256 times the least factor is another.
        EXPECT_TRUE(bound > 0.99 * power || factors[o] * rows[o].largest > 0.99 * heaviest ||
                    factors[o] > 255 * least)
            << o;
      }
      EXPECT_LT(heaviest, heaviest_before);  // a bit more scale for weights of two bytes
      heaviest_before = heaviest;
    }
    const auto spread = std::minmax_element(candidates[0].begin(), candidates[0].end());
    EXPECT_GT(*spread.second / *spread.first, 32);
  }
}

TEST(Equalise, RowsOfZerosGetAFiniteFactorAndAMapOfZerosNone) {
  Affine a = uneven(1);
  std::fill_n(a.weights.begin(), a.inputs, 0.0F);
  a.bias[0] = 0;
  for (const auto& factors : equalising_factors(row_sizes(a, 8))) {
    const auto [least, most] = std::minmax_element(factors.begin(), factors.end());
    EXPECT_GT(*least, 0);
    EXPECT_LE(*most, 256 * *least * (1 + 1e-12));
  }
  std::fill(a.weights.begin(), a.weights.end(), 0.0F);
  EXPECT_TRUE(equalising_factors(row_sizes(a, 8)).empty());  // whatever the biases are
}

TEST(Equalise, RowsOfAnyProportionsGiveFewCandidates) {
  const std::vector<RowSizes> rows{{1e30, 1e-38, 1e-76}, {1, 1, 1}};
  EXPECT_LE(equalising_factors(rows).size(), 20U);
}

}  // namespace
}  // namespace smpc
