// Bounds of how far a map stretches: every way in which one is found, against the largest singular value of the whole matrix.
#include "src/compiler/map_norm.h"

#include <gtest/gtest.h>

#include <Eigen/Eigenvalues>
#include <array>
#include <cmath>
#include <random>
#include <set>

#include "src/compiler/graph_windows.h"

namespace smpc {
namespace {

class MapNorms : public ::testing::Test {
 protected:
  std::size_t pick(std::size_t low, std::size_t high) { return low + rng_() % (high - low + 1); }

  ConvAxis axis(std::size_t input, std::size_t kernel) {
    ConvAxis a;
    a.input = pick(1, input);
    a.kernel = pick(1, kernel);
    a.dilation = pick(1, 3);
    a.stride = pick(1, 4);
    a.spread = pick(0, 3) == 0 ? pick(1, 3) : 1;
    a.pad = static_cast<std::int64_t>(pick(0, 5)) - 1;
    a.output = pick(1, 9);
    return a;
  }

  // Of the size of the image, as networks have them.
  static ConvAxis same(std::size_t input, std::size_t kernel) {
    ConvAxis a;
    a.input = a.output = input;
    a.kernel = kernel;
    a.pad = static_cast<std::int64_t>(kernel / 2);
    return a;
  }

  std::vector<float> weights(const ConvShape& s, bool ones) {
    std::normal_distribution<float> normal;
    std::vector<float> w(s.rows() * s.columns());
    for (float& v : w) v = ones ? 1 : normal(rng_);
    return w;
  }

  std::mt19937 rng_{5};
};

// The whole matrix of a convolution, for images small enough to write it out.
double exact_norm(const ConvShape& s, const std::vector<float>& w) {
  using Eigen::Index;
  Eigen::MatrixXd m = Eigen::MatrixXd::Zero(static_cast<Index>(s.outputs()), static_cast<Index>(s.inputs()));
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
          m(static_cast<Index>(r * positions + p), static_cast<Index>((r / s.out_channels * s.in_channels + ch) * image + at)) +=
              static_cast<double>(w[r * s.columns() + ch * window + k]);
        }
      }
    }
  }
  const Eigen::MatrixXd gram = m.rows() <= m.cols() ? Eigen::MatrixXd(m * m.transpose()) : Eigen::MatrixXd(m.transpose() * m);
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(gram, Eigen::EigenvaluesOnly);
  return std::sqrt(std::max(0.0, solver.eigenvalues().maxCoeff()));
}

// What is left when no multiplication is allowed: a window's Frobenius norm, and how many windows an element lies in.
double coarsest_bound(const ConvShape& s, const std::vector<float>& w) {
  double largest = 0;
  const std::size_t one = w.size() / s.groups;
  for (std::size_t g = 0; g < s.groups; ++g) {
    double squares = 0;
    for (std::size_t i = 0; i < one; ++i) squares += std::pow(static_cast<double>(w[g * one + i]), 2);
    largest = std::max(largest, std::sqrt(squares));
  }
  for (const ConvAxis& a : s.axes) largest *= std::sqrt(static_cast<double>(most_windows(a)));
  return largest;
}

// From the finest bound to the coarsest: all that there are.
std::set<double> expect_bounds(const ConvShape& s, const std::vector<float>& w) {
  const double exact = exact_norm(s, w);
  std::set<double> found;
  for (double steps = 1e9; steps >= 1; steps /= 1.5) {
    const double bound = map_norm_bound(s, w, steps);
    EXPECT_GE(bound, exact) << steps << " multiplications";
    found.insert(bound);
  }
  const double coarsest = map_norm_bound(s, w, 0);
  EXPECT_GE(coarsest, exact);
  EXPECT_NEAR(coarsest, coarsest_bound(s, w), 1e-5 * coarsest);
  found.insert(coarsest);
  return found;
}

TEST_F(MapNorms, NoElementLiesInMoreWindowsThanIsSaid) {
  std::size_t reached = 0;
  for (int run = 0; run < 20'000; ++run) {
    ConvAxis a = axis(12, 9);
    a.stride = pick(1, 6);
    a.dilation = pick(1, 6);
    a.output = pick(1, 20);
    std::vector<std::size_t> windows(a.input);
    for (std::size_t o = 0; o < a.output; ++o) {
      for (std::size_t k = 0; k < a.kernel; ++k) {
        if (const auto at = a.input_at(o, k); at >= 0) ++windows[static_cast<std::size_t>(at)];
      }
    }
    const std::size_t most = *std::max_element(windows.begin(), windows.end());
    ASSERT_LE(most, most_windows(a)) << "kernel " << a.kernel << ", stride " << a.stride << ", dilation " << a.dilation << ", spread " << a.spread;
    reached += most == most_windows(a) ? 1 : 0;
  }
  EXPECT_GT(reached, 8'000U);
}

TEST_F(MapNorms, AsManyWindowsAsIsSaidWhereTheImageIsLarge) {
  for (std::size_t kernel = 1; kernel <= 7; ++kernel) {
    for (std::size_t stride = 1; stride <= 6; ++stride) {
      for (std::size_t dilation = 1; dilation <= 6; ++dilation) {
        ConvAxis a{200, 60, kernel, stride, dilation, 1, 0};
        std::vector<std::size_t> windows(a.input);
        for (std::size_t o = 0; o < a.output; ++o) {
          for (std::size_t k = 0; k < a.kernel; ++k) {
            if (const auto at = a.input_at(o, k); at >= 0) ++windows[static_cast<std::size_t>(at)];
          }
        }
        ASSERT_EQ(*std::max_element(windows.begin(), windows.end()), most_windows(a)) << kernel << " " << stride << " " << dilation;
      }
    }
  }
}

TEST_F(MapNorms, EveryBoundOfARandomMapHolds) {
  for (int run = 0; run < 150; ++run) {
    SCOPED_TRACE(run);
    ConvShape s;
    const std::size_t dims = pick(1, 3);
    s.groups = pick(1, 2);
    s.in_channels = pick(1, dims == 1 ? 12 : 3);
    s.out_channels = pick(1, dims == 1 ? 12 : 3);
    for (std::size_t i = 3 - dims; i < 3; ++i) s.axes[i] = axis(dims == 1 ? 12 : dims == 2 ? 6 : 3, dims == 3 ? 2 : 4);
    expect_bounds(s, weights(s, run % 7 == 0));
  }
}

// So that every grid of frequencies is coarser than the map's own, along one axis and along several.
TEST_F(MapNorms, EveryGridOfFrequenciesIsReachedAndHolds) {
  std::size_t most = 0;
  for (int run = 0; run < 12; ++run) {
    SCOPED_TRACE(run);
    const std::size_t kernel = 2 + static_cast<std::size_t>(run) % 3;
    ConvShape s;
    s.in_channels = pick(2, 4);
    s.out_channels = pick(2, 4);
    s.axes[2] = same(36, kernel);
    const auto one = expect_bounds(s, weights(s, false));
    EXPECT_GE(one.size(), 3U);
    most = std::max(most, one.size());
    s.in_channels = 2;
    s.out_channels = 1;
    s.axes[2].dilation = 1 + static_cast<std::size_t>(run) % 2;
    s.axes[2].pad *= static_cast<std::int64_t>(s.axes[2].dilation);
    s.axes[1] = same(5, 2);
    s.axes[0] = same(2, 1 + static_cast<std::size_t>(run) % 2);
    expect_bounds(s, weights(s, false));
  }
  EXPECT_GE(most, 5U);  // of 16, 8, 6 and 4 points a degree, of the kernel as a matrix, and of its Frobenius norm
}

// The one in which every bound but the finest was too small: windows that overlap by their dilation alone.
TEST_F(MapNorms, OfDilatedWindowsThatAStrideDoesNotPartHolds) {
  for (const std::size_t dims : {1U, 2U}) {
    for (const std::size_t step : {2U, 3U, 4U}) {
      ConvShape s;
      s.in_channels = dims == 1 ? 12 : 6;
      for (std::size_t i = 3 - dims; i < 3; ++i) s.axes[i] = {8, 8, 4, step, step, 1, static_cast<std::int64_t>(step)};
      const std::vector<float> w(s.rows() * s.columns(), 0.5F);
      expect_bounds(s, w);
    }
  }
}

TEST_F(MapNorms, AWindowsSumStretchesByNoMoreThanIsSaid) {
  for (int run = 0; run < 200; ++run) {
    ConvShape s;
    s.groups = pick(1, 2);
    for (std::size_t i = run % 3; i < 3; ++i) s.axes[i] = axis(run % 3 == 0 ? 3 : 7, 4);
    double squares = static_cast<double>(s.columns());
    for (const ConvAxis& a : s.axes) squares *= static_cast<double>(most_windows(a));
    ASSERT_GE(std::sqrt(squares) * (1 + 1e-12), exact_norm(s, weights(s, true))) << run;
  }
}

// What networks are made of: 3 x 3 and 5 x 5 over an image of the same size.
TEST_F(MapNorms, AreNotFarFromTheTruth) {
  double worst = 0;
  for (int run = 0; run < 10; ++run) {
    ConvShape s;
    s.in_channels = pick(1, 4);
    s.out_channels = pick(1, 4);
    const std::size_t kernel = 3 + 2 * pick(0, 1);
    s.axes[1] = s.axes[2] = same(9, kernel);
    const auto w = weights(s, false);
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
