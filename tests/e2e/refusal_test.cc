// What goes wrong on the command line: one line, the right exit code, nothing lost.
#include <gtest/gtest.h>

#include <fstream>

#include "image/nifti_writer.h"
#include "deployment.h"
#include "tools/shell.h"

namespace smpc {
namespace {

using testing::demo;
using testing::nifti_file;
using testing::NiftiSpec;
using testing::Outcome;
using testing::run;
using testing::Deployment;
using testing::expect_line;
using testing::mni_header;
using testing::TemporaryFile;

TEST(Refusals, AnOutputThatTakesNothingLeavesEveryBundleUnspent) {
  Deployment s({"--model", (demo / "mlp.onnx").string()});
  s.start_dealer();
  s.start_server();
  ASSERT_EQ(s.client({"prefetch", "--count", "1"}).exit_code, 0);
  s.dealer.reset();
  const std::string ask = "'" + std::string(SMPC_BIN_DIR) + "/smpc-client' --json --image '" + (demo / "scan.nii.gz").string() + "' --identity '" +
                          (s.folder / "id/client").string() + "' --state '" + (s.folder / "state/client").string() +
                          "' --server 127.0.0.1:" + s.server_port + " --dealer " + s.dealer_address();
  for (const char* where : {">/dev/full", ">&-"}) {
    const auto [code, said] = tools::shell(ask + " " + where);
    EXPECT_EQ(code, 3) << said;
    EXPECT_NE(said.find("smpc-client: standard output: cannot write"), said.npos) << said;
  }
  EXPECT_EQ(s.client({"--image", (demo / "scan.nii.gz").string(), "--json"}).exit_code, 0);  // with the one bundle
}

TEST(Refusals, BadScansLeaveEveryBundleUnspent) {
  Deployment s({"--model", (demo / "mlp.onnx").string()});
  s.start_dealer();
  s.start_server();
  ASSERT_EQ(s.client({"prefetch", "--count", "1"}).exit_code, 0);
  const auto refused = [&](const std::string& content, const std::string& part) {
    const TemporaryFile f(content);
    expect_line(s.client({"--image", f.path().string()}), 3, part);
  };
  std::vector<float> voxels(109350, 1.0F);
  NiftiSpec spec = mni_header();
  spec.srow[0] = 4;
  spec.srow[3] = -86;
  refused(nifti_file(spec, voxels), "left-right");
  spec = mni_header();
  spec.srow[3] = 92;
  refused(nifti_file(spec, voxels), "mm");
  spec.dim = {3, 91, 109, 91, 1, 1, 1, 1};
  refused(nifti_file(spec, std::vector<float>(91 * 109 * 91)), "45 x 54 x 45");
  voxels[7] = 1e9F;
  refused(nifti_file(mni_header(), voxels), "range");
  voxels[7] = std::numeric_limits<float>::quiet_NaN();
  refused(nifti_file(mni_header(), voxels), "finite");
  refused(nifti_file(mni_header(), voxels).substr(0, 5000), "");
  refused("", "");
  expect_line(s.client({"--image", (demo / "scan4d.nii.gz").string()}), 3, "20 volumes");
  expect_line(s.client({"--image", (demo / "scan4d.nii.gz").string(), "--volume", "20"}), 3, "0 to 19");
  expect_line(s.client({"--image", "/no/such/scan.nii"}), 3, "/no/such/scan.nii");
  // Nothing was lost: the one bundle still serves, with no dealer.
  s.dealer->stop();
  const Outcome good = s.client({"--image", (demo / "scan.nii.gz").string(), "--json"});
  ASSERT_EQ(good.exit_code, 0) << good.err;
  EXPECT_EQ(good.json()["results"][0]["label"], "LANG-BROCA");
}

TEST(Refusals, fault_62_ABigEndianScanGivesTheSameResult) {
  Deployment s({"--model", (demo / "mlp.onnx").string(), "--reveal", "logits", "--no-quota"});
  s.start_dealer();
  s.start_server();
  const Scan scan = load_scan(demo / "scan.nii.gz", {});
  std::vector<float> voxels(109350);
  for (std::size_t i = 0; i < 45; ++i) {
    for (std::size_t j = 0; j < 54; ++j) {
      for (std::size_t k = 0; k < 45; ++k) {
        voxels[i + 45 * (j + 54 * k)] = static_cast<float>(scan.volumes[0][(i * 54 + j) * 45 + k]);
      }
    }
  }
  NiftiSpec spec = mni_header();
  spec.swapped = true;
  const TemporaryFile f(nifti_file(spec, voxels));
  const Outcome swapped = s.client({"--image", f.path().string(), "--json"});
  const Outcome native = s.client({"--image", (demo / "scan.nii.gz").string(), "--json"});
  ASSERT_EQ(swapped.exit_code, 0) << swapped.err;
  EXPECT_EQ(swapped.json()["results"][0]["logits"], native.json()["results"][0]["logits"]);
}

TEST(Refusals, NobodyThereAndTheWrongPeers) {
  Deployment s({"--model", (demo / "mlp.onnx").string()});
  s.start_dealer();
  s.server_port = "1";
  expect_line(s.client({"--image", (demo / "scan.nii.gz").string()}), 4, "127.0.0.1:1");
  s.start_server();
  // The dealer where the server should be, and the other way round.
  const std::string server = s.server_port;
  s.server_port = s.dealer_port;
  expect_line(s.client({"--image", (demo / "scan.nii.gz").string()}), 4, "dealer");
  s.server_port = server;
  // A client of another CA.
  const testing::TemporaryFolder other;
  ASSERT_EQ(run("smpc-certs", {"init", (other / "id").string()}).exit_code, 0);
  expect_line(run("smpc-client", {"--image", (demo / "scan.nii.gz").string(), "--server", "127.0.0.1:" + server,
                                  "--identity", (other / "id/client").string(), "--state", (other / "state").string()}),
              4, "");
}

TEST(Refusals, UsageIsExitCode2AndHelpSaysWhomToTrust) {
  for (const char* tool : {"smpc-client", "smpc-server", "smpc-dealer", "smpc-compile", "smpc-verify", "smpc-certs"}) {
    const Outcome help = run(tool, {"--help"});
    EXPECT_EQ(help.exit_code, 0) << tool;
    EXPECT_NE(help.out.find("dealer"), std::string::npos) << tool;
    EXPECT_EQ(run(tool, {"--no-such-option"}).exit_code, 2) << tool;
  }
  EXPECT_EQ(run("smpc-client", {}).exit_code, 2);
  EXPECT_EQ(run("smpc-client", {"--image", "x.nii", "--volume", "first"}).exit_code, 2);
  EXPECT_EQ(run("smpc-client", {"prefetch"}).exit_code, 2);
  EXPECT_EQ(run("smpc-server", {}).exit_code, 2);
  EXPECT_EQ(run("smpc-compile", {(demo / "mlp.onnx").string()}).exit_code, 2);
  EXPECT_EQ(run("smpc-compile", {"/no/such.onnx", "-o", "/tmp"}).exit_code, 3);
}

}  // namespace
}  // namespace smpc
