// The main job: three processes, real certificates, the demo model at full size, real files.
#include <gtest/gtest.h>

#include <sys/resource.h>

#include <algorithm>
#include <fstream>
#include <set>
#include <thread>

#include "deployment.h"
#include "image/nifti_writer.h"
#include "smpc/compiler/float_reference.h"
#include "smpc/runtime/interpreter.h"

namespace smpc {
namespace {

using nlohmann::json;
using testing::demo;
using testing::Outcome;
using testing::Reference;
using testing::Deployment;

CompileOptions revealing(Reveal reveal) {
  CompileOptions o;
  o.reveal = reveal;
  return o;
}

// Every logit of every volume is the interpreter's, to the last bit.
void expect_logits(const json& results, const Reference& reference, const Scan& scan) {
  ASSERT_EQ(results.size(), scan.volumes.size());
  for (std::size_t v = 0; v < scan.volumes.size(); ++v) {
    const auto logits = dequantise(reference.compiled.program.output(), reference.output(scan.volumes[v]));
    EXPECT_EQ(results[v]["logits"].get<std::vector<double>>(), logits) << "volume " << v;
    EXPECT_EQ(results[v]["volume"], scan.indices[v]);
  }
}

TEST(EndToEnd, LogitsOfOneVolumeAndOfTwentyAreTheInterpretersAndCostWhatIsPredicted) {
  Deployment s({"--model", (demo / "mlp.onnx").string(), "--reveal", "logits", "--no-quota"});
  s.start_dealer();
  s.start_server();
  const Reference reference(revealing(Reveal::logits));

  const Outcome one = s.client({"--image", (demo / "scan.nii.gz").string(), "--json"});
  ASSERT_EQ(one.exit_code, 0) << one.err;
  EXPECT_EQ(one.err, "");
  const json j = one.json();
  EXPECT_EQ(j["program"], to_hex(program_hash(reference.compiled.program)));
  EXPECT_EQ(j["server"], "urn:smpc:server:server");
  EXPECT_EQ(j["reveal"], "logits");
  expect_logits(j["results"], reference, load_scan(demo / "scan.nii.gz", {}));
  EXPECT_EQ(j["results"][0]["label"], "LANG-BROCA");
  EXPECT_EQ(j["results"][0]["top"][0]["index"], j["results"][0]["index"]);
  EXPECT_EQ(j["results"][0]["top"].size(), 5U);

  // What is promised for one volume of the demo model, logits revealed.
  const auto bytes = [](const json& phase) { return phase["sent"].get<std::size_t>() + phase["received"].get<std::size_t>(); };
  EXPECT_LE(bytes(j["cost"]["online"]), 600'000U);
  EXPECT_LE(j["cost"]["offline"]["received"].get<std::size_t>(), 40'000U);
  EXPECT_EQ(j["cost"]["offline"]["sent"], 0);
  EXPECT_LE(j["cost"]["online"]["rounds"].get<int>(), 14);
  EXPECT_LE(bytes(j["cost"]["setup"]), 190'000'000U);
  EXPECT_GT(bytes(j["cost"]["setup"]), 100'000'000U);

  const Outcome twenty = s.client({"--image", (demo / "scan4d.nii.gz").string(), "--volume", "all", "--json"});
  ASSERT_EQ(twenty.exit_code, 0) << twenty.err;
  const json k = twenty.json();
  expect_logits(k["results"], reference, load_scan(demo / "scan4d.nii.gz", {true, {}}));
  EXPECT_EQ(k["cost"]["online"]["rounds"], j["cost"]["online"]["rounds"]);
  EXPECT_EQ(bytes(k["cost"]["setup"]), 0U);

  // The truth that came with the scans.
  std::ifstream truth(demo / "truth.csv");
  std::string line;
  std::getline(truth, line);
  for (std::size_t v = 0; v < 20 && std::getline(truth, line); ++v) {
    EXPECT_EQ(std::to_string(v) + "," + std::to_string(k["results"][v]["index"].get<int>()) + "," +
                  k["results"][v]["label"].get<std::string>(),
              line);
  }
  EXPECT_EQ(s.dealer->stop(), 0);
  EXPECT_EQ(s.server->stop(), 0);
}

// A 4-D scan of sparse volumes, of which every fifth is the same.
std::string repeating_scan(std::size_t volumes) {
  testing::NiftiSpec spec;
  spec.dim = {4, 45, 54, 45, static_cast<std::int64_t>(volumes), 1, 1, 1};
  spec.datatype = DT_UINT8;
  spec.bitpix = 8;
  std::vector<std::uint8_t> voxels(109350 * volumes);
  for (std::size_t i = 0; i < voxels.size(); ++i) voxels[i] = (i % 109350) % 97 == i / 109350 % 5 ? 2 : 0;
  return testing::nifti_file(spec, voxels);
}

// The largest resident set of any process that this one has waited for, in bytes.
std::size_t largest_child() {
  rusage usage{};
  ::getrusage(RUSAGE_CHILDREN, &usage);
  return static_cast<std::size_t>(usage.ru_maxrss) << 10;
}

TEST(EndToEnd, TwoBatchesTakeNoMoreMemoryOfTheClientThanOne) {
  Deployment s({"--model", (demo / "mlp.onnx").string()});
  s.start_dealer();
  s.start_server();
  const Reference reference(revealing(Reveal::label));
  std::size_t after_one = 0;
  for (const std::size_t volumes : {64U, 128U}) {
    const testing::TemporaryFile file(repeating_scan(volumes));
    const Outcome r = s.client({"--image", file.path().string(), "--volume", "all"}, 300);
    ASSERT_EQ(r.exit_code, 0) << r.err;
    if (volumes == 64) after_one = largest_child();
    std::vector<std::string> labels;
    for (std::size_t v = 0; v < 5; ++v) {
      const std::size_t index = reference.output(load_scan(file.path(), {false, v}).volumes[0])[0];
      labels.push_back(reference.compiled.program.labels[index]);
    }
    for (std::size_t v = 0, at = 0; v < volumes; ++v) {
      const std::size_t end = r.out.find('\n', at);
      EXPECT_EQ(r.out.substr(at, end - at), "volume " + std::to_string(v) + ": " + labels[v % 5]);
      at = end + 1;
    }
  }
  // As doubles alone, 64 volumes more take 56 MB.
  EXPECT_LE(largest_child(), after_one + (std::size_t{24} << 20));
}

TEST(EndToEnd, TheLabelAloneByDefault) {
  Deployment s({"--model", (demo / "mlp.onnx").string()});
  s.start_dealer();
  s.start_server();
  const Reference reference(revealing(Reveal::label));
  const Outcome r = s.client({"--image", (demo / "scan4d.nii.gz").string(), "--volume", "all", "--json"});
  ASSERT_EQ(r.exit_code, 0) << r.err;
  const json j = r.json();
  EXPECT_EQ(j["reveal"], "label");
  const Scan scan = load_scan(demo / "scan4d.nii.gz", {true, {}});
  for (std::size_t v = 0; v < scan.volumes.size(); ++v) {
    EXPECT_EQ(j["results"][v]["index"], reference.output(scan.volumes[v])[0]);
    EXPECT_FALSE(j["results"][v].contains("logits"));
    EXPECT_FALSE(j["results"][v].contains("probability"));
    EXPECT_FALSE(j["results"][v].contains("top"));
  }
  // For a person: the name alone on a line, then what it cost.
  const Outcome text = s.client({"--image", (demo / "scan.nii.gz").string()});
  EXPECT_EQ(text.out.substr(0, text.out.find('\n')), "LANG-BROCA");
  EXPECT_NE(text.out.find("messages in sequence"), std::string::npos);
}

TEST(EndToEnd, PrefetchedBundlesNeedNoDealerAndWithoutThemExitCodeIs5) {
  Deployment s({"--model", (demo / "mlp.onnx").string(), "--reveal", "logits", "--no-quota"});
  s.start_dealer();
  s.start_server();
  const Outcome fetched = s.client({"prefetch", "--count", "2", "--json"});
  ASSERT_EQ(fetched.exit_code, 0) << fetched.err;
  EXPECT_EQ(fetched.json()["stored"], 2);
  EXPECT_EQ(s.dealer->stop(), 0);
  for (int i = 0; i < 2; ++i) {
    const Outcome r = s.client({"--image", (demo / "scan.nii.gz").string(), "--json"});
    ASSERT_EQ(r.exit_code, 0) << r.err;
    EXPECT_EQ(r.json()["results"][0]["label"], "LANG-BROCA");
    EXPECT_EQ(r.json()["cost"]["offline"]["received"], 0);
    EXPECT_EQ(r.json()["cost"]["setup"]["received"], 0);
  }
  const Outcome none = s.client({"--image", (demo / "scan.nii.gz").string(), "--json"});
  EXPECT_EQ(none.exit_code, 5);
  EXPECT_EQ(none.out, "");
  EXPECT_NE(none.err.find("no correlated randomness"), std::string::npos) << none.err;
  EXPECT_EQ(std::count(none.err.begin(), none.err.end(), '\n'), 1);
}

TEST(EndToEnd, AClientThatComesBeforeTheDealerWaits) {
  Deployment s({"--model", (demo / "mlp.onnx").string(), "--reveal", "logits", "--no-quota"});
  s.start_dealer();  // to learn a free port
  s.dealer->stop();
  s.start_server(false);
  Outcome r;
  std::jthread client([&] { r = s.client({"--image", (demo / "scan.nii.gz").string(), "--json"}); });
  s.server->wait_for("waiting for the dealer");
  s.start_dealer("127.0.0.1:" + s.dealer_port);
  client.join();
  ASSERT_EQ(r.exit_code, 0) << r.err;
  EXPECT_EQ(r.json()["results"][0]["label"], "LANG-BROCA");
}

TEST(EndToEnd, ARestartKeepsTheClientsMaskedWeightsUsable) {
  Deployment s({"--model", (demo / "mlp.onnx").string(), "--reveal", "logits", "--no-quota"});
  s.start_dealer();
  s.start_server();
  const Outcome before = s.client({"--image", (demo / "scan.nii.gz").string(), "--json"});
  ASSERT_EQ(before.exit_code, 0) << before.err;
  s.server->kill();
  s.dealer->kill();
  s.start_dealer();
  s.start_server();
  const Outcome after = s.client({"--image", (demo / "scan.nii.gz").string(), "--json"});
  ASSERT_EQ(after.exit_code, 0) << after.err;
  EXPECT_EQ(after.json()["results"], before.json()["results"]);
  EXPECT_EQ(after.json()["mask"], before.json()["mask"]);
  EXPECT_EQ(after.json()["cost"]["setup"]["received"], 0);
}

// On volumes that the model is sure of, and on averages of two: all 58 probabilities within 1e-4, the same label.
TEST(EndToEnd, FixedPointIsWithinOneTenThousandthOfFloat) {
  const Reference reference(revealing(Reveal::logits));
  const Scan scan = load_scan(demo / "scan4d.nii.gz", {true, {}});
  const auto check = [&](const SecretVector<double>& x, const std::string& what) {
    const auto fixed = dequantise(reference.compiled.program.output(), reference.output(x));
    const auto logits = float_layers(reference.network, x).back();
    const auto p = softmax(fixed);
    const auto q = softmax(logits);
    for (std::size_t k = 0; k < p.size(); ++k) EXPECT_NEAR(p[k], q[k], 1e-4) << what;
    EXPECT_EQ(std::max_element(p.begin(), p.end()) - p.begin(), std::max_element(q.begin(), q.end()) - q.begin()) << what;
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

TEST(EndToEnd, RealMapsGiveWhatTheInterpreterGives) {
  const std::filesystem::path networks = std::filesystem::path(SMPC_SHARED_DATA) / "networks";
  if (!std::filesystem::exists(networks)) GTEST_SKIP() << "no test data at " << networks;
  Deployment s({"--model", (demo / "mlp.onnx").string(), "--reveal", "logits", "--no-quota"});
  s.start_dealer();
  s.start_server();
  const Reference reference(revealing(Reveal::logits));
  std::set<std::string> costs;
  for (const char* name : {"melodic114_000.nii.gz", "melodic114_057.nii.gz", "melodic114_111.nii.gz"}) {
    const Outcome r = s.client({"--image", (networks / name).string(), "--json"});
    ASSERT_EQ(r.exit_code, 0) << r.err;
    expect_logits(r.json()["results"], reference, load_scan(networks / name, {}));
    auto cost = r.json()["cost"]["online"];  // that of every volume
    cost.erase("seconds");
    costs.insert(cost.dump());
  }
  EXPECT_EQ(costs.size(), 1U);
}

}  // namespace
}  // namespace smpc
