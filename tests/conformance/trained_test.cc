// Trained models as others publish them.
#include <gtest/gtest.h>

#include <random>

#include "smpc/compiler/compile.h"
#include "smpc/compiler/float_reference.h"
#include "smpc/model/model.h"
#include "smpc/runtime/explain.h"
#include "support/two_party.h"

namespace smpc {
namespace {

namespace fs = std::filesystem;

const fs::path folder = fs::path(SMPC_SHARED_DATA) / "onnx";

// Of random images, as bright as the model expects them.
void check(const std::string& file, double range) {
  if (!fs::exists(folder / file)) GTEST_SKIP() << file << " is not there";
  Model model = load_model(folder / file);
  const auto metadata = model.metadata;
  Network network = build_network(std::move(model));
  CompileOptions options;
  options.reveal = Reveal::logits;
  options.suite = Suite::masked;
  options.input_range = range;
  const Compiled c = compile(Network(network), options, metadata);
  std::mt19937 rng(5);
  std::uniform_real_distribution<double> any(0, range);
  for (int run = 0; run < 3; ++run) {
    std::vector<double> x(c.program.whole_input());
    for (double& v : x) v = any(rng);
    const RingVector input = quantise(c.program, x, "x");
    const auto fixed = interpret(c.program, c.weights, input);
    EXPECT_EQ(testing::run_two_party(c.program, c.weights, input, 1).tensors, fixed);
    const auto exact = float_layers(network, x).back();
    const auto y = dequantise(c.program.output(), fixed.back());
    ASSERT_EQ(y.size(), 10U);
    double largest = 0;
    for (std::size_t i = 0; i < y.size(); ++i) {
      EXPECT_NEAR(y[i], exact[i], c.error_bound.value_or(0.01));
      largest = std::max(largest, std::abs(y[i] - exact[i]));
    }
    EXPECT_EQ(std::max_element(y.begin(), y.end()) - y.begin(), std::max_element(exact.begin(), exact.end()) - exact.begin());
    EXPECT_LT(largest, 0.02 * std::max(1.0, *std::max_element(exact.begin(), exact.end())));
    if (run == 0) {
      const Explanation e = explain(c.program);
      std::cout << file << ": " << c.program.ops.size() << " ops, " << e.client_to_server + e.server_to_client << " bytes, "
                << e.messages << " messages; error " << largest << " of at most " << c.error_bound.value_or(0) << "\n";
    }
  }
}

TEST(Trained, MnistByOnnxMlir) { check("onnxmlir_mnist.onnx", 1); }
TEST(Trained, MnistByWindowsMachineLearning) { check("wml_mnist.onnx", 255); }

}  // namespace
}  // namespace smpc
