#include "subjects.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

namespace smpc::demo {
namespace {

std::vector<float> subject(const SubjectMaker& maker, unsigned index, std::uint64_t number) {
  SubjectMaker::Scratch scratch;
  std::vector<float> volume(voxel_count, 99.0F);  // whatever was there before is overwritten
  Random random(77, number);
  maker.draw(index, random, scratch, volume);
  return volume;
}

TEST(Subjects, LookLikeMapsOfZValues) {
  const SubjectMaker maker(networks());
  std::vector<bool> inside(voxel_count, false);
  for (const std::uint32_t voxel : maker.brain()) inside[voxel] = true;
  for (unsigned index = 0; index < class_count; ++index) {
    const std::vector<float> volume = subject(maker, index, index);
    for (std::size_t v = 0; v < voxel_count; ++v) {
      ASSERT_TRUE(std::isfinite(volume[v]));
      ASSERT_LE(std::abs(volume[v]), input_range);
      if (!inside[v]) {
        ASSERT_EQ(volume[v], 0.0F);
      }
    }
    const float highest = *std::max_element(volume.begin(), volume.end());
    if (index != noise_class) {
      EXPECT_GT(highest, 4) << maker.table()[index].name;
    }
    std::vector<float> sizes;
    for (const std::uint32_t voxel : maker.brain()) sizes.push_back(std::abs(volume[voxel]));
    std::nth_element(sizes.begin(), sizes.begin() + static_cast<std::ptrdiff_t>(sizes.size() / 2), sizes.end());
    const float median = sizes[sizes.size() / 2];
    EXPECT_GT(median, 0.25F) << maker.table()[index].name;
    EXPECT_LT(median, 3) << maker.table()[index].name;
  }
}

TEST(Subjects, AreBrightestWhereTheirNetworkIs) {
  const SubjectMaker maker(networks());
  for (unsigned index = 0; index < class_count; ++index) {
    if (index == unknown_class || index == noise_class) continue;
    const std::vector<float> volume = subject(maker, index, 1000 + index);
    const auto top = static_cast<std::size_t>(std::max_element(volume.begin(), volume.end()) - volume.begin());
    const Point p = position(top / (ny * nz), top / nz % ny, top % nz);
    float nearest = 1e9F;
    for (const Blob& blob : maker.table()[index].blobs) {
      nearest = std::min(nearest, std::hypot(p.x - blob.x, p.y - blob.y, p.z - blob.z));
    }
    EXPECT_LT(nearest, 16) << maker.table()[index].name;
  }
}

TEST(Subjects, AreTheSameForTheSameDrawAndOthersForAnother) {
  const SubjectMaker maker(networks());
  EXPECT_EQ(subject(maker, 3, 5), subject(maker, 3, 5));
  EXPECT_NE(subject(maker, 3, 5), subject(maker, 3, 6));
  EXPECT_NE(subject(maker, 3, 5), subject(maker, 4, 5));
}

}  // namespace
}  // namespace smpc::demo
