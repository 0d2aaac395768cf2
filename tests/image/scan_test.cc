#include "smpc/image/scan.h"

#include <gtest/gtest.h>

#include <numeric>

#include "nifti_writer.h"
#include "smpc/base/error.h"

namespace smpc {
namespace {

using testing::gzip;
using testing::nifti_file;
using testing::NiftiSpec;
using testing::TemporaryFile;

// Every combination of version, byte order and compression gives the same voxels.
template <class T>
void round_trip(int datatype, const std::vector<T>& voxels) {
  for (const bool second : {false, true}) {
    for (const bool swapped : {false, true}) {
      for (const bool zipped : {false, true}) {
        NiftiSpec s;
        s.second = second;
        s.swapped = swapped;
        s.datatype = datatype;
        s.bitpix = 8 * sizeof(T);
        const std::string file = nifti_file(s, voxels);
        const TemporaryFile f(zipped ? gzip(file) : file, zipped ? ".nii.gz" : ".nii");
        const Scan scan = load_scan(f.path(), {});
        ASSERT_EQ(scan.volumes.size(), 1U);
        const auto& v = scan.volumes[0];
        for (std::size_t i = 0; i < 4; ++i) {
          for (std::size_t j = 0; j < 3; ++j) {
            for (std::size_t k = 0; k < 2; ++k) {
              EXPECT_EQ(v[(i * 3 + j) * 2 + k], static_cast<double>(voxels[i + 4 * (j + 3 * k)]));
            }
          }
        }
      }
    }
  }
}

template <class T>
std::vector<T> counting() {
  std::vector<T> v(24);
  std::iota(v.begin(), v.end(), T{3});
  v[5] = std::numeric_limits<T>::max();
  v[7] = std::numeric_limits<T>::lowest();
  return v;
}

TEST(Scan, EveryRealDatatypeInBothByteOrdersAndVersionsGzippedOrNot) {
  round_trip(DT_UINT8, counting<std::uint8_t>());
  round_trip(DT_INT8, counting<std::int8_t>());
  round_trip(DT_UINT16, counting<std::uint16_t>());
  round_trip(DT_INT16, counting<std::int16_t>());
  round_trip(DT_UINT32, counting<std::uint32_t>());
  round_trip(DT_INT32, counting<std::int32_t>());
  round_trip(DT_UINT64, counting<std::uint64_t>());
  round_trip(DT_INT64, counting<std::int64_t>());
  round_trip(DT_FLOAT32, counting<float>());
  round_trip(DT_FLOAT64, counting<double>());
}

// The model sees i (x) slowest and k (z) fastest, as numpy flattens array[i, j, k]: every voxel is different.
TEST(Scan, IndexOrderOfAFullSizeVolumeWhoseVoxelsAllDiffer) {
  NiftiSpec s;
  s.dim = {3, 45, 54, 45, 1, 1, 1, 1};
  std::vector<float> voxels(109350);
  std::iota(voxels.begin(), voxels.end(), 0.0F);
  const TemporaryFile f(nifti_file(s, voxels));
  const Scan scan = load_scan(f.path(), {});
  std::size_t place = 0;
  std::size_t wrong = 0;
  for (std::size_t i = 0; i < 45; ++i) {
    for (std::size_t j = 0; j < 54; ++j) {
      for (std::size_t k = 0; k < 45; ++k) {
        wrong += scan.volumes[0][place++] != static_cast<double>(i + 45 * (j + 54 * k)) ? 1 : 0;
      }
    }
  }
  EXPECT_EQ(wrong, 0U);
  EXPECT_EQ(place, 109350U);
}

TEST(Scan, SlopeAndInterceptScaleAndAbsentOnesDoNot) {
  NiftiSpec s;
  s.datatype = DT_INT16;
  s.bitpix = 16;
  const std::vector<std::int16_t> voxels(24, 10);
  const auto first = [&](double slope, double intercept) {
    s.slope = slope;
    s.intercept = intercept;
    const TemporaryFile f(nifti_file(s, voxels));
    return load_scan(f.path(), {}).volumes[0][0];
  };
  EXPECT_EQ(first(0.5, -2), 3.0);
  EXPECT_EQ(first(0, 7), 10.0);                                  // fault row 63: slope 0 is "unscaled"
  EXPECT_EQ(first(std::numeric_limits<double>::quiet_NaN(), 7), 10.0);
}

TEST(Scan, VolumesOfA4dScanAreChosen) {
  NiftiSpec s;
  s.dim = {4, 4, 3, 2, 3, 1, 1, 1};
  std::vector<float> voxels(72);
  std::iota(voxels.begin(), voxels.end(), 0.0F);
  const TemporaryFile f(gzip(nifti_file(s, voxels)), ".nii.gz");
  EXPECT_EQ(load_scan(f.path(), parse_volume_selection("1")).volumes[0][0], 24.0);
  const Scan all = load_scan(f.path(), parse_volume_selection("all"));
  ASSERT_EQ(all.volumes.size(), 3U);
  EXPECT_EQ(all.indices, (std::vector<std::size_t>{0, 1, 2}));
  EXPECT_EQ(all.volumes[2][0], 48.0);
  EXPECT_TRUE(read_scan_header(f.path()).four_d);
}

TEST(Scan, AnExtensionIsPassedOver) {
  NiftiSpec s;
  s.extension = std::string{1, 0, 0, 0} + std::string{16, 0, 0, 0, 4, 0, 0, 0} + std::string(8, 'x');
  const TemporaryFile f(nifti_file(s, std::vector<float>(24, 2)));
  EXPECT_EQ(load_scan(f.path(), {}).volumes[0][0], 2.0);
}

}  // namespace
}  // namespace smpc
