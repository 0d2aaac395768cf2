// A public brain mask, from the command line to the result.
#include <gtest/gtest.h>

#include <algorithm>

#include "deployment.h"
#include "image/nifti_writer.h"
#include "smpc/compiler/float_reference.h"
#include "smpc/runtime/interpreter.h"

namespace smpc {
namespace {

using nlohmann::json;
using testing::demo;
using testing::Deployment;
using testing::expect_line;
using testing::mni_header;
using testing::nifti_file;
using testing::NiftiSpec;
using testing::Outcome;
using testing::Reference;
using testing::run;
using testing::TemporaryFile;

const std::string mask_file = (demo / "mask.nii.gz").string();

CompileOptions with_mask(Suite suite = Suite::cryptflow2) {
  CompileOptions o;
  o.suite = suite;
  o.reveal = Reveal::logits;
  const Scan mask = load_scan(demo / "mask.nii.gz", {});
  const auto& voxels = mask.volumes.front();
  o.input_mask = InputMask{Bytes((voxels.size() + 7) / 8), voxels.size()};
  for (std::size_t i = 0; i < voxels.size(); ++i) {
    if (voxels[i] != 0) o.input_mask->inside[i / 8] |= static_cast<std::byte>(1U << (i % 8));
  }
  return o;
}

TEST(Mask, OneVolumeCostsWhatIsPredictedAndAVoxelOutsideIsRefusedWithNoBundleSpent) {
  const Reference reference(with_mask());
  EXPECT_EQ(reference.compiled.program.input().count, 27492U);
  Deployment s({"--model", (demo / "mlp.onnx").string(), "--reveal", "logits", "--no-quota", "--input-mask", mask_file});
  s.reference = &reference;
  s.start_dealer();
  s.start_server();
  ASSERT_EQ(s.client({"prefetch", "--count", "1"}).exit_code, 0);
  EXPECT_EQ(s.dealer->stop(), 0);

  // x runs fastest in the file; (1, 2, 3) and (44, 53, 44) lie outside.
  std::vector<float> voxels(109350);
  voxels[1 + 45 * (2 + 54 * 3)] = 0.625F;
  voxels[44 + 45 * (53 + 54 * 44)] = 0.625F;
  const TemporaryFile outside(nifti_file(mni_header(), voxels));
  const Outcome refused = s.client({"--image", outside.path().string()});
  expect_line(refused, 3, "2 values that are not, the first at voxel (1, 2, 3)");
  EXPECT_EQ(refused.err.find("0.625"), std::string::npos);

  // The one bundle is still there.
  const Outcome one = s.client({"--image", (demo / "scan.nii.gz").string(), "--json"});
  ASSERT_EQ(one.exit_code, 0) << one.err;
  const json j = one.json();
  const Scan scan = load_scan(demo / "scan.nii.gz", {});
  const auto logits = dequantise(reference.compiled.program.output(), reference.output(scan.volumes[0]));
  EXPECT_EQ(j["results"][0]["logits"].get<std::vector<double>>(), logits);
  EXPECT_EQ(j["results"][0]["label"], "LANG-BROCA");
  const json& online = j["cost"]["online"];
  EXPECT_LE(online["sent"].get<std::size_t>() + online["received"].get<std::size_t>(), 180'000U);
  EXPECT_LE(j["cost"]["offline"]["received"].get<std::size_t>(), 40'000U);
  EXPECT_EQ(online["rounds"], 14);
}

TEST(Mask, WithTheSuiteMaskedTheSameBitsCostLess) {
  const Reference reference(with_mask(Suite::masked));
  Deployment s({"--model", (demo / "mlp.onnx").string(), "--reveal", "logits", "--no-quota", "--input-mask", mask_file, "--protocol",
                "masked"});
  s.reference = &reference;
  s.start_dealer();
  s.start_server();
  const Outcome one = s.client({"--image", (demo / "scan.nii.gz").string(), "--json"});
  ASSERT_EQ(one.exit_code, 0) << one.err;
  const json j = one.json();
  const Scan scan = load_scan(demo / "scan.nii.gz", {});
  const Reference other(with_mask());
  const auto logits = dequantise(other.compiled.program.output(), other.output(scan.volumes[0]));
  EXPECT_EQ(j["results"][0]["logits"].get<std::vector<double>>(), logits);
  const json& online = j["cost"]["online"];
  EXPECT_LE(online["sent"].get<std::size_t>() + online["received"].get<std::size_t>(), 180'000U);
  EXPECT_LE(j["cost"]["offline"]["received"].get<std::size_t>(), 40'000U);
  EXPECT_EQ(online["rounds"], 14);
}

// Volumes that the model is sure of, and averages of two: all 58 probabilities within 1e-4.
TEST(Mask, FixedPointWithinItIsTheWholeModelInFloat) {
  const Reference masked(with_mask());
  Model model = load_model(demo / "mlp.onnx");
  const Network whole = build_network(std::move(model));
  const Scan scan = load_scan(demo / "scan4d.nii.gz", {true, {}});
  const auto check = [&](const SecretVector<double>& x, const std::string& what) {
    const auto p = softmax(dequantise(masked.compiled.program.output(), masked.output(x)));
    const auto q = softmax(float_layers(whole, x).back());
    for (std::size_t k = 0; k < p.size(); ++k) EXPECT_NEAR(p[k], q[k], 1e-4) << what;
  };
  for (std::size_t a = 0; a < scan.volumes.size(); ++a) {
    check(scan.volumes[a], "volume " + std::to_string(a));
    for (std::size_t b = a + 1; b < scan.volumes.size(); b += 3) {
      SecretVector<double> mean(scan.volumes[a]);
      for (std::size_t i = 0; i < mean.size(); ++i) mean[i] = (mean[i] + scan.volumes[b][i]) / 2;
      check(mean, "mean of " + std::to_string(a) + " and " + std::to_string(b));
    }
  }
}

TEST(Mask, TheFirstLayersWeightsTakeTwoBytesEachWithAndWithoutIt) {
  const auto bytes_each = [](const Compiled& c) {
    return c.weights.front().matrix.visit([](const auto& weights) { return sizeof(weights.front()); });
  };
  EXPECT_EQ(bytes_each(Reference(with_mask()).compiled), 2U);
  CompileOptions none;
  none.reveal = Reveal::logits;
  EXPECT_EQ(bytes_each(Reference(none).compiled), 2U);
}

TEST(Mask, MasksThatAreNoneAreRefused) {
  const auto refused = [](const std::string& content, const std::string& part) {
    const TemporaryFile f(content);
    expect_line(run("smpc-compile", {(demo / "mlp.onnx").string(), "--explain", "--input-mask", f.path().string()}), 3, part);
  };
  std::vector<float> voxels(109350);
  refused(nifti_file(mni_header(), voxels), "found none");
  voxels[7] = 1;
  NiftiSpec spec = mni_header();
  spec.srow[3] = 92;
  refused(nifti_file(spec, voxels), "mm");
  spec.dim = {3, 10, 10, 10, 1, 1, 1, 1};
  refused(nifti_file(spec, std::vector<float>(1000, 1.0F)), "109350");
  spec = mni_header();
  spec.dim = {4, 45, 54, 45, 2, 1, 1, 1};
  std::vector<float> two(voxels);
  two.insert(two.end(), voxels.begin(), voxels.end());
  refused(nifti_file(spec, two), "2 volumes");
  voxels[9] = std::numeric_limits<float>::quiet_NaN();
  refused(nifti_file(mni_header(), voxels), "finite");
}

TEST(Mask, FilesOfAMaskedModelAndSmpcVerifyKeepIt) {
  const testing::TemporaryFolder folder;
  const Outcome made = run("smpc-compile", {(demo / "mlp.onnx").string(), "-o", (folder / "out").string(), "--reveal", "logits",
                                            "--input-mask", mask_file});
  ASSERT_EQ(made.exit_code, 0) << made.err;
  Deployment s({"--program", (folder / "out/mlp.program").string(), "--weights", (folder / "out/mlp.weights").string(), "--no-quota"});
  const Reference reference(with_mask());
  s.reference = &reference;
  s.start_dealer();
  s.start_server();
  EXPECT_EQ(s.client({"--image", (demo / "scan.nii.gz").string(), "--json"}).exit_code, 0);
  const Outcome verified = run("smpc-verify", {"--model", (demo / "mlp.onnx").string(), "--image",
                                               (demo / "scan.nii.gz").string(), "--input-mask", mask_file, "--json"});
  EXPECT_EQ(verified.exit_code, 0) << verified.err;
  EXPECT_EQ(verified.json()["volumes"][0]["two_party_equal"], true);
}

}  // namespace
}  // namespace smpc
