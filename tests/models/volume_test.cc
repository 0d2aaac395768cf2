#include "volume.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <set>

namespace smpc::demo {
namespace {

TEST(Random, GivesEveryStreamAndIndexItsOwnDraws) {
  std::set<std::uint64_t> seen;
  for (std::uint64_t stream = 0; stream < 20; ++stream) {
    for (std::uint64_t index = 0; index < 50; ++index) {
      EXPECT_EQ(Random(stream, index).next(), Random(stream, index).next());
      seen.insert(Random(stream, index).next());
    }
  }
  EXPECT_EQ(seen.size(), 1000U);
}

TEST(Random, HasMeanZeroAndVarianceOne) {
  Random random(9, 0);
  constexpr int count = 200000;
  double sum = 0, squares = 0, rough_sum = 0, rough_squares = 0;
  for (int n = 0; n < count; ++n) {
    const double a = random.normal();
    const double b = random.rough_normal();
    sum += a;
    squares += a * a;
    rough_sum += b;
    rough_squares += b * b;
  }
  EXPECT_NEAR(sum / count, 0, 0.01);
  EXPECT_NEAR(squares / count, 1, 0.02);
  EXPECT_NEAR(rough_sum / count, 0, 0.01);
  EXPECT_NEAR(rough_squares / count, 1, 0.02);
}

TEST(Random, IsUniformBelowABound) {
  Random random(9, 1);
  std::array<int, 7> seen{};
  for (int n = 0; n < 70000; ++n) ++seen.at(random.below(7));
  for (const int n : seen) EXPECT_NEAR(n, 10000, 500);
}

TEST(PlainExp, IsTheExponential) {
  for (float x = -80; x <= 80; x += 0.37F) EXPECT_NEAR(plain_exp(x) / std::exp(x), 1, 1e-6) << x;
  EXPECT_EQ(plain_exp(0), 1.0F);
}

TEST(Volume, HasTheGridOfMni4mm) {
  const Point first = position(0, 0, 0);
  EXPECT_EQ(first.x, 90);
  EXPECT_EQ(first.y, -126);
  EXPECT_EQ(first.z, -72);
  const Point last = position(44, 53, 44);
  EXPECT_EQ(last.x, -86);
  EXPECT_EQ(last.y, 86);
  EXPECT_EQ(last.z, 104);
  EXPECT_EQ(voxel_index(0, 0, 1), 1U);
  EXPECT_EQ(voxel_index(0, 1, 0), 45U);
  EXPECT_EQ(voxel_index(1, 0, 0), 54U * 45U);
  EXPECT_EQ(demo_grid().voxels(), 109350U);
}

TEST(Volume, HasABrainOfAHumanSize) {
  const std::vector<std::uint32_t> brain = brain_voxels();
  EXPECT_TRUE(std::is_sorted(brain.begin(), brain.end()));
  EXPECT_GT(brain.size(), 25000U);  // the MNI 152 brain takes 28,565 voxels of this grid
  EXPECT_LT(brain.size(), 32000U);
  EXPECT_TRUE(inside_brain({0, 0, 0}));
  EXPECT_TRUE(inside_brain({30, -70, -40}));
  EXPECT_FALSE(inside_brain({0, 40, -50}));
  for (const std::uint32_t voxel : brain) ASSERT_LT(voxel, voxel_count);
}

TEST(Blob, IsHighestAtItsCentreAndHalfAtItsRadius) {
  std::vector<float> volume(voxel_count);
  add_blob(volume, position(20, 30, 25), 8, 3);
  EXPECT_FLOAT_EQ(volume[voxel_index(20, 30, 25)], 3);
  for (const std::size_t half : {voxel_index(22, 30, 25), voxel_index(18, 30, 25), voxel_index(20, 32, 25),
                                 voxel_index(20, 28, 25), voxel_index(20, 30, 27), voxel_index(20, 30, 23)}) {
    EXPECT_NEAR(volume[half], 1.5F, 1e-5);
  }
  EXPECT_EQ(volume[voxel_index(20, 30, 35)], 0);
}

TEST(Blob, MayHangOverTheEdge) {
  std::vector<float> volume(voxel_count);
  add_blob(volume, position(0, 53, 0), 12, 1);
  EXPECT_FLOAT_EQ(volume[voxel_index(0, 53, 0)], 1);
  EXPECT_EQ(volume[voxel_index(44, 0, 44)], 0);
  std::vector<float> empty(voxel_count);
  add_blob(empty, {500, 500, 500}, 8, 1);
  EXPECT_EQ(empty, std::vector<float>(voxel_count));
}

TEST(Blur, KeepsTheSumAndSpreadsAlike) {
  std::vector<float> volume(voxel_count);
  std::vector<float> scratch;
  volume[voxel_index(20, 30, 25)] = 1;
  blur(volume, scratch);
  EXPECT_NEAR(std::accumulate(volume.begin(), volume.end(), 0.0), 1, 1e-5);
  const float centre = volume[voxel_index(20, 30, 25)];
  const float beside = volume[voxel_index(21, 30, 25)];
  EXPECT_NEAR(beside / centre, std::exp(-1 / (2 * 1.44)), 1e-5);
  for (const std::size_t other : {voxel_index(19, 30, 25), voxel_index(20, 31, 25), voxel_index(20, 29, 25),
                                  voxel_index(20, 30, 26), voxel_index(20, 30, 24)}) {
    EXPECT_NEAR(volume[other], beside, 1e-8);
  }
  EXPECT_GT(volume[voxel_index(23, 27, 28)], 0);
  EXPECT_EQ(volume[voxel_index(24, 30, 25)], 0);
  EXPECT_EQ(volume[voxel_index(20, 34, 25)], 0);
  EXPECT_EQ(volume[voxel_index(20, 30, 29)], 0);
}

TEST(Blur, KeepsAConstantAndLosesAtTheBorder) {
  std::vector<float> volume(voxel_count, 2.0F);
  std::vector<float> scratch;
  blur(volume, scratch);
  EXPECT_NEAR(volume[voxel_index(3, 3, 3)], 2, 1e-5);
  EXPECT_NEAR(volume[voxel_index(41, 50, 41)], 2, 1e-5);
  EXPECT_LT(volume[voxel_index(0, 20, 20)], 1.5F);
}

TEST(SmoothNoise, HasVarianceOneAndIsCorrelatedInSpace) {
  double squares = 0, near = 0, far = 0, sum = 0, count = 0;
  std::vector<float> volume(voxel_count);
  std::vector<float> scratch;
  for (std::uint64_t draw = 0; draw < 8; ++draw) {
    Random random(9, draw);
    smooth_noise(volume, random, scratch);
    for (std::size_t i = 3; i < nx - 11; ++i) {
      for (std::size_t j = 3; j < ny - 3; ++j) {
        for (std::size_t k = 3; k < nz - 3; ++k) {
          const double v = volume[voxel_index(i, j, k)];
          sum += v;
          squares += v * v;
          near += v * volume[voxel_index(i + 1, j, k)];
          far += v * volume[voxel_index(i + 8, j, k)];
          count += 1;
        }
      }
    }
  }
  EXPECT_NEAR(sum / count, 0, 0.05);
  EXPECT_NEAR(squares / count, 1, 0.05);
  EXPECT_NEAR(near / count, std::exp(-1 / (4 * 1.44)), 0.05);
  EXPECT_NEAR(far / count, 0, 0.05);
}

}  // namespace
}  // namespace smpc::demo
