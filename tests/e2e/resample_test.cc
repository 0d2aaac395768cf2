// Scans on other grids: brought onto the model's where the clinician says so, refused otherwise.
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

#include "deployment.h"
#include "image/nifti_writer.h"
#include "smpc/image/grid_map.h"
#include "smpc/runtime/interpreter.h"

namespace smpc {
namespace {

using nlohmann::json;
using testing::demo;
using testing::Deployment;
using testing::mni_header;
using testing::nifti_file;
using testing::NiftiSpec;
using testing::Outcome;
using testing::Reference;
using testing::TemporaryFile;

// The MNI 4 mm grid as the demo model has it, and as it is stored from left to right.
// i fastest, as a file has it; `mirrored`: i from the other end.
std::vector<float> as_stored(const SecretVector<double>& volume, bool mirrored) {
  std::vector<float> out;
  for (std::size_t k = 0; k < 45; ++k) {
    for (std::size_t j = 0; j < 54; ++j) {
      for (std::size_t i = 0; i < 45; ++i) {
        out.push_back(static_cast<float>(volume[((mirrored ? 44 - i : i) * 54 + j) * 45 + k]));
      }
    }
  }
  return out;
}

TEST(Resample, AnotherOrientationGivesTheSameBitsAndAnotherGridTheInterpolatedOnes) {
  CompileOptions options;
  options.reveal = Reveal::logits;
  const Reference reference(options);
  Deployment s({"--model", (demo / "mlp.onnx").string(), "--reveal", "logits", "--no-quota"});
  s.reference = &reference;
  s.start_dealer();
  s.start_server();
  const Scan scan = load_scan(demo / "scan.nii.gz", {});
  const auto logits_of = [&](const SecretVector<double>& volume) {
    return dequantise(reference.compiled.program.output(), reference.output(volume));
  };

  NiftiSpec mirrored = mni_header();
  mirrored.srow[0] = 4;
  mirrored.srow[3] = -86;
  const TemporaryFile flipped(nifti_file(mirrored, as_stored(scan.volumes[0], true)));
  const Outcome refused = s.client({"--image", flipped.path().string()});
  EXPECT_EQ(refused.exit_code, 3);
  EXPECT_NE(refused.err.find("--resample"), std::string::npos) << refused.err;
  const Outcome exact = s.client({"--image", flipped.path().string(), "--resample", "--json"});
  ASSERT_EQ(exact.exit_code, 0) << exact.err;
  EXPECT_EQ(exact.json()["results"][0]["logits"].get<std::vector<double>>(), logits_of(scan.volumes[0]));
  EXPECT_EQ(exact.json()["resampling"], "reoriented from RAS to LAS, voxel for voxel, without interpolation");

  // The same voxels two millimetres further to the back, in scanner coordinates.
  NiftiSpec shifted = mni_header();
  shifted.srow[7] = -128;
  shifted.sform_code = 1;
  const TemporaryFile other(nifti_file(shifted, as_stored(scan.volumes[0], false)));
  const Outcome between = s.client({"--image", other.path().string(), "--resample", "--json"});
  ASSERT_EQ(between.exit_code, 0) << between.err;
  const Scan moved = load_scan(other.path(), {});
  const GridMap map(moved.header.grid, scan.header.grid);
  EXPECT_EQ(map.match(), GridMatch::other);
  EXPECT_EQ(between.json()["results"][0]["logits"].get<std::vector<double>>(), logits_of(map.apply(moved.volumes[0])));
  EXPECT_NE(between.json()["resampling"].get<std::string>().find("trilinear"), std::string::npos);
  EXPECT_NE(between.json()["caution"].get<std::string>().find("scanner"), std::string::npos);
  const Outcome text = s.client({"--image", other.path().string(), "--resample"});
  EXPECT_NE(text.out.find("note: resampled from 45 x 54 x 45 voxels"), std::string::npos) << text.out;

  // What lies on the model's grid is left as it is, and nothing is said.
  const Outcome same = s.client({"--image", (demo / "scan.nii.gz").string(), "--resample", "--json"});
  ASSERT_EQ(same.exit_code, 0) << same.err;
  EXPECT_FALSE(same.json().contains("resampling"));
  EXPECT_EQ(same.json()["results"][0]["logits"].get<std::vector<double>>(), logits_of(scan.volumes[0]));
}

// Voxels outside the brain as SPM writes them; and a header whose other form puts the scan elsewhere. Both are told.
TEST(OddScans, NanIsZeroWhereThatIsAskedForAndTwoPlacesAreTold) {
  CompileOptions options;
  options.reveal = Reveal::logits;
  const Reference reference(options);
  Deployment s({"--model", (demo / "mlp.onnx").string(), "--reveal", "logits", "--no-quota"});
  s.reference = &reference;
  s.start_dealer();
  s.start_server();
  const Scan scan = load_scan(demo / "scan.nii.gz", {});
  std::vector<float> stored = as_stored(scan.volumes[0], false);
  const auto zeros = static_cast<std::size_t>(std::count(stored.begin(), stored.end(), 0.0F));
  ASSERT_GT(zeros, 1000U);
  std::replace(stored.begin(), stored.end(), 0.0F, std::numeric_limits<float>::quiet_NaN());
  NiftiSpec spec = mni_header();
  spec.qform_code = 1;  // no turn: from left to right, where the sform runs from right to left
  spec.quatern[3] = 90;
  spec.quatern[4] = -126;
  spec.quatern[5] = -72;
  const TemporaryFile file(nifti_file(spec, stored));

  const Outcome refused = s.client({"--image", file.path().string()});
  EXPECT_EQ(refused.exit_code, 3);
  EXPECT_NE(refused.err.find("--nan-as-zero"), std::string::npos) << refused.err;
  const Outcome taken = s.client({"--image", file.path().string(), "--nan-as-zero", "--json"});
  ASSERT_EQ(taken.exit_code, 0) << taken.err;
  EXPECT_EQ(taken.json()["results"][0]["logits"].get<std::vector<double>>(),
            dequantise(reference.compiled.program.output(), reference.output(scan.volumes[0])));
  EXPECT_EQ(taken.json()["results"][0]["nan_as_zero"], zeros);
  EXPECT_NE(taken.json()["caution"].get<std::string>().find("its qform and its sform differ, by up to 352 mm"), std::string::npos);
  const Outcome text = s.client({"--image", file.path().string(), "--nan-as-zero"});
  EXPECT_NE(text.out.find("note: " + std::to_string(zeros) + " voxels were NaN and were taken as 0"), std::string::npos) << text.out;
  EXPECT_NE(text.out.find("note: its qform and its sform differ"), std::string::npos) << text.out;
}

}  // namespace
}  // namespace smpc
