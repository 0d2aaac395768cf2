// Real networks: they load, strip and join back.
#include <filesystem>

#include "onnx_builder.h"
#include "smpc/base/file.h"
#include "smpc/model/strip.h"

namespace smpc::test {
namespace {

namespace fs = std::filesystem;

void expect_round_trip(const fs::path& path) {
  SCOPED_TRACE(path.filename().string());
  const Bytes file = read_file(path);
  const Model m = load_model(path);
  EXPECT_FALSE(m.nodes.empty());
  const Stripped s = strip(file, path.string(), "");
  require_stripped(s.model, path.string());
  EXPECT_EQ(public_bytes(join(s.model, s.weights, path.string())), file);
}

TEST(RealFiles, ExportedByPyTorch) {
  int files = 0;
  for (const auto& entry : fs::directory_iterator(fs::path(SMPC_TEST_DATA) / "onnx")) {
    if (entry.path().extension() != ".onnx") continue;
    expect_round_trip(entry.path());
    ++files;
  }
  EXPECT_GE(files, 25);
}

TEST(RealFiles, TrainedConvolutionalNetworks) {
  const fs::path folder = fs::path(SMPC_SHARED_DATA) / "onnx";
  if (!fs::exists(folder)) GTEST_SKIP() << "no data at " << folder;
  for (const char* name : {"onnxmlir_mnist.onnx", "wml_mnist.onnx"}) expect_round_trip(folder / name);
}

TEST(RealFiles, LightGraphs) {
  const fs::path folder = fs::path(SMPC_SHARED_DATA) / "onnx" / "light";
  if (!fs::exists(folder)) GTEST_SKIP() << "no data at " << folder;
  int loaded = 0;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() != ".onnx") continue;
    expect_round_trip(entry.path());
    ++loaded;
  }
  EXPECT_GE(loaded, 9);
}

}  // namespace
}  // namespace smpc::test
