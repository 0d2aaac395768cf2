// A model that is no chain, at full size, between processes: a 3-D network over a whole volume.
#include <gtest/gtest.h>

#include "deployment.h"
#include "smpc/base/file.h"
#include "smpc/runtime/interpreter.h"
#include "support/sample_files.h"

namespace smpc {
namespace {

using nlohmann::json;
using testing::demo;
using testing::Deployment;
using testing::Outcome;
using testing::Reference;
using testing::run;
using testing::TemporaryFolder;

class GraphModels : public ::testing::TestWithParam<Suite> {
 protected:
  GraphModels() {
    constexpr testing::Shape image{45, 54, 45};
    testing::write_random_cnn(model_, image, 58);
    testing::write_scan(scan_, image, {testing::random_volume(image)}, 2);
  }
  CompileOptions options(Reveal reveal) const {
    CompileOptions o;
    o.reveal = reveal;
    o.suite = GetParam();
    return o;
  }

  TemporaryFolder folder_;
  std::filesystem::path model_ = folder_ / "cnn.onnx";
  std::filesystem::path scan_ = folder_ / "scan.nii";
};

TEST_P(GraphModels, A3dNetworkGivesWhatTheInterpreterGivesForWhatIsPredicted) {
  for (const Reveal reveal : {Reveal::label, Reveal::logits}) {
    const Reference reference(options(reveal), model_);
    Deployment s({"--model", model_.string(), "--protocol", std::string(to_text(GetParam())), "--reveal", std::string(to_text(reveal)), "--no-quota"});
    s.reference = &reference;
    s.start_dealer();
    s.start_server();
    const Outcome o = s.client({"--image", scan_.string(), "--volume", "all", "--json"});
    ASSERT_EQ(o.exit_code, 0) << o.err;
    const json results = o.json()["results"];
    EXPECT_EQ(o.json()["output"], reveal == Reveal::label ? "label" : "values");  // of classes that have no names
    ASSERT_EQ(results.size(), 2U);
    const Scan scan = load_scan(scan_, {true, {}});
    for (std::size_t v = 0; v < results.size(); ++v) {
      const RingVector output = reference.output(scan.volumes[v]);
      if (reveal == Reveal::label) {
        EXPECT_EQ(results[v]["label"], reference.compiled.program.labels.at(output.front()));
      } else {
        EXPECT_EQ(results[v]["values"].get<std::vector<double>>(), dequantise(reference.compiled.program.output(), output));
      }
    }
    const json online = o.json()["cost"]["online"];
    std::cout << to_text(GetParam()) << ", " << to_text(reveal) << ", two volumes: " << online["sent"] << " + " << online["received"]
              << " bytes in " << online["messages"] << " messages\n";
  }
}

TEST_P(GraphModels, FilesOfAGraphAreServedAndJoinBack) {
  const std::string suite(to_text(GetParam()));
  ASSERT_EQ(run("smpc-compile", {model_.string(), "-o", (folder_ / "build").string(), "--protocol", suite}).exit_code, 0);
  ASSERT_EQ(run("smpc-compile", {"--join", (folder_ / "build/cnn.stripped.onnx").string(), (folder_ / "build/cnn.weights").string(), "-o",
                                 (folder_ / "joined.onnx").string()}).exit_code, 0);
  EXPECT_EQ(read_file(folder_ / "joined.onnx"), read_file(model_));
  Deployment s({"--program", (folder_ / "build/cnn.program").string(), "--weights", (folder_ / "build/cnn.weights").string()});
  const Reference reference(options(Reveal::label), model_);
  s.reference = &reference;
  s.start_dealer();
  s.start_server();
  const Outcome o = s.client({"--image", (demo / "scan.nii.gz").string(), "--json"});
  EXPECT_EQ(o.exit_code, 0) << o.err;
  const Outcome verified = run("smpc-verify", {"--model", model_.string(), "--image", (demo / "scan.nii.gz").string(), "--protocol", suite, "--json"});
  EXPECT_EQ(verified.exit_code, 0) << verified.err;
  EXPECT_EQ(verified.json()["volumes"][0]["two_party_equal"], true);
  EXPECT_EQ(verified.json()["volumes"][0]["within_error_bound"], true);
}

INSTANTIATE_TEST_SUITE_P(Suites, GraphModels, ::testing::Values(Suite::cryptflow2, Suite::masked),
                         [](const auto& suite) { return std::string(to_text(suite.param)); });

}  // namespace
}  // namespace smpc
