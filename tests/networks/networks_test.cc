// Architectures of realistic size between two parties: every tensor is the interpreter's, the cost is the predicted one, and
// the output is within the stated error of float.
#include <gtest/gtest.h>

#include <cmath>
#include <iostream>

#include "smpc/compiler/compile.h"
#include "smpc/compiler/float_reference.h"
#include "smpc/compiler/operators.h"
#include "smpc/runtime/explain.h"
#include "support/architectures.h"
#include "support/two_party.h"

namespace smpc::testing {

void PrintTo(const Architecture& a, std::ostream* out) { *out << a.name; }

namespace {

class Networks : public ::testing::TestWithParam<Architecture> {};

TEST_P(Networks, AgreeInEveryBitForWhatIsPredicted) {
  const Network network = build_network(GetParam().make());
  CompileOptions options;
  options.reveal = Reveal::logits;
  options.suite = Suite::masked;
  options.input_range = GetParam().range;
  options.mixed_scales = GetParam().mixed_scales;
  options.input_rms = GetParam().range / std::sqrt(3);
  const Compiled c = compile(Network(network), options, {});
  std::mt19937 rng(11);
  std::uniform_real_distribution<double> any(-GetParam().range, GetParam().range);
  std::vector<double> x(c.program.whole_input());
  for (double& v : x) v = any(rng);
  const RingVector input = quantise(c.program, x, "x");
  const auto fixed = interpret(c.program, c.weights, input);
  const LocalRun two = run_two_party(c.program, c.weights, input, 1);
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
  double squares = 0;
  for (std::size_t i = 0; i < y.size(); ++i) {
    error = std::max(error, std::abs(y[i] - exact[i]));
    squares += std::pow(y[i] - exact[i], 2);
    size = std::max(size, std::abs(exact[i]));
  }
  EXPECT_LE(error, c.error_bound.value_or(0));
  // The estimate takes what is rounded to be independent: with weights of one sign it is not.
  const double typical = std::sqrt(squares / static_cast<double>(y.size()));
  if (!GetParam().mixed_scales) {
    EXPECT_LT(typical, 4 * c.logit_error);
    EXPECT_GT(typical, c.logit_error / 4);
  }
  EXPECT_LT(error, 0.01 * std::max(1.0, size));
  unsigned widest = 0;
  for (const TensorType& t : c.program.tensors) widest = std::max(widest, t.ring.bits);
  const Explanation e = explain(c.program);
  std::cout << GetParam().name << ": " << c.program.ops.size() << " ops, rings of up to " << widest << " bits, "
            << e.client_to_server + e.server_to_client << " bytes in " << e.messages << " messages, bundle of " << e.bundle_bytes
            << " bytes, masked weights of " << e.masked_weight_bytes << "; outputs of up to " << size << ", error " << error
            << " of at most " << c.error_bound.value_or(0) << ", usually " << typical << " where " << c.logit_error << " is estimated\n";
}

INSTANTIATE_TEST_SUITE_P(, Networks, ::testing::ValuesIn(architectures), [](const auto& given) { return std::string(given.param.name); });

// Graphs that others publish without their weights: one constant stands for each. Such weights stretch what is constant as far as
// weights can, so that values of the deeper ones outgrow every scale but their own.
class Light : public ::testing::TestWithParam<std::string> {};

TEST_P(Light, LoadsAndCompilesAndItsCostIsTold) {
  const std::filesystem::path file = std::filesystem::path(SMPC_SHARED_DATA) / "onnx/light" / ("light_" + GetParam() + ".onnx");
  if (!std::filesystem::exists(file)) GTEST_SKIP() << file << " is not there";
  for (const NodeCheck& n : check_nodes(load_model(file))) EXPECT_TRUE(n.supported) << n.node << ": " << n.reason;
  CompileOptions options;
  options.reveal = Reveal::logits;
  options.suite = Suite::masked;
  options.mixed_scales = true;
  const Compiled c = compile(build_network(load_model(file)), options, {});
  EXPECT_EQ(decode_program(encode(c.program)), c.program);
  const Explanation e = explain(c.program);
  EXPECT_GT(e.masked_weight_bytes, 1000000U);
  std::cout << GetParam() << ": " << c.program.ops.size() << " ops, " << e.client_to_server + e.server_to_client << " bytes in " << e.messages
            << " messages, masked weights of " << e.masked_weight_bytes << ", memory of the client " << e.memory.client << ", of the server "
            << e.memory.server << "\n";
}

INSTANTIATE_TEST_SUITE_P(, Light, ::testing::Values("bvlc_alexnet", "densenet121", "inception_v1", "inception_v2", "resnet50", "shufflenet", "squeezenet",
                                            "vgg19", "zfnet512"),
                         [](const auto& given) { return given.param; });

}  // namespace
}  // namespace smpc::testing
