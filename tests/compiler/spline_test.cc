// Splines in integers.
#include <gtest/gtest.h>

#include <cmath>

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

}  // namespace
}  // namespace smpc
