// Splines in integers, and bounds of how far a map stretches.
#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "smpc/base/secret.h"
#include "src/compiler/map_norm.h"
#include "src/compiler/spline.h"

namespace smpc {
namespace {

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

TEST(Splines, EveryValueIsWithinTheWishAndTheBoundsThatAreTold) {
  struct Case {
    double (*f)(double);
    std::int64_t first, last;
    int scale;
    double absolute, relative;
  };
  const Case cases[] = {{sigmoid, -9 << 12, 18 << 12, 12, 0x1p-13, 0},
                        {[](double x) { return std::exp(x); }, -9 << 12, 14 << 12, 12, 0x1p-14, 0x1p-13},
                        {[](double x) { return 1 / x; }, 1 << 14, (1 << 14) - 1, 14, 0x1p-15, 0},
                        {[](double x) { return std::erf(x); }, -3 << 13, 6 << 13, 13, 0x1p-13, 0},
                        {[](double) { return 3.0; }, 0, 100, 4, 0x1p-10, 0},
                        {[](double x) { return x; }, -5, 1, 0, 0x1p-10, 0}};
  for (const Case& c : cases) {
    SCOPED_TRACE(&c - cases);
    const auto s = fit_spline({c.f, c.first, c.last, c.scale, c.absolute, c.relative});
    ASSERT_TRUE(s);
    double largest = 0;
    for (std::int64_t u = 0; u <= c.last; ++u) {
      const double exact = c.f(std::ldexp(static_cast<double>(c.first + u), -c.scale));
      const std::int64_t y = evaluate(*s, u);
      const double error = std::abs(std::ldexp(static_cast<double>(y), -s->scale) - exact);
      ASSERT_LE(error, c.absolute + c.relative * std::abs(exact)) << u;
      ASSERT_TRUE(y >= s->sums[0].low && y <= s->sums[0].high) << u;
      largest = std::max(largest, error);
    }
    EXPECT_EQ(largest, s->error);
    EXPECT_LE(s->index_bits, 7U);
  }
}

TEST(Splines, WhatCannotBeReachedIsNotPromised) {
  // A step, and what needs more than 60 bits.
  EXPECT_FALSE(fit_spline({[](double x) { return x < 0.3 ? 0.0 : 1.0; }, 0, 1 << 16, 16, 0x1p-13, 0}));
  EXPECT_FALSE(fit_spline({[](double x) { return std::exp(x); }, 0, 40 << 12, 12, 0x1p-13, 0}));
  EXPECT_FALSE(fit_spline({[](double x) { return std::log(x); }, 0, 100, 4, 0x1p-10, 0}));  // not finite at 0
  EXPECT_FALSE(fit_spline({[](double x) { return x; }, 0, std::int64_t{1} << 24, 4, 0x1p-10, 0}));
}

// The whole matrix of a convolution, for images small enough to write it out; its norm by the power method, from below.
double exact_norm(const ConvShape& s, const std::vector<float>& w) {
  const std::size_t columns = s.inputs();
  std::vector<double> m(s.outputs() * columns);
  const std::size_t positions = s.positions();
  const std::size_t image = s.inputs() / (s.groups * s.in_channels);
  const auto& [a, b, c] = s.axes;
  const std::size_t window = s.columns() / s.in_channels;
  for (std::size_t r = 0; r < s.rows(); ++r) {
    for (std::size_t p = 0; p < positions; ++p) {
      for (std::size_t k = 0; k < window; ++k) {
        const auto i0 = a.input_at(p / c.output / b.output, k / c.kernel / b.kernel);
        const auto i1 = b.input_at(p / c.output % b.output, k / c.kernel % b.kernel);
        const auto i2 = c.input_at(p % c.output, k % c.kernel);
        if (i0 < 0 || i1 < 0 || i2 < 0) continue;
        const auto at = (static_cast<std::size_t>(i0) * b.input + static_cast<std::size_t>(i1)) * c.input + static_cast<std::size_t>(i2);
        for (std::size_t ch = 0; ch < s.in_channels; ++ch) {
          m[(r * positions + p) * columns + (r / s.out_channels * s.in_channels + ch) * image + at] +=
              static_cast<double>(w[r * s.columns() + ch * window + k]);
        }
      }
    }
  }
  std::vector<double> v(columns, 1);
  for (std::size_t i = 0; i < columns; ++i) v[i] += static_cast<double>(i * 37 % 11);
  double norm = 0;
  for (int step = 0; step < 200; ++step) {
    double length = 0;
    for (const double x : v) length += x * x;
    length = std::sqrt(length);
    if (!(length > 0)) return 0;
    for (double& x : v) x /= length;
    std::vector<double> back(columns);
    double squares = 0;
    for (std::size_t r = 0; r < s.outputs(); ++r) {
      double y = 0;
      for (std::size_t i = 0; i < columns; ++i) y += m[r * columns + i] * v[i];
      squares += y * y;
      for (std::size_t i = 0; i < columns; ++i) back[i] += m[r * columns + i] * y;
    }
    norm = std::max(norm, std::sqrt(squares));
    v = std::move(back);
  }
  return norm;
}

TEST(MapNorms, AreBoundsAndNotFarFromTheTruth) {
  std::mt19937 rng(5);
  const auto pick = [&](std::size_t low, std::size_t high) { return low + rng() % (high - low + 1); };
  double worst = 0;
  for (int run = 0; run < 60; ++run) {
    ConvShape s;
    s.groups = pick(1, 2);
    s.in_channels = pick(1, 3);
    s.out_channels = pick(1, 3);
    for (std::size_t i = 1; i < 3; ++i) {
      ConvAxis& a = s.axes[i];
      a.input = pick(1, 7);
      a.kernel = pick(1, 4);
      a.dilation = pick(1, 2);
      a.stride = pick(1, 2);
      a.spread = run % 4 == 0 ? pick(1, 2) : 1;
      a.pad = static_cast<std::int64_t>(pick(0, 3));
      a.output = pick(1, 8);
    }
    std::normal_distribution<float> normal;
    std::vector<float> w(s.rows() * s.columns());
    for (float& v : w) v = run % 7 == 0 ? 1 : normal(rng);
    const double exact = exact_norm(s, w);
    const double bound = map_norm_bound(s, w);
    EXPECT_GE(bound, exact) << run;
  }
  // What networks are made of: 3 x 3 and 5 x 5 over an image of the same size.
  for (int run = 0; run < 10; ++run) {
    ConvShape s;
    s.in_channels = pick(1, 4);
    s.out_channels = pick(1, 4);
    const std::size_t kernel = 3 + 2 * pick(0, 1);
    for (std::size_t i = 1; i < 3; ++i) {
      s.axes[i].input = s.axes[i].output = 9;
      s.axes[i].kernel = kernel;
      s.axes[i].pad = static_cast<std::int64_t>(kernel / 2);
    }
    std::normal_distribution<float> normal;
    std::vector<float> w(s.rows() * s.columns());
    for (float& v : w) v = normal(rng);
    const double exact = exact_norm(s, w);
    const double bound = map_norm_bound(s, w);
    EXPECT_GE(bound, exact) << run;
    worst = std::max(worst, bound / exact);
  }
  EXPECT_LT(worst, 1.3);
  EXPECT_EQ(map_norm_bound(ConvShape{}, std::vector<float>{0}), 0);
  EXPECT_NEAR(map_norm_bound(ConvShape{}, std::vector<float>{-3}), 3, 0.05);
}

}  // namespace
}  // namespace smpc
