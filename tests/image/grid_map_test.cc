#include "smpc/image/grid_map.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <optional>
#include <random>

#include "smpc/base/error.h"
#include "smpc/image/grid_words.h"
#include "smpc/image/scan.h"
#include "support/expect_has.h"

namespace smpc {
namespace {

using Vec = std::array<double, 3>;

const std::array<std::array<std::size_t, 3>, 6> orders{
    {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}}};

// Oblique and sheared, so that no two axes can be mistaken for one another.
Grid oblique() {
  Grid g;
  g.shape = {3, 4, 5};
  g.affine = {-2, 0.25, 0.1, 31, 0.5, 3, -0.2, -12, 0.3, 0.4, 2.5, 7, 0, 0, 0, 1};
  return g;
}

Grid cubic(std::uint32_t n, double size) {
  Grid g;
  g.shape = {n, n, n};
  g.affine = {size, 0, 0, 0, 0, size, 0, 0, 0, 0, size, 0, 0, 0, 0, 1};
  return g;
}

Grid mni_of(std::uint32_t i, std::uint32_t j, std::uint32_t k, double size) {
  Grid g;
  g.shape = {i, j, k};
  g.affine = {-size, 0, 0, 90, 0, size, 0, -126, 0, 0, size, -72, 0, 0, 0, 1};
  return g;
}
const Grid mni_2mm = mni_of(91, 109, 91, 2);
const Grid mni_4mm = mni_of(45, 54, 45, 4);

std::size_t index(const Grid& g, std::size_t i, std::size_t j, std::size_t k) {
  return (i * g.shape[1] + j) * g.shape[2] + k;
}

template <class Visit>
void for_each_voxel(const Grid& g, Visit visit) {
  for (std::size_t i = 0; i < g.shape[0]; ++i) {
    for (std::size_t j = 0; j < g.shape[1]; ++j) {
      for (std::size_t k = 0; k < g.shape[2]; ++k) visit(i, j, k);
    }
  }
}

// The grid whose axis a is axis order[a] of `g`, run from its end where flip[a].
Grid reordered(const Grid& g, const std::array<std::size_t, 3>& order, unsigned flips) {
  Grid out;
  out.affine[15] = 1;
  for (std::size_t row = 0; row < 3; ++row) out.affine[4 * row + 3] = g.affine[4 * row + 3];
  for (std::size_t a = 0; a < 3; ++a) {
    out.shape[a] = g.shape[order[a]];
    for (std::size_t row = 0; row < 3; ++row) {
      const double column = g.affine[4 * row + order[a]];
      const bool flip = (flips >> a & 1U) != 0;
      out.affine[4 * row + a] = flip ? -column : column;
      if (flip) out.affine[4 * row + 3] += column * (g.shape[order[a]] - 1.0);
    }
  }
  return out;
}

SecretVector<double> counting(const Grid& g) {
  SecretVector<double> v(g.voxels());
  std::iota(v.begin(), v.end(), 0.1);
  return v;
}

SecretVector<double> random_values(const Grid& g, std::mt19937_64& random) {
  SecretVector<double> v(g.voxels());
  std::uniform_real_distribution<double> value(-5, 5);
  for (double& x : v) x = value(random);
  return v;
}

std::string refusal(const Grid& from, const Grid& to) {
  try {
    const GridMap map(from, to, "scan.nii");
  } catch (const Error& e) {
    EXPECT_EQ(e.kind(), ErrorKind::bad_input);
    return e.what();
  }
  return "";
}

TEST(GridMap, EachOfThe48OrdersOfAxesIsGatheredVoxelForVoxel) {
  const Grid from = oblique();
  const auto volume = counting(from);
  for (const auto& order : orders) {
    for (unsigned flips = 0; flips < 8; ++flips) {
      const Grid to = reordered(from, order, flips);
      const bool identity = order == orders[0] && flips == 0;
      EXPECT_EQ(match_grid(from, to), identity ? GridMatch::same : GridMatch::reoriented);
      const GridMap map(from, to);
      EXPECT_EQ(map.match(), match_grid(from, to));
      EXPECT_EQ(map.outside(), 0.0);
      const auto out = map.apply(volume);
      ASSERT_EQ(out.size(), volume.size());
      for_each_voxel(to, [&](std::size_t i, std::size_t j, std::size_t k) {
        const std::array<std::size_t, 3> at = {i, j, k};
        std::array<std::size_t, 3> source{};
        for (std::size_t a = 0; a < 3; ++a) {
          source[order[a]] = (flips >> a & 1U) != 0 ? to.shape[a] - 1 - at[a] : at[a];
        }
        EXPECT_EQ(out[index(to, i, j, k)], volume[index(from, source[0], source[1], source[2])]);
      });
      EXPECT_TRUE(GridMap(to, from).apply(out) == volume);
    }
  }
}

TEST(GridMap, TheToleranceIsThatOfCheckGrid) {
  for (const auto& order : orders) {
    for (unsigned flips = 0; flips < 8; ++flips) {
      Grid to = reordered(mni_of(45, 54, 45, 4), order, flips);
      const GridMatch match = match_grid(mni_4mm, to);
      EXPECT_NE(match, GridMatch::other);
      to.affine[7] += 0.0099;
      EXPECT_EQ(match_grid(mni_4mm, to), match);
      to.affine[7] += 0.0002;
      EXPECT_EQ(match_grid(mni_4mm, to), GridMatch::other);
    }
  }
}

TEST(GridMap, WithinTheToleranceNothingIsInterpolated) {
  Grid from = mni_4mm;
  from.affine[3] += 0.009;
  std::mt19937_64 random(1);
  const auto volume = random_values(from, random);
  const GridMap map(from, mni_4mm);
  EXPECT_EQ(map.match(), GridMatch::same);
  EXPECT_TRUE(map.apply(volume) == volume);
  EXPECT_EQ(map.describe(), "");
}

TEST(GridMap, AModelOfOneSliceTakesItsOwnGridAndItsFlips) {
  Grid slice = oblique();
  slice.shape = {3, 4, 1};
  const auto volume = counting(slice);
  EXPECT_TRUE(GridMap(slice, slice).apply(volume) == volume);
  const GridMap map(slice, reordered(slice, {2, 0, 1}, 5));
  EXPECT_EQ(map.match(), GridMatch::reoriented);
  EXPECT_EQ(map.apply(volume)[1], volume[index(slice, 0, 2, 0)]);
}

TEST(GridMap, EverySecondVoxelOfAGridOf2MmIsOneOf4Mm) {
  std::mt19937_64 random(2);
  const auto volume = random_values(mni_2mm, random);
  const GridMap map(mni_2mm, mni_4mm);
  EXPECT_EQ(map.match(), GridMatch::other);
  EXPECT_EQ(map.outside(), 0.0);
  const auto out = map.apply(volume);
  std::size_t wrong = 0;
  for_each_voxel(mni_4mm, [&](std::size_t i, std::size_t j, std::size_t k) {
    wrong += out[index(mni_4mm, i, j, k)] != volume[index(mni_2mm, 2 * i, 2 * j, 2 * k)] ? 1 : 0;
  });
  EXPECT_EQ(wrong, 0U);
  EXPECT_EQ(map.describe(), "resampled from 91 x 109 x 91 voxels of 2 x 2 x 2 mm by trilinear interpolation");
}

TEST(GridMap, FlippedAndShiftedByAWholeVoxelTheValuesAreExact) {
  Grid from = cubic(6, 4);
  std::mt19937_64 random(3);
  const auto volume = random_values(from, random);
  Grid to = cubic(5, 4);
  to.affine[0] = -4;
  to.affine[3] = 20;  // i runs back from the source's 5
  to.affine[7] = 4;
  const GridMap map(from, to);
  EXPECT_EQ(map.match(), GridMatch::other);
  const auto out = map.apply(volume);
  for_each_voxel(to, [&](std::size_t i, std::size_t j, std::size_t k) {
    EXPECT_EQ(out[index(to, i, j, k)], volume[index(from, 5 - i, j + 1, k)]);
  });
}

TEST(GridMap, TheValuesBetweenTwoVoxelsAreTheirMeansAndTheFieldEndsAtTheCentres) {
  const Grid from = cubic(4, 1);
  const auto volume = counting(from);
  // Along i alone: where each centre of the target falls, and what it takes.
  const double tolerance = GridMap::field_tolerance;
  for (const auto& [start, expected] : std::vector<std::pair<double, std::optional<double>>>{
           {0.0, 0.0}, {0.5, 0.5}, {1.25, 1.25}, {3.0, 3.0}, {2.75, 2.75},
           {-0.9 * tolerance, 0.0}, {3 + 0.9 * tolerance, 3.0}, {-1.1 * tolerance, std::nullopt},
           {3 + 1.1 * tolerance, std::nullopt}, {-0.5, std::nullopt}, {3.5, std::nullopt}, {-40, std::nullopt}}) {
    Grid to = cubic(4, 1);
    to.shape[0] = 2;  // the centre that is looked at, and one that is always inside
    to.affine[3] = start;
    to.affine[0] = 1 - start;
    const GridMap map(from, to);
    const auto out = map.apply(volume);
    EXPECT_EQ(map.outside(), expected ? 0.0 : 0.5) << start;
    for (std::size_t j = 0; j < 4; ++j) {
      for (std::size_t k = 0; k < 4; ++k) {
        const double first = volume[index(from, 0, j, k)];
        const double slope = volume[index(from, 1, j, k)] - first;
        EXPECT_NEAR(out[index(to, 0, j, k)], expected ? first + *expected * slope : 0, 1e-12) << start;
        EXPECT_NEAR(out[index(to, 1, j, k)], volume[index(from, 1, j, k)], 1e-12);
      }
    }
  }
}

// Where the centre of voxel `at` of `to` falls in `from`, by Cramer's rule in extended precision.
std::array<long double, 3> naive_place(const Grid& from, const Grid& to, const std::array<std::size_t, 3>& at) {
  std::array<std::array<long double, 4>, 3> m{};
  for (std::size_t row = 0; row < 3; ++row) {
    long double millimetres = to.affine[4 * row + 3];
    for (std::size_t a = 0; a < 3; ++a) millimetres += static_cast<long double>(to.affine[4 * row + a]) * at[a];
    for (std::size_t a = 0; a < 3; ++a) m[row][a] = from.affine[4 * row + a];
    m[row][3] = millimetres - from.affine[4 * row + 3];
  }
  const auto det = [&](std::size_t a, std::size_t b, std::size_t c) {
    return m[0][a] * (m[1][b] * m[2][c] - m[1][c] * m[2][b]) - m[0][b] * (m[1][a] * m[2][c] - m[1][c] * m[2][a]) +
           m[0][c] * (m[1][a] * m[2][b] - m[1][b] * m[2][a]);
  };
  const long double whole = det(0, 1, 2);
  return {det(3, 1, 2) / whole, det(0, 3, 2) / whole, det(0, 1, 3) / whole};
}

// The sum over all voxels of value times hat function: the definition of trilinear interpolation. None outside.
std::optional<double> naive_value(const Grid& from, std::span<const double> volume,
                                  std::array<long double, 3> place) {
  for (std::size_t a = 0; a < 3; ++a) {
    const long double last = from.shape[a] - 1.0L;
    if (place[a] < -GridMap::field_tolerance || place[a] > last + GridMap::field_tolerance) return std::nullopt;
    place[a] = std::clamp(place[a], 0.0L, last);
  }
  const auto hat = [](long double x) { return std::max(0.0L, 1 - std::abs(x)); };
  long double sum = 0;
  for_each_voxel(from, [&](std::size_t i, std::size_t j, std::size_t k) {
    sum += volume[index(from, i, j, k)] * hat(place[0] - i) * hat(place[1] - j) * hat(place[2] - k);
  });
  return static_cast<double>(sum);
}

Grid random_grid(std::mt19937_64& random) {
  std::uniform_int_distribution<std::uint32_t> extent(2, 7);
  std::uniform_real_distribution<double> entry(-1, 1);
  Grid g;
  g.shape = {extent(random), extent(random), extent(random)};
  const std::size_t first = random() % 3;
  for (std::size_t row = 0; row < 3; ++row) {
    for (std::size_t a = 0; a < 3; ++a) {
      g.affine[4 * row + a] = (a == (row + first) % 3 ? (random() % 2 == 0 ? 3.0 : -3.0) : 0) + entry(random);
    }
  }
  for (std::size_t row = 0; row < 3; ++row) {  // centred near the origin, so that fields overlap
    for (std::size_t a = 0; a < 3; ++a) g.affine[4 * row + 3] -= g.affine[4 * row + a] * (g.shape[a] - 1.0) / 2;
    g.affine[4 * row + 3] += entry(random);
  }
  g.affine[15] = 1;
  return g;
}

TEST(GridMap, RandomGridsAgreeWithTheDefinition) {
  std::mt19937_64 random(4);
  std::size_t taken = 0;
  std::size_t refused = 0;
  for (int round = 0; round < 400; ++round) {
    const Grid from = random_grid(random);
    const Grid to = random_grid(random);
    const auto volume = random_values(from, random);
    std::vector<std::optional<double>> expected;
    for_each_voxel(to, [&](std::size_t i, std::size_t j, std::size_t k) {
      expected.push_back(naive_value(from, volume, naive_place(from, to, {i, j, k})));
    });
    const auto outside = static_cast<std::size_t>(std::count(expected.begin(), expected.end(), std::nullopt));
    const std::string message = refusal(from, to);
    EXPECT_EQ(message.empty(), 2 * outside <= to.voxels()) << message;
    EXPECT_EQ(message.empty(), resampling_obstacle(from, to).empty());
    ++(message.empty() ? taken : refused);
    if (!message.empty()) continue;
    const GridMap map(from, to);
    EXPECT_EQ(map.match(), GridMatch::other);
    EXPECT_EQ(map.outside(), static_cast<double>(outside) / static_cast<double>(to.voxels()));
    const auto out = map.apply(volume);
    for (std::size_t n = 0; n < out.size(); ++n) ASSERT_NEAR(out[n], expected[n].value_or(0), 1e-9) << round;
  }
  EXPECT_GT(taken, 50U);
  EXPECT_GT(refused, 50U);
}

TEST(GridMap, ALinearFunctionOfSpaceIsKept) {
  std::mt19937_64 random(5);
  const auto linear = [](const Grid& g, std::size_t i, std::size_t j, std::size_t k) {
    const auto at = [&](std::size_t row) {
      const double* m = g.affine.data() + 4 * row;
      return m[0] * static_cast<double>(i) + m[1] * static_cast<double>(j) + m[2] * static_cast<double>(k) + m[3];
    };
    return 0.7 - 1.3 * at(0) + 2.1 * at(1) + 0.4 * at(2);
  };
  std::size_t inside = 0;
  for (int round = 0; round < 200; ++round) {
    const Grid from = random_grid(random);
    const Grid to = random_grid(random);
    if (!resampling_obstacle(from, to).empty()) continue;
    SecretVector<double> volume(from.voxels());
    for_each_voxel(from, [&](auto i, auto j, auto k) { volume[index(from, i, j, k)] = linear(from, i, j, k); });
    const auto out = GridMap(from, to).apply(volume);
    for_each_voxel(to, [&](std::size_t i, std::size_t j, std::size_t k) {
      const auto place = naive_place(from, to, {i, j, k});
      for (std::size_t a = 0; a < 3; ++a) {
        if (place[a] < 1e-9 || place[a] > from.shape[a] - 1 - 1e-9) return;
      }
      ++inside;
      ASSERT_NEAR(out[index(to, i, j, k)], linear(to, i, j, k), 1e-9);
    });
  }
  EXPECT_GT(inside, 1000U);
}

TEST(GridMap, GridsThatCannotBeInterpolatedAreRefusedInWords) {
  Grid away = mni_2mm;
  away.affine[3] += 1000;
  EXPECT_EQ(refusal(away, mni_4mm),
            "scan.nii: expected a volume that covers at least half of the model's grid, to be resampled onto it; found "
            "that it does not overlap the model's grid; normalise the scan to MNI space");
  for (std::size_t axis = 0; axis < 3; ++axis) {
    Grid slice = mni_2mm;
    slice.shape[axis] = 1;
    EXPECT_HAS(refusal(slice, mni_4mm), "single slice");
  }
  Grid slab = mni_4mm;  // 22 of the 45 planes, then 23
  slab.shape[2] = 22;
  EXPECT_HAS(refusal(slab, mni_4mm), "covers only 48.8 % of the model's grid");
  slab.shape[2] = 23;
  EXPECT_EQ(refusal(slab, mni_4mm), "");
}

TEST(GridMap, AnAffineThatMakesNoSpaceOverlapsNothing) {
  constexpr double nan = std::numeric_limits<double>::quiet_NaN();
  constexpr double infinity = std::numeric_limits<double>::infinity();
  for (const std::size_t entry : {0U, 5U, 10U}) {
    Grid g = mni_2mm;
    for (const double bad : {nan, infinity, -infinity, 1e308}) {
      g.affine[entry] = bad;
      EXPECT_HAS(refusal(g, mni_4mm), "overlap") << bad;
      EXPECT_HAS(refusal(mni_2mm, g), "the model's grid; normalise") << bad;
    }
    g.affine[entry] = 0;
    EXPECT_HAS(refusal(g, mni_4mm), "overlap");
  }
}

TEST(GridMap, SaysWhatItDoes) {
  EXPECT_EQ(GridMap(reordered(mni_4mm, orders[0], 1), mni_4mm).describe(),
            "reoriented from RAS to LAS, voxel for voxel, without interpolation");
  EXPECT_EQ(GridMap(reordered(mni_4mm, orders[5], 2), mni_4mm).describe(),
            "reoriented from SPL to LAS, voxel for voxel, without interpolation");
  Grid cropped = mni_4mm;  // one plane of 45 is missing
  cropped.shape[0] = 44;
  EXPECT_EQ(GridMap(cropped, mni_4mm).describe(),
            "resampled from 44 x 54 x 45 voxels of 4 x 4 x 4 mm by trilinear interpolation; 2.2 % of the model's grid "
            "lies outside the scan and was set to 0");
  Grid sheared = cubic(60, 1);  // of 216,000 centres 60 are just outside: i = 0, j = 59
  sheared.affine[1] = 1.7e-4;
  EXPECT_HAS(GridMap(sheared, cubic(60, 1)).describe(), "; less than 0.1 % of the model's grid");
}

}  // namespace
}  // namespace smpc
