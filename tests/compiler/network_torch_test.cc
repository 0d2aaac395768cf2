// Files that PyTorch exported (tests/model/make_torch_models.py), against what PyTorch computed.
#include <cmath>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "model/model_builder.h"
#include "smpc/base/file.h"
#include "smpc/model/model.h"
#include "support/thinned.h"

namespace smpc::test {
namespace {

namespace fs = std::filesystem;

Doubles outputs(const Network& network, const Doubles& x) {
  Doubles y = evaluate(network, x);
  if (network.tail == Tail::argmax) return {static_cast<double>(std::max_element(y.begin(), y.end()) - y.begin())};
  if (network.tail == Tail::none) return y;
  double sum = 0;
  for (double& v : y) sum += v = std::exp(v);
  for (double& v : y) v = network.tail == Tail::log_softmax ? std::log(v / sum) : v / sum;
  return y;
}

TEST(ExportedByPyTorch, ComputesWhatPyTorchDoesOrIsRefusedByName) {
  const fs::path folder = fs::path(SMPC_TEST_DATA) / "onnx";
  std::ifstream in(folder / "expected.json");
  const auto cases = nlohmann::json::parse(in);
  ASSERT_GE(cases.size(), 23U);
  int refused = 0;
  for (const auto& c : cases) {
    const auto file = c.at("file").get<std::string>();
    SCOPED_TRACE(file);
    if (c.contains("refused")) {
      try {
        build_network(load_model(folder / file));
        ADD_FAILURE() << "was accepted";
      } catch (const Error& e) {
        EXPECT_TRUE(has(e.what(), {c.at("refused").get<std::string>(), "node"}));
        ++refused;
      }
      continue;
    }
    const Network network = build_network(load_model(folder / file));
    EXPECT_EQ(network.inputs[0].name, "input");
    const auto inputs = c.at("input").get<std::vector<Doubles>>();
    const auto expected = c.at("output").get<std::vector<Doubles>>();
    ASSERT_EQ(inputs.size(), expected.size());
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      const Doubles found = outputs(network, inputs[i]);
      ASSERT_EQ(found.size(), expected[i].size());
      for (std::size_t o = 0; o < found.size(); ++o) EXPECT_NEAR(found[o], expected[i][o], 2e-5);
    }
  }
  EXPECT_EQ(refused, 1);
}

// Damage that leaves a valid model is lowered; all else is refused. Run under sanitizers.
TEST(ExportedByPyTorch, FlippedBitsNeverCrash) {
  for (const char* name : {"view_dynamic_opset13.onnx", "shift_opset13.onnx", "matmul_add_unfolded_opset12.onnx"}) {
    Bytes bytes = read_file(fs::path(SMPC_TEST_DATA) / "onnx" / name);
    std::size_t refused = 0;
    for (std::size_t i = 0; i < bytes.size(); i += smpc::testing::one_in(5)) {
      for (int bit = 0; bit < 8; ++bit) {
        bytes[i] ^= std::byte{1} << bit;
        try {
          const Network n = build_network(load_model(bytes, name));
          evaluate(n, Doubles(elements_of(n.inputs.front().shape)));
        } catch (const Error&) {
          ++refused;
        }
        bytes[i] ^= std::byte{1} << bit;
      }
    }
    EXPECT_GT(refused, bytes.size() / smpc::testing::one_in(5)) << name;
  }
}

}  // namespace
}  // namespace smpc::test
