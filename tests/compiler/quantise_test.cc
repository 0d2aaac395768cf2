// Pass 3: what rounding does to a row's sum.
#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "src/compiler/passes.h"

namespace smpc {
namespace {

constexpr std::size_t nx = 6, ny = 7, nz = 8;
constexpr std::size_t voxels = nx * ny * nz;
constexpr int scale = 10;

CompileState state(bool grid, Bytes mask, unsigned seed) {
  CompileState s;
  if (grid) s.grid = Grid{{nx, ny, nz}, {}};
  s.input_mask = std::move(mask);
  Affine a;
  a.outputs = 11;  // not a whole number of the rows that are rounded side by side
  a.inputs = s.input_mask.empty() ? voxels : count_inside(s.input_mask);
  std::mt19937 rng(seed);
  std::normal_distribution<float> normal(0, 0.02F);
  for (std::size_t i = 0; i < a.outputs * a.inputs; ++i) a.weights.push_back(normal(rng));
  a.bias.assign(a.outputs, 0.25);
  s.network.layers.emplace_back(std::move(a));
  s.affines.push_back({0, 5, scale, 0, 1, {}});
  return s;
}

const Affine& affine(const CompileState& s) { return std::get<Affine>(s.network.layers[0]); }

// What row o errs by, in units, for an image of the map's inputs.
double row_error(const CompileState& s, std::size_t o, std::span<const double> x) {
  double sum = 0;
  for (std::size_t i = 0; i < affine(s).inputs; ++i) {
    const std::size_t at = o * affine(s).inputs + i;
    sum += (static_cast<double>(affine(s).weights[at]) * std::ldexp(1.0, scale) - s.weights[0].matrix[at]) * x[i];
  }
  return sum;
}

Bytes ball() {
  Bytes mask((voxels + 7) / 8);
  for (std::size_t v = 0; v < voxels; ++v) {
    const double x = static_cast<double>(v / (ny * nz)) - 2.5;
    const double y = static_cast<double>(v / nz % ny) - 3;
    const double z = static_cast<double>(v % nz) - 3.5;
    if (x * x + y * y + z * z < 9) mask[v / 8] |= static_cast<std::byte>(1U << (v % 8));
  }
  return mask;
}

TEST(Quantise, WithoutAGridEveryWeightIsRoundedToNearest) {
  CompileState s = state(false, {}, 1);
  quantise_weights(s);
  for (std::size_t i = 0; i < affine(s).weights.size(); ++i) {
    const float exact = std::ldexp(affine(s).weights[i], scale);
    ASSERT_EQ(s.weights[0].matrix[i], static_cast<std::int32_t>(std::nearbyint(exact)));
  }
  EXPECT_EQ(s.weights[0].bias[3], 8192);  // 0.25 at 15 fractional bits
}

TEST(Quantise, OnAGridARowsSumForAConstantImageErrsByHalfAUnitAtMost) {
  // Every voxel but the last corner hands its error on.
  CompileState s = state(true, {}, 2);
  quantise_weights(s);
  const std::vector<double> ones(voxels, 1);
  for (std::size_t o = 0; o < affine(s).outputs; ++o) EXPECT_LE(std::abs(row_error(s, o, ones)), 0.5 + 1e-9);
  for (std::size_t i = 0; i < affine(s).weights.size(); ++i) {
    EXPECT_NEAR(s.weights[0].matrix[i], std::ldexp(affine(s).weights[i], scale), 2);
  }
}

TEST(Quantise, ErrorsStayInsideTheMask) {
  CompileState s = state(true, ball(), 3);
  const std::size_t inputs = affine(s).inputs;
  ASSERT_LT(inputs, voxels);
  quantise_weights(s);
  // Voxels without a next one inside keep theirs.
  std::size_t ends = 0;
  const auto in = [&](std::size_t x, std::size_t y, std::size_t z) {
    return x < nx && y < ny && z < nz && is_inside(s.input_mask, (x * ny + y) * nz + z);
  };
  for (std::size_t v = 0; v < voxels; ++v) {
    const std::size_t x = v / (ny * nz), y = v / nz % ny, z = v % nz;
    if (in(x, y, z) && !in(x + 1, y, z) && !in(x, y + 1, z) && !in(x, y, z + 1)) ++ends;
  }
  ASSERT_LT(ends * 8, inputs);
  const std::vector<double> ones(inputs, 1);
  for (std::size_t o = 0; o < affine(s).outputs; ++o) {
    EXPECT_LE(std::abs(row_error(s, o, ones)), 0.5 * static_cast<double>(ends) + 1e-9);
  }
}

TEST(Quantise, ASmoothImageErrsByLessThanHalfOfWhatNearestWouldErr) {
  double diffused = 0;
  double nearest = 0;
  for (unsigned seed = 0; seed < 20; ++seed) {
    CompileState with = state(true, {}, seed);
    CompileState without = state(false, {}, seed);
    quantise_weights(with);
    quantise_weights(without);
    std::vector<double> x(voxels);
    for (std::size_t v = 0; v < voxels; ++v) {
      x[v] = std::sin(0.5 * static_cast<double>(v / (ny * nz)) + 0.4 * static_cast<double>(v / nz % ny) + seed) +
             std::cos(0.6 * static_cast<double>(v % nz));
    }
    for (std::size_t o = 0; o < affine(with).outputs; ++o) {
      diffused += std::pow(row_error(with, o, x), 2);
      nearest += std::pow(row_error(without, o, x), 2);
    }
  }
  EXPECT_LT(std::sqrt(diffused / nearest), 0.5);
}

TEST(Quantise, FactorsScaleAMapsRowsAndDivideTheNextOnesColumns) {
  CompileState s = state(false, {}, 4);
  Affine second;
  second.outputs = 1;
  second.inputs = affine(s).outputs;
  second.weights.assign(second.inputs, 3.0F);
  second.bias = {1};
  s.network.layers.emplace_back(std::move(second));
  for (int o = 0; o < static_cast<int>(affine(s).outputs); ++o) s.affines[0].factors.push_back(std::ldexp(1.0, o - 3));
  s.affines.push_back({1, 7, 4, 0, 24, {}});
  quantise_weights(s);
  for (std::size_t o = 0; o < affine(s).outputs; ++o) {
    const int power = static_cast<int>(o) - 3;
    for (std::size_t i = 0; i < affine(s).inputs; ++i) {
      const std::size_t at = o * affine(s).inputs + i;
      const double exact = std::ldexp(static_cast<double>(affine(s).weights[at]), scale + power);
      ASSERT_EQ(s.weights[0].matrix[at], static_cast<std::int32_t>(std::nearbyint(exact)));
    }
    EXPECT_EQ(static_cast<double>(s.weights[0].bias[o]), std::ldexp(0.25, 15 + power));
    EXPECT_EQ(s.weights[1].matrix[o], static_cast<std::int32_t>(std::nearbyint(std::ldexp(3.0, 4 - power))));
  }
  EXPECT_EQ(s.weights[1].bias[0], 2048);
}

}  // namespace
}  // namespace smpc
