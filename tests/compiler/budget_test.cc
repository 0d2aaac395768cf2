#include "src/compiler/budget.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

#include "smpc/base/error.h"

namespace smpc {
namespace {

std::uint64_t cost_of(std::span<const LayerSources> layers, std::span<const LayerScales> scales) {
  std::uint64_t cost = 0;
  for (std::size_t k = 0; k < layers.size(); ++k) {
    cost += layers[k].price * static_cast<std::uint64_t>(scales[k].input + scales[k].weights);
  }
  return cost;
}

double variance(std::span<const LayerSources> layers, std::span<const LayerScales> scales) {
  double v = 0;
  for (std::size_t k = 0; k < layers.size(); ++k) v += variance_of(layers[k], scales[k]);
  return v;
}

TEST(Budget, NoScalesWithinItCostLess) {
  std::mt19937 rng(1);
  std::uniform_real_distribution<double> gain(0.5, 40);
  for (int n = 0; n < 20; ++n) {
    // Weights so small that two bytes always hold them: then cost alone decides.
    std::vector<LayerSources> layers;
    for (int k = 0; k < 2; ++k) layers.push_back({1 + rng() % 1000, gain(rng), gain(rng), 0x1p-20, {}});
    const double budget = std::ldexp(1.0, -8);
    const auto [chosen, reached, cost, spent] = cheapest_scales(layers, budget);
    EXPECT_EQ(reached, budget);
    EXPECT_GE(cost, 2 * cost_of(layers, chosen));
    EXPECT_GE(spent, variance(layers, chosen) * (1 - 1e-9));
    EXPECT_LE(variance(layers, chosen), budget);
    std::vector<LayerScales> s(2);
    for (s[0].input = 0; s[0].input < 16; ++s[0].input) {
      for (s[0].weights = 0; s[0].weights < 16; ++s[0].weights) {
        for (s[1].input = 0; s[1].input < 16; ++s[1].input) {
          for (s[1].weights = 0; s[1].weights < 16; ++s[1].weights) {
            if (variance(layers, s) > budget * (1 - 2.0 / 65536)) continue;
            ASSERT_GE(cost_of(layers, s), cost_of(layers, chosen));
          }
        }
      }
    }
  }
}

TEST(Budget, ADearLayerIsCoarserThanACheapOne) {
  const LayerSources dear{100'000, 1, 1, 0x1p-10, {}};
  const LayerSources cheap{100, 1, 1, 0x1p-10, {}};
  const auto chosen = cheapest_scales(std::vector{dear, cheap}, 1e-6).layers;
  EXPECT_LE(chosen[0].input + chosen[0].weights + 1, chosen[1].input + chosen[1].weights);
}

TEST(Budget, WeightsOfTwoBytesArePreferredWhereTheyCostNoBit) {
  // Either of the two scales may take the odd bit; only one choice keeps |w| < 2^15.
  const LayerSources layer{1000, 1, 1, 1.9 * 0x1p-6, {}};
  for (int bits = 10; bits < 30; ++bits) {
    const auto chosen = cheapest_scales(std::vector{layer}, std::ldexp(1.0, -2 * bits)).layers;
    LayerSources loose = layer;
    loose.largest_weight = 0x1p-20;
    const auto least = cheapest_scales(std::vector{loose}, std::ldexp(1.0, -2 * bits)).layers;
    EXPECT_EQ(chosen[0].input + chosen[0].weights, least[0].input + least[0].weights) << bits;
    if (least[0].weights <= 20) {
      EXPECT_LT(std::ldexp(layer.largest_weight, chosen[0].weights), 32768) << bits;
    }
  }
}

TEST(Budget, AGivenScaleIsKeptAndABudgetOutOfReachIsPassed) {
  LayerSources layer{10, 1, 1, 0.5, 3};
  EXPECT_EQ(cheapest_scales(std::vector{layer}, 1e-6).layers[0].input, 3);
  layer.largest_weight = 1e6;  // no more than 10 fractional bits below 2^30
  const auto chosen = cheapest_scales(std::vector{layer}, 1e-12).layers;
  EXPECT_LE(std::ldexp(layer.largest_weight, chosen[0].weights), 0x1p30);
}

TEST(Budget, BiasesAreAsFineAsBothScalesTogetherAlsoOfALayerOfZeros) {
  const double budget = std::ldexp(1.0, -28);
  for (const std::optional<int> input : {std::optional<int>{}, std::optional<int>{5}}) {
    for (const double weight : {0.0, 0x1p-12}) {
      const LayerSources layer{10, 0, 0, weight, input, 3};
      const LayerScales chosen = cheapest_scales(std::vector{layer}, budget).layers[0];
      EXPECT_LE(9 * std::ldexp(1.0, -2 * (chosen.input + chosen.weights)) / 12, budget);
      EXPECT_LE(chosen.input + chosen.weights, 15);
      EXPECT_EQ(chosen.input, input.value_or(chosen.input));
    }
  }
}

TEST(Budget, WhatNoScalesReachIsFoundAtOnceAndTooLargeIsRefused) {
  const LayerSources far{10, 0x1p150, 0x1p150, 0x1p29, {}};
  const auto chosen = cheapest_scales(std::vector{far}, 1e-9).layers;
  EXPECT_EQ(chosen[0].weights, 0);
  EXPECT_LE(variance_of(far, chosen[0]), 4 * variance_of(far, {40, 0}));
  const double infinity = std::numeric_limits<double>::infinity();
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (const LayerSources& bad : {LayerSources{10, infinity, 1, 1, {}}, LayerSources{10, 1, nan, 1, {}},
                                  LayerSources{10, 1, 0x1p200, 1, {}}, LayerSources{10, 1, 1, 0x1p30, {}}}) {
    try {
      cheapest_scales(std::vector{LayerSources{10, 1, 1, 1, {}}, bad}, 1e-9);
      ADD_FAILURE() << "nothing was refused";
    } catch (const Error& e) {
      EXPECT_EQ(e.kind(), ErrorKind::bad_input);
      EXPECT_NE(std::string(e.what()).find("linear layer 2"), std::string::npos) << e.what();
    }
  }
}

}  // namespace
}  // namespace smpc
