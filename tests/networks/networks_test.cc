// Architectures of realistic size between two parties: every tensor is the interpreter's, the cost is the predicted one, and
// the output is within the stated error of float.
#include <gtest/gtest.h>

#include <cmath>
#include <iostream>

#include "networks/architectures.h"
#include "smpc/compiler/compile.h"
#include "smpc/compiler/float_reference.h"
#include "smpc/runtime/explain.h"
#include "support/two_party.h"

namespace smpc::test {
namespace {

struct Architecture {
  const char* name;
  Model (*make)();
  double range;
};

void PrintTo(const Architecture& a, std::ostream* out) { *out << a.name; }

class Networks : public ::testing::TestWithParam<Architecture> {};

TEST_P(Networks, AgreeInEveryBitForWhatIsPredicted) {
  const Network network = build_network(GetParam().make());
  CompileOptions options;
  options.reveal = Reveal::logits;
  options.suite = Suite::masked;
  options.input_range = GetParam().range;
  const Compiled c = compile(Network(network), options, {});
  std::mt19937 rng(11);
  std::uniform_real_distribution<double> any(-GetParam().range, GetParam().range);
  std::vector<double> x(c.program.whole_input());
  for (double& v : x) v = any(rng);
  const RingVector input = quantise(c.program, x, "x");
  const auto fixed = interpret(c.program, c.weights, input);
  const LocalRun two = testing::run_two_party(c.program, c.weights, input, 1);
  ASSERT_EQ(two.tensors.size(), fixed.size());
  for (std::size_t t = 0; t < fixed.size(); ++t) {
    ASSERT_EQ(two.tensors[t], fixed[t]) << "tensor " << t << ", of " << (t > 0 ? c.program.ops[t - 1].name : "the input");
  }
  ASSERT_EQ(two.output, fixed.back());
  const auto exact = float_layers(network, x).back();
  const auto y = dequantise(c.program.output(), two.output);
  ASSERT_EQ(y.size(), exact.size());
  double error = 0;
  double size = 0;
  for (std::size_t i = 0; i < y.size(); ++i) {
    error = std::max(error, std::abs(y[i] - exact[i]));
    size = std::max(size, std::abs(exact[i]));
  }
  EXPECT_LE(error, c.error_bound.value_or(0));
  EXPECT_LT(error, 0.01 * std::max(1.0, size));
  unsigned widest = 0;
  for (const TensorType& t : c.program.tensors) widest = std::max(widest, t.ring.bits);
  const Explanation e = explain(c.program);
  std::cout << GetParam().name << ": " << c.program.ops.size() << " ops, rings of up to " << widest << " bits, "
            << e.client_to_server + e.server_to_client << " bytes in " << e.messages << " messages, bundle of " << e.bundle_bytes
            << " bytes, masked weights of " << e.masked_weight_bytes << "; outputs of up to " << size << ", error " << error
            << " of at most " << c.error_bound.value_or(0) << "\n";
}

INSTANTIATE_TEST_SUITE_P(, Networks,
                         ::testing::Values(Architecture{"LeNet5", lenet5, 1}, Architecture{"CifarCnn", cifar_cnn, 2},
                                           Architecture{"ResNet18", resnet18, 2}, Architecture{"SqueezeNet", squeezenet, 2},
                                           Architecture{"DenseNet121Blocks", densenet_blocks, 2}, Architecture{"Cnn3d", cnn_3d, 4},
                                           Architecture{"TransformerBlock", transformer_block, 2}),
                         [](const auto& given) { return std::string(given.param.name); });

}  // namespace
}  // namespace smpc::test
