// Convolutions and window sums against their definition, element by element.
#include "smpc/ring/conv.h"

#include <gtest/gtest.h>

#include <random>

namespace smpc {
namespace {

// y[g, r, o] = sum w[g, r, c, k] x[g, c, i], with i spread * stride... from the definition in conv.h.
template <class T>
RingVector by_definition(const ConvShape& s, const std::vector<T>& w, const RingVector& x) {
  RingVector y(s.outputs());
  const auto& [a, b, c] = s.axes;
  const auto place = [](const ConvAxis& axis, std::size_t o, std::size_t k) {
    return static_cast<std::int64_t>(o * axis.stride) + static_cast<std::int64_t>(k * axis.dilation) - axis.pad;
  };
  const auto hits = [](const ConvAxis& axis, std::int64_t p, std::size_t i) {
    return p == static_cast<std::int64_t>(i * axis.spread);
  };
  for (std::size_t at = 0; at < y.size(); ++at) {
    const std::size_t row = at / s.positions();
    const std::size_t g = row / s.out_channels;
    const std::size_t o2 = at % c.output;
    const std::size_t o1 = at / c.output % b.output;
    const std::size_t o0 = at / c.output / b.output % a.output;
    for (std::size_t column = 0; column < s.columns(); ++column) {
      const std::size_t k2 = column % c.kernel;
      const std::size_t k1 = column / c.kernel % b.kernel;
      const std::size_t k0 = column / c.kernel / b.kernel % a.kernel;
      const std::size_t channel = column / c.kernel / b.kernel / a.kernel;
      for (std::size_t i0 = 0; i0 < a.input; ++i0) {
        for (std::size_t i1 = 0; i1 < b.input; ++i1) {
          for (std::size_t i2 = 0; i2 < c.input; ++i2) {
            if (!hits(a, place(a, o0, k0), i0) || !hits(b, place(b, o1, k1), i1) || !hits(c, place(c, o2, k2), i2)) continue;
            const std::size_t from = (((g * s.in_channels + channel) * a.input + i0) * b.input + i1) * c.input + i2;
            y[at] += static_cast<std::uint64_t>(w[row * s.columns() + column]) * x[from];
          }
        }
      }
    }
  }
  return y;
}

ConvAxis random_axis(std::mt19937_64& rng) {
  ConvAxis a;
  a.input = 1 + rng() % 6;
  a.kernel = 1 + rng() % 3;
  a.stride = 1 + rng() % 3;
  a.dilation = 1 + rng() % 2;
  a.spread = 1 + rng() % 3;
  a.pad = static_cast<std::int64_t>(rng() % 5) - 2;
  a.output = 1 + rng() % 6;
  return a;
}

template <class T>
class Convolutions : public ::testing::Test {};
using WeightTypes = ::testing::Types<std::int16_t, std::int32_t, std::uint64_t>;
TYPED_TEST_SUITE(Convolutions, WeightTypes);

TYPED_TEST(Convolutions, AreTheirDefinitionForRandomShapes) {
  std::mt19937_64 rng(7);
  for (int run = 0; run < 200; ++run) {
    ConvShape s;
    s.groups = 1 + rng() % 3;
    s.in_channels = 1 + rng() % 3;
    s.out_channels = 1 + rng() % 3;
    s.axes = {random_axis(rng), random_axis(rng), random_axis(rng)};
    std::vector<TypeParam> w(s.rows() * s.columns());
    for (TypeParam& v : w) v = static_cast<TypeParam>(rng());
    RingVector x(s.inputs());
    const Ring ring{run % 2 == 0 ? 64U : 40U};
    for (std::uint64_t& v : x) v = ring.reduce(rng());
    RingVector y(s.outputs(), 3);  // it is added to
    accumulate_conv(s, std::span<const TypeParam>(w), x, y, ring);
    const RingVector expected = by_definition(s, w, x);
    for (std::size_t i = 0; i < y.size(); ++i) ASSERT_EQ(ring.reduce(y[i]), ring.reduce(expected[i] + 3)) << run;
  }
}

// More columns and positions than one block.
TEST(Convolution, OfManyChannelsAndPositions) {
  std::mt19937_64 rng(8);
  ConvShape s;
  s.in_channels = 300;
  s.out_channels = 5;
  s.axes[1] = {9, 9, 3, 1, 1, 1, 1};
  s.axes[2] = {11, 11, 3, 1, 1, 1, 1};
  std::vector<std::int16_t> w(s.rows() * s.columns());
  for (auto& v : w) v = static_cast<std::int16_t>(rng());
  RingVector x(s.inputs());
  for (auto& v : x) v = rng();
  RingVector y(s.outputs());
  accumulate_conv(s, std::span<const std::int16_t>(w), x, y);
  const std::size_t image = 9 * 11;
  for (const std::size_t at : {0UL, 50UL, 98UL, 99UL, 4 * 99 + 57UL}) {  // corners and the middle
    std::uint64_t expected = 0;
    const auto row = static_cast<std::ptrdiff_t>(at % 99 / 11);
    const auto column = static_cast<std::ptrdiff_t>(at % 11);
    for (std::size_t c = 0; c < s.in_channels; ++c) {
      for (std::ptrdiff_t i = -1; i <= 1; ++i) {
        for (std::ptrdiff_t j = -1; j <= 1; ++j) {
          if (row + i < 0 || row + i >= 9 || column + j < 0 || column + j >= 11) continue;
          const std::size_t k = static_cast<std::size_t>(3 * (i + 1) + j + 1);
          expected += static_cast<std::uint64_t>(w[at / 99 * s.columns() + c * 9 + k]) *
                      x[c * image + static_cast<std::size_t>((row + i) * 11 + column + j)];
        }
      }
    }
    EXPECT_EQ(y[at], expected) << at;
  }
}

TEST(Windows, AreAddedUp) {
  std::mt19937_64 rng(9);
  for (int run = 0; run < 100; ++run) {
    ConvShape s;
    s.groups = 1 + rng() % 3;
    s.axes = {random_axis(rng), random_axis(rng), random_axis(rng)};
    const std::vector<std::uint64_t> ones(s.rows() * s.columns(), 1);
    RingVector x(s.inputs());
    for (std::uint64_t& v : x) v = rng();
    RingVector y(s.outputs());
    accumulate_windows(s, x, y);
    EXPECT_EQ(y, by_definition(s, ones, x)) << run;
  }
}

}  // namespace
}  // namespace smpc
