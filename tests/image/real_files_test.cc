// Real scans and headers, where they lie beside the checkout. The weighted sums were computed from nibabel's
// get_fdata(), flattened as numpy does: sum of voxel[n] * (n mod 97) over the first volume.
#include <gtest/gtest.h>

#include <cmath>

#include "smpc/base/error.h"
#include "smpc/image/grid_map.h"
#include "smpc/image/scan.h"

namespace smpc {
namespace {

namespace fs = std::filesystem;

struct Taken {
  const char* file;
  std::array<std::uint32_t, 3> shape;
  std::size_t volumes;
  double sum;
};
const Taken taken[] = {
    {"nifti/nibabel_anatomical.nii", {33, 41, 25}, 1, 13631485486.0},
    {"nifti/nibabel_example4d.nii.gz", {128, 96, 24}, 2, 2441765162.0},
    {"nifti/nibabel_example_nifti2.nii.gz", {32, 20, 12}, 2, 165826688.0},
    {"nifti/nibabel_functional.nii", {17, 21, 3}, 20, 185494143.54084462},
    {"nifti/nibabel_reoriented_anat_moved.nii", {21, 26, 22}, 1, 1571999357.110962},
    {"nifti/nibabel_standard.nii.gz", {4, 5, 7}, 1, 282030.0},
    {"nifti/niivue_low_res.nii.gz", {7, 5, 3}, 1, 2368.0},
    {"nifti/niivue_shear.nii.gz", {306, 422, 54}, 1, -267744137175.02246},
    {"networks/melodic114_000.nii.gz", {45, 54, 45}, 1, 425635.7403108054},
    {"networks/mask_MNI152_4mm.nii.gz", {45, 54, 45}, 1, 1377418.0},
    {"networks/background_MNI152_T1_4mm_brain.nii.gz", {45, 54, 45}, 1, 8055645122.019775},
};

struct Refused {
  const char* file;
  const char* because;
};
const Refused refused[] = {
    {"nifti/nibabel_nifti1.hdr", ".hdr/.img"},
    {"nifti/nibabel_nifti2.hdr", ".hdr/.img"},
    {"nifti/nibabel_analyze.hdr", "Analyze"},
    {"nifti/nibabel_resampled_anat_moved.nii", "(0, 0, 0) of volume 0"},
    {"nifti/niivue_complex_image.nii.gz", "complex64"},
    {"nifti/nibabel_row_major.dconn.nii", "CIFTI"},
    {"nifti/niivue_minimal.nii.gz", "orientation"},
};

bool absent() { return !fs::exists(fs::path(SMPC_SHARED_DATA) / "nifti"); }

TEST(RealFiles, AreReadAsNibabelReadsThem) {
  if (absent()) GTEST_SKIP() << "no test data at " << SMPC_SHARED_DATA;
  for (const Taken& t : taken) {
    const Scan s = load_scan(fs::path(SMPC_SHARED_DATA) / t.file, {false, 0});
    EXPECT_EQ(s.header.grid.shape, t.shape) << t.file;
    EXPECT_EQ(s.header.volumes, t.volumes) << t.file;
    double sum = 0;
    for (std::size_t i = 0; i < s.volumes[0].size(); ++i) sum += s.volumes[0][i] * static_cast<double>(i % 97);
    EXPECT_NEAR(sum, t.sum, 1e-12 * std::abs(t.sum)) << t.file;  // the order of additions differs
  }
}

TEST(RealFiles, AreRefusedInAWordThatFits) {
  if (absent()) GTEST_SKIP() << "no test data at " << SMPC_SHARED_DATA;
  for (const Refused& r : refused) {
    try {
      load_scan(fs::path(SMPC_SHARED_DATA) / r.file, {false, 0});
      ADD_FAILURE() << r.file << " was taken";
    } catch (const Error& e) {
      EXPECT_NE(std::string(e.what()).find(r.because), std::string::npos) << e.what();
    }
  }
}

TEST(RealFiles, EveryNetworkMapLiesOnTheMniGridOf4Mm) {
  if (absent()) GTEST_SKIP() << "no test data at " << SMPC_SHARED_DATA;
  Grid mni;
  mni.shape = {45, 54, 45};
  mni.affine = {-4, 0, 0, 90, 0, 4, 0, -126, 0, 0, 4, -72, 0, 0, 0, 1};
  std::size_t maps = 0;
  for (const auto& file : fs::directory_iterator(fs::path(SMPC_SHARED_DATA) / "networks")) {
    check_grid(read_scan_header(file.path()), mni, file.path().string());
    ++maps;
  }
  EXPECT_EQ(maps, 40U);
}

// The weighted sums are of nibabel 5.0.0's resample_from_to(scan, (shape, affine), order=1), scipy 1.10.1.
struct Resampled {
  const char* file;
  const char* grid;  // of this file, or the MNI grid of 2 mm
  double outside;
  double sum;
};
const Resampled resampled[] = {
    {"nifti/nibabel_anatomical.nii", "nifti/nibabel_functional.nii", 0, 429064286.0},
    {"nifti/nibabel_reoriented_anat_moved.nii", "nifti/nibabel_anatomical.nii", 0, 10215734105.501272},
    {"networks/melodic114_000.nii.gz", "", 0.06102396444164768, 3444986.73995932},
    {"networks/background_MNI152_T1_4mm_brain.nii.gz", "nifti/niivue_shear.nii.gz", 0.11507604621627482,
     849207128119.3015},
};

Grid grid_of(const std::string& file) {
  if (!file.empty()) return read_scan_header(fs::path(SMPC_SHARED_DATA) / file).grid;
  Grid mni;
  mni.shape = {91, 109, 91};
  mni.affine = {-2, 0, 0, 90, 0, 2, 0, -126, 0, 0, 2, -72, 0, 0, 0, 1};
  return mni;
}

TEST(RealFiles, AreResampledAsNibabelAndScipyDo) {
  if (absent()) GTEST_SKIP() << "no test data at " << SMPC_SHARED_DATA;
  for (const Resampled& r : resampled) {
    const Scan scan = load_scan(fs::path(SMPC_SHARED_DATA) / r.file, {});
    const GridMap map(scan.header.grid, grid_of(r.grid));
    EXPECT_EQ(map.match(), GridMatch::other);
    EXPECT_EQ(map.outside(), r.outside) << r.file;
    const auto out = map.apply(scan.volumes[0]);
    double sum = 0;
    for (std::size_t i = 0; i < out.size(); ++i) sum += out[i] * static_cast<double>(i % 97);
    EXPECT_NEAR(sum, r.sum, 1e-11 * std::abs(r.sum)) << r.file;
  }
}

// Rounding puts a face of the one 1e-15 voxels outside the field of the other, and scipy makes it 0.
TEST(RealFiles, AFaceThatRoundingPutsOutsideIsKept) {
  if (absent()) GTEST_SKIP() << "no test data at " << SMPC_SHARED_DATA;
  const Grid whole = grid_of("nifti/nibabel_example4d.nii.gz");
  EXPECT_EQ(GridMap(whole, grid_of("nifti/nibabel_example_nifti2.nii.gz")).outside(), 0.0);
}

TEST(RealFiles, AGridThatCoversLessThanHalfOfTheModelsIsRefused) {
  if (absent()) GTEST_SKIP() << "no test data at " << SMPC_SHARED_DATA;
  const Grid sheared = grid_of("nifti/niivue_shear.nii.gz");
  const Grid mni = grid_of("networks/mask_MNI152_4mm.nii.gz");
  EXPECT_EQ(resampling_obstacle(sheared, mni), "it covers only 45.8 % of the model's grid");
}

}  // namespace
}  // namespace smpc
