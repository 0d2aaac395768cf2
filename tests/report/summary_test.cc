#include "src/report/summary.h"

#include <gtest/gtest.h>

#include <limits>

#include "support.h"

namespace smpc::report {
namespace {

using testing::mni;

Summary summary_of(const Grid& grid, const std::vector<double>& voxels) { return summarise(VolumeView(voxels, grid)); }

TEST(Summary, FindsThePeakWhereItIsInSpace) {
  std::vector<double> v(mni.voxels(), 0.25);
  v[(10 * 54 + 20) * 45 + 30] = -7;  // i slowest
  const Summary s = summary_of(mni, v);
  EXPECT_EQ(s.peak, (Point{90 - 40, -126 + 80, -72 + 120}));
  EXPECT_EQ(s.peak_value, -7);
  EXPECT_EQ(s.least, -7);
  EXPECT_EQ(s.most, 0.25);
}

TEST(Summary, TheThresholdLetsFivePercentOfWhatIsNotZeroThrough) {
  std::vector<double> v(mni.voxels(), 0.0);
  for (std::size_t n = 0; n < 1000; ++n) v[n * 7] = (n % 2 == 0 ? 1.0 : -1.0) * static_cast<double>(n + 1);
  v[3] = 2000;
  const Summary s = summary_of(mni, v);
  EXPECT_EQ(s.nonzero, 1001U);
  EXPECT_EQ(s.threshold, 951);
  EXPECT_EQ(s.coloured, 51U);
  EXPECT_TRUE(s.coloured_positive);
  EXPECT_TRUE(s.coloured_negative);
}

TEST(Summary, TheThresholdShownIsTheThresholdUsed) {
  std::vector<double> v(mni.voxels(), 0.0);
  for (std::size_t n = 0; n < 100; ++n) v[n] = 2.31987 + 1e-5 * static_cast<double>(n);
  v[100] = 10;
  const Summary s = summary_of(mni, v);
  EXPECT_DOUBLE_EQ(s.threshold, 2.32);
  EXPECT_EQ(s.coloured, 88U) << "2.32 and more";
  EXPECT_LE(s.threshold, v[95]);
}

TEST(Summary, TheThresholdIsNoHigherThanAPartOfTheLargest) {
  std::vector<double> v(mni.voxels(), 0.0);
  v[9] = 5;
  EXPECT_EQ(summary_of(mni, v).threshold, 3);
  for (std::size_t n = 0; n < 1000; ++n) v[n] = -5;
  const Summary s = summary_of(mni, v);
  EXPECT_EQ(s.threshold, 3);
  EXPECT_EQ(s.coloured, 1000U);
}

TEST(Summary, OfEqualPeaksTheLeftmostWhicheverWayItIsStored) {
  const auto two = [](const testing::Mm& at) {
    return at == testing::Mm{-42, 18, 24} || at == testing::Mm{42, 18, 24} ? 3.0 : 0.0;
  };
  for (const Grid& grid : {mni, testing::mni_ras, testing::mni_pir}) {
    EXPECT_EQ(summary_of(grid, testing::sampled(grid, two)).peak, (Point{-42, 18, 24}));
  }
}

TEST(Summary, VolumesWithoutAPeak) {
  const Summary zero = summary_of(mni, std::vector<double>(mni.voxels(), 0.0));
  EXPECT_TRUE(zero.flat());
  EXPECT_EQ(zero.nonzero, 0U);
  EXPECT_EQ(zero.peak, (Point{2, -22, 16})) << "the middle voxel";
  EXPECT_TRUE(summary_of(mni, std::vector<double>(mni.voxels(), -2.5)).flat());
  Grid one = mni;
  one.shape = {1, 1, 1};
  EXPECT_TRUE(summary_of(one, {4.0}).flat());
}

TEST(Summary, TakesTheSmallestAndTheLargestDoubles) {
  std::vector<double> v(mni.voxels(), 0.0);
  v[5] = std::numeric_limits<double>::denorm_min();
  Summary s = summary_of(mni, v);
  EXPECT_LE(s.threshold, s.largest);
  EXPECT_EQ(s.coloured, 1U);
  v[5] = -std::numeric_limits<double>::max();
  s = summary_of(mni, v);
  EXPECT_LE(s.threshold, s.largest);
  EXPECT_EQ(s.coloured, 1U);
  EXPECT_TRUE(s.coloured_negative);
  EXPECT_FALSE(s.coloured_positive);
}

}  // namespace
}  // namespace smpc::report
