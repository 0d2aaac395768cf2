// Bounds are sound: no input that was found, by power iteration or at the corners, passes them.
#include "src/compiler/bounds.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "src/compiler/spectral.h"
#include "support/thinned.h"

namespace smpc {
namespace {

std::vector<std::int32_t> random_matrix(std::size_t rows, std::size_t columns, std::mt19937& rng, bool sparse) {
  std::normal_distribution<double> normal(0, 20000);
  std::vector<std::int32_t> m(rows * columns);
  for (auto& w : m) {
    if (!sparse || rng() % 8 == 0) w = static_cast<std::int32_t>(normal(rng));
  }
  return m;
}

WeightMatrix weights_of(const std::vector<std::int32_t>& m) { return WeightMatrix(WeightMatrix::Wide(m.begin(), m.end())); }

// |W v| / |v| for the best v that power iteration finds, and that v.
double power_iteration(const std::vector<std::int32_t>& m, std::size_t rows, std::vector<double>& v) {
  const std::size_t columns = v.size();
  double sigma = 0;
  for (int n = 0; n < 200; ++n) {
    std::vector<double> y(rows);
    std::vector<double> back(columns);
    double length = 0;
    double reached = 0;
    for (const double x : v) length += x * x;
    for (std::size_t r = 0; r < rows; ++r) {
      for (std::size_t c = 0; c < columns; ++c) y[r] += static_cast<double>(m[r * columns + c]) * v[c];
      reached += y[r] * y[r];
    }
    if (!(length > 0)) return 0;
    sigma = std::max(sigma, std::sqrt(reached / length));
    double largest = 0;
    for (std::size_t r = 0; r < rows; ++r) {
      for (std::size_t c = 0; c < columns; ++c) back[c] += static_cast<double>(m[r * columns + c]) * y[r];
    }
    for (const double x : back) largest = std::max(largest, std::abs(x));
    if (!(largest > 0)) return sigma;
    for (std::size_t c = 0; c < columns; ++c) v[c] = back[c] / largest;
  }
  return sigma;
}

TEST(SpectralNorm, IsAnUpperBoundAndCloseToTheLargestSingularValue) {
  std::mt19937 rng(7);
  for (int n = 0; n < 30; ++n) {
    const std::size_t rows = 1 + rng() % 60;
    const std::size_t columns = 1 + rng() % 3000;
    const auto m = random_matrix(rows, columns, rng, n % 2 == 0);
    std::vector<double> v(columns, 1);
    for (double& x : v) x += 0.1 * static_cast<double>(rng() % 10);
    const double found = power_iteration(m, rows, v);
    const double bound = spectral_norm_bound(weights_of(m), rows, columns, std::vector<int>(columns));
    EXPECT_GE(bound, found) << rows << " x " << columns;
    EXPECT_LE(bound, 1.2 * found + 1) << rows << " x " << columns;
  }
}

TEST(SpectralNorm, OfARankOneMatrixIsTheProductOfTheNorms) {
  const std::vector<std::int32_t> m{3 << 20, 4 << 20, 6 << 20, 8 << 20};
  const double bound = spectral_norm_bound(weights_of(m), 2, 2, std::vector<int>(2));
  EXPECT_GE(bound, std::sqrt(125.0) * 0x1p20);
  EXPECT_LE(bound, std::sqrt(125.0) * 0x1p20 * 1.001);
  const std::vector<int> halves{-1, -1};
  EXPECT_NEAR(spectral_norm_bound(weights_of(m), 2, 2, halves), bound / 2, 1e-3 * bound);
  EXPECT_EQ(spectral_norm_bound(weights_of(std::vector<std::int32_t>(4)), 2, 2, halves), 0);
}

struct Net {
  Weights weights;
  std::vector<unsigned> shifts;
  std::vector<bool> relu;
};

// Every pre-activation of one input, against the bounds of its layer.
void expect_within(const Net& net, const std::vector<Interval>& hulls, std::vector<i128> x) {
  for (std::size_t k = 0; k < net.weights.size(); ++k) {
    const LinearWeights& w = net.weights[k];
    std::vector<i128> y(w.bias.begin(), w.bias.end());
    for (std::size_t r = 0; r < y.size(); ++r) {
      for (std::size_t c = 0; c < x.size(); ++c) y[r] += static_cast<i128>(w.matrix[r * x.size() + c]) * x[c];
      ASSERT_TRUE(y[r] >= hulls[k].low && y[r] <= hulls[k].high) << "layer " << k << ", output " << r;
    }
    for (i128& e : y) e = (net.relu[k] ? std::max<i128>(e, 0) : e) >> net.shifts[k];
    x = std::move(y);
  }
}

TEST(Bounds, HoldForCornersRandomInputsAndThoseOfPowerIteration) {
  std::mt19937 rng(3);
  for (int n = 0; n < 40 / smpc::testing::one_in(4); ++n) {
    const std::int64_t limit = 1 + static_cast<std::int64_t>(rng() % 4096);
    const std::size_t inputs = 20 + rng() % 400;
    Net net;
    Bounds bounds(inputs, limit, 0);
    std::vector<Interval> hulls;
    std::size_t columns = inputs;
    std::vector<std::int32_t> first;
    for (std::size_t k = 0; k < 3; ++k) {
      const std::size_t rows = 2 + rng() % 40;
      const auto m = random_matrix(rows, columns, rng, n % 3 == 0);
      if (k == 0) first = m;
      LinearWeights w;
      w.matrix = weights_of(m);
      for (std::size_t r = 0; r < rows; ++r) w.bias.push_back(static_cast<std::int64_t>(rng() % 100'000) - 50'000);
      bounds.linear(w, k == 2);
      hulls.push_back(bounds.hull());
      net.weights.push_back(std::move(w));
      net.shifts.push_back(10 + rng() % 6);
      net.relu.push_back(rng() % 3 != 0);
      net.relu.back() ? bounds.relu(net.shifts.back()) : bounds.truncate(net.shifts.back());
      columns = rows;
    }
    for (int t = 0; t < 30; ++t) {
      std::vector<double> v(inputs);
      for (double& e : v) e = static_cast<double>(rng() % 2001) - 1000;
      if (t % 3 == 1) power_iteration(first, net.weights[0].bias.size(), v);
      std::vector<i128> x(inputs);
      for (std::size_t c = 0; c < inputs; ++c) {
        if (t % 3 == 0) x[c] = static_cast<i128>(v[c] / 1000 * static_cast<double>(limit));
        if (t % 3 == 1) x[c] = v[c] > 0 ? limit : -limit;
        if (t % 3 == 2) x[c] = first[(static_cast<std::size_t>(t) % net.weights[0].bias.size()) * inputs + c] > 0 ? limit : -limit;
      }
      expect_within(net, hulls, x);
    }
  }
}

TEST(Bounds, ReachTheNormWhereOneIsDeclared) {
  LinearWeights w;
  const std::vector<std::int32_t> row{3, 4};
  w.matrix = weights_of(row);
  w.bias.push_back(0);
  Bounds bounds(2, 1000, 500);
  bounds.linear(w, true);
  EXPECT_GE(bounds.hull().high, 2500);  // x = (300, 400)
  EXPECT_LE(bounds.hull().high, 2502);
}

TEST(Bounds, AreNarrowerThanIntervalsAfterTheFirstLayer) {
  std::mt19937 rng(5);
  Bounds bounds(2000, 1000, 0);
  i128 interval = 1000;
  for (std::size_t k = 0; k < 3; ++k) {
    const std::size_t columns = k == 0 ? 2000 : 50;
    const auto m = random_matrix(50, columns, rng, false);
    LinearWeights w;
    w.matrix = weights_of(m);
    w.bias.resize(50);
    bounds.linear(w, false);
    i128 widest = 0;
    for (std::size_t r = 0; r < 50; ++r) {
      i128 sum = 0;
      for (std::size_t c = 0; c < columns; ++c) sum += interval * std::abs(m[r * columns + c]);
      widest = std::max(widest, sum);
    }
    interval = widest;
    if (k == 2) {
      EXPECT_LT(wide_bits(bounds.hull()) + 3, wide_bits({-interval, interval}));
    }
    bounds.relu(14);
    interval >>= 14;
  }
}

}  // namespace
}  // namespace smpc
