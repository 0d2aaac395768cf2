// Models that are no chain: what they become, what it costs, and how far fixed point is from float.
#include <cmath>
#include <random>

#include "model/model_builder.h"
#include "smpc/compiler/compile.h"
#include "smpc/compiler/float_reference.h"
#include "support/thinned.h"
#include "support/two_party.h"

namespace smpc::test {
namespace {

std::mt19937 generator(12);

std::vector<float> random_weights(std::size_t count, float size = 0.5F) {
  std::uniform_real_distribution<float> one(-size, size);
  std::vector<float> out(count);
  for (float& w : out) w = one(generator);
  return out;
}

CompileOptions logits(double range = 2) {
  CompileOptions o;
  o.reveal = Reveal::logits;
  o.suite = Suite::masked;
  o.input_range = range;
  return o;
}

std::size_t count_ops(const Program& p, std::string_view name) {
  return static_cast<std::size_t>(std::count_if(p.ops.begin(), p.ops.end(), [&](const Op& op) { return op_name(op.kind) == name; }));
}
// Elements that are compared.
std::size_t compared(const Program& p) {
  std::size_t n = 0;
  for (std::size_t i = 0; i < p.ops.size(); ++i) {
    if (op_name(p.ops[i].kind) == "Relu" || op_name(p.ops[i].kind) == "Truncate") n += p.tensors[i + 1].count;
  }
  return n;
}

// Float and fixed point within the stated error, and two parties equal to fixed point, for random inputs and extreme ones.
void check(const Network& network, const CompileOptions& options) {
  const Compiled c = compile(Network(network), options, {});
  ASSERT_TRUE(c.error_bound);
  const std::size_t n = c.program.whole_input();
  const double range = *options.input_range;
  std::uniform_real_distribution<double> any(-range, range);
  for (int run = 0; run < 6; ++run) {
    Doubles x(n);
    for (double& v : x) v = run == 0 ? range : run == 1 ? -range : any(generator);
    const RingVector input = quantise(c.program, x, "x");
    const auto fixed = interpret(c.program, c.weights, input);
    const auto exact = float_layers(network, x).back();
    const auto y = dequantise(c.program.output(), fixed.back());
    ASSERT_EQ(y.size(), exact.size());
    for (std::size_t i = 0; i < y.size(); ++i) EXPECT_NEAR(y[i], exact[i], *c.error_bound) << run << " " << i;
    const auto two = testing::run_two_party(c.program, c.weights, input, 1);
    EXPECT_EQ(two.tensors, fixed) << run;
  }
}

// Conv, BatchNormalization, Relu, MaxPool, a residual, an average and a dense layer.
ModelBuilder network() {
  ModelBuilder b(13);
  b.input("x", {unknown_dim, 2, 8, 8}).output("y", {unknown_dim, 3});
  b.weights("w1", {4, 2, 3, 3}, random_weights(72)).weights("b1", {4}, random_weights(4));
  b.weights("scale", {4}, {1, 0.5F, 2, 1}).weights("shift", {4}, random_weights(4)).weights("mean", {4}, random_weights(4));
  b.weights("variance", {4}, {1, 2, 0.5F, 1});
  with_ints(b.node("Conv", {"x", "w1", "b1"}, {"c1"}), "pads", {1, 1, 1, 1});
  b.node("BatchNormalization", {"c1", "scale", "shift", "mean", "variance"}, {"n1"});
  b.node("Relu", {"n1"}, {"r1"});
  with_ints(with_ints(b.node("MaxPool", {"r1"}, {"p1"}), "kernel_shape", {2, 2}), "strides", {2, 2});
  b.weights("w2", {4, 4, 3, 3}, random_weights(144, 0.2F));
  with_ints(b.node("Conv", {"p1", "w2"}, {"c2"}), "pads", {1, 1, 1, 1});
  b.node("Add", {"c2", "p1"}, {"sum"});
  b.node("Relu", {"sum"}, {"r2"});
  b.node("GlobalAveragePool", {"r2"}, {"mean2"});
  b.node("Flatten", {"mean2"}, {"flat"});
  b.weights("w3", {3, 4}, random_weights(12)).weights("b3", {3}, random_weights(3));
  with(b.node("Gemm", {"flat", "w3", "b3"}, {"y"}), "transB", 1);
  return b;
}

TEST(Graph, AResidualNetworkIsWithinTheStatedErrorAndExactBetweenTwoParties) {
  const Network n = network().build();
  EXPECT_TRUE(n.layers.empty());
  check(n, logits());
  CompileOptions other = logits();
  other.suite = Suite::cryptflow2;
  check(n, other);
}

TEST(Graph, TheErrorThatIsStatedIsSmall) {
  const Compiled c = compile(network().build(), logits(), {});
  EXPECT_LT(*c.error_bound, 0.05);
}

TEST(Graph, NormalizationGoesIntoTheConvolutionAndPoolingBeforeTheRelu) {
  const Compiled c = compile(network().build(), logits(), {});
  EXPECT_EQ(count_ops(c.program, "Conv") + count_ops(c.program, "Linear"), 3U);
  EXPECT_EQ(count_ops(c.program, "Bias"), 0U);
  // Pooling 8 x 8 to 4 x 4 compares 32 + 16 elements a channel, and what is left is rectified; so is the second sum. The
  // average is shifted before the last layer.
  EXPECT_EQ(compared(c.program), 4 * (32 + 16) + 4 * 16 + 4 * 16 + 4);
}

TEST(Graph, ALabelIsTheLargestLogit) {
  const Network n = network().build();
  CompileOptions o = logits();
  o.reveal = Reveal::label;
  const Compiled c = compile(Network(n), o, {});
  Doubles x(128);
  std::uniform_real_distribution<double> any(-2, 2);
  for (double& v : x) v = any(generator);
  const RingVector input = quantise(c.program, x, "x");
  const auto exact = float_layers(n, x).back();
  const auto two = testing::run_two_party(c.program, c.weights, input, 1);
  EXPECT_EQ(two.output[0], static_cast<std::uint64_t>(std::max_element(exact.begin(), exact.end()) - exact.begin()));
}

TEST(Graph, ANarrowerInputNeedsNarrowerRings) {
  const Compiled wide = compile(network().build(), logits(200), {});
  const Compiled narrow = compile(network().build(), logits(1), {});
  EXPECT_GT(wide.program.tensors[0].ring.bits, narrow.program.tensors[0].ring.bits);
}

// Every op that this stands for has cases in ONNX's own suite (tests/conformance); these have none.
TEST(Graph, TwoSecretsAreMultipliedAndCompared) {
  ModelBuilder b(13);
  b.input("x", {unknown_dim, 2, 3}).output("y", {unknown_dim, 2, 2});
  b.ints("axes", {0}).weights("w", {1, 3, 2}, random_weights(6));
  b.node("MatMul", {"x", "w"}, {"a"});                                  // [1, 2, 2]
  with_ints(b.node("Transpose", {"x"}, {"t"}), "perm", {0, 2, 1});
  b.node("MatMul", {"x", "t"}, {"s"});                                  // two secrets
  b.node("Mul", {"s", "a"}, {"m"});                                     // two secrets
  b.node("Max", {"m", "a"}, {"l"});
  b.node("Abs", {"l"}, {"y"});
  check(b.build(), logits());
}

TEST(Graph, fault_54_AModelThatDoesNotFitIsRefusedNamingTheLayer) {
  ModelBuilder b(13);
  b.input("x", {unknown_dim, 4}).output("y", {unknown_dim, 4});
  std::string last = "x";
  for (int i = 0; i < 12; ++i) {
    const std::string next = i == 11 ? "y" : "v" + std::to_string(i);
    b.node("Mul", {last, last}, {next});
    last = next;
  }
  try {
    compile(b.build(), logits(100), {});
    ADD_FAILURE() << "nothing was refused";
  } catch (const Error& e) {
    EXPECT_TRUE(has(e.what(), {"layer 'Mul", "bits", "--input-range"})) << e.what();
  }
}

// What it reads grows eight hundredfold in every layer, far beyond 64 bits at any one scale.
ModelBuilder growing_to(const std::string& end, int layers) {
  ModelBuilder b(17);
  b.input("x", {unknown_dim, 4}).output("y", {unknown_dim, 4});
  std::string last = "x";
  for (int i = 0; i < layers; ++i) {
    const std::string n = std::to_string(i);
    b.weights("w" + n, {4, 4}, std::vector<float>(16, 200)).node("MatMul", {last, "w" + n}, {"m" + n});
    b.node("Relu", {"m" + n}, {"r" + n});
    last = i + 1 == layers ? end : "s" + n;
    b.node("Add", {"r" + n, i % 2 == 0 ? "x" : "m" + n}, {last});
  }
  return b;
}
Network growing() { return growing_to("y", 10).build(); }

TEST(Graph, WhatFitsAtNoOneScaleIsRefusedUnlessScalesMayBeMixed) {
  const Network n = growing();
  CompileOptions o = logits();
  try {
    compile(Network(n), o, {});
    ADD_FAILURE() << "nothing was refused";
  } catch (const Error& e) {
    EXPECT_TRUE(has(e.what(), {"layer '", "bits", "--mixed-scales"})) << e.what();
  }
  o.mixed_scales = true;
  EXPECT_TRUE(compile_options_from_json(to_json(o)).mixed_scales);
  const Compiled c = compile(Network(n), o, {});
  ASSERT_TRUE(c.coarsest);
  EXPECT_LT(c.coarsest->scale, 0);
  EXPECT_EQ(decode_program(encode(c.program)), c.program);
  check(n, o);
  const Doubles x{1, 0.5, -0.25, 1};
  const double exact = float_layers(n, x).back()[0];
  EXPECT_GT(exact, 0x1p90);
  const auto y = dequantise(c.program.output(), interpret(c.program, c.weights, quantise(c.program, x, "x")).back());
  for (const double v : y) EXPECT_NEAR(v, exact, 0x1p-12 * exact);
  // What fits at one scale has one.
  const Network other = network().build();
  const Compiled small = compile(Network(other), o, {});
  EXPECT_FALSE(small.coarsest);
  o.mixed_scales = false;
  EXPECT_EQ(small.program, compile(Network(other), o, {}).program);
}

// So large that it has no fractional bits to cut off: nothing is shifted up.
TEST(Graph, NormalizationOfWhatHasMixedScalesIsRightOrRefused) {
  std::size_t compiled = 0;
  for (int layers = 2; layers <= 8; layers += smpc::testing::one_in(3)) {
    SCOPED_TRACE(layers);
    ModelBuilder b = growing_to("large", layers);
    b.weights("tilt", {4}, {1, 0.5F, -1, 0.25F}).node("Mul", {"large", "tilt"}, {"tilted"});
    b.weights("scale", {4}, {1, 2, 3, 4}).weights("shift", {4}, {0.5F, 0, -1, 0});
    with(b.node("LayerNormalization", {"tilted", "scale", "shift"}, {"y"}), "axis", -1);
    const Network n = b.build();
    CompileOptions o = logits(1);
    o.mixed_scales = true;
    try {
      const Compiled c = compile(Network(n), o, {});
      ASSERT_EQ(decode_program(encode(c.program)), c.program);
      compiled += c.coarsest ? 1 : 0;
    } catch (const Error& e) {
      EXPECT_TRUE(has(e.what(), {"layer '", "can need", "bits"})) << e.what();
      continue;
    }
    check(n, o);
  }
  EXPECT_GT(compiled, 2U / smpc::testing::one_in(3));
}

// exp(-x^4), where x^4 can be wrong by thousands: no limit is stated, rather than one that is no number.
TEST(Graph, AnErrorThatHasNoLimitIsNotStated) {
  ModelBuilder b(13);
  b.input("x", {unknown_dim, 3}).output("y", {unknown_dim, 3});
  b.node("Mul", {"x", "x"}, {"square"});
  b.node("Mul", {"square", "square"}, {"large"});
  b.node("Neg", {"large"}, {"below"});
  b.node("Exp", {"below"}, {"e"});
  b.node("Mul", {"e", "e"}, {"y"});
  const Compiled c = compile(b.build(), logits(300), {});
  EXPECT_FALSE(c.error_bound) << *c.error_bound;
}

TEST(Graph, ASmallFactorHasAsManyBitsAsOthers) {
  for (const bool each : {false, true}) {
    ModelBuilder b(13);
    b.input("x", {unknown_dim, 3}).output("y", {unknown_dim, 3});
    b.weights("c", {each ? 3 : 1}, each ? std::vector<float>{3e-5F, 2e-5F, 1e-5F} : std::vector<float>{2e-5F});
    b.node("Mul", {"x", "c"}, {"y"});
    const Network n = b.build();
    check(n, logits());
    EXPECT_LT(*compile(Network(n), logits(), {}).error_bound, 2 * 3e-5 * 0x1p-13);
  }
}

TEST(Graph, AMaskIsRefused) {
  CompileOptions o = logits();
  o.grid = Grid{};
  o.grid->shape = {2, 8, 8};
  o.input_mask = InputMask{Bytes(16, std::byte{0x0f}), 128};
  EXPECT_THROW(compile(network().build(), o, {}), Error);
}

TEST(Graph, AConstantIsAddedToTheInputItself) {
  ModelBuilder b(13);
  b.input("x", {unknown_dim, 3}).output("y", {unknown_dim, 3});
  b.weights("c", {3}, {0.5F, -1, 0.25F});
  b.node("Add", {"x", "c"}, {"h"});
  b.node("Mul", {"h", "c"}, {"y"});
  check(b.build(), logits());
}

TEST(Graph, AResidualIsAdded) {
  ModelBuilder b(13);
  b.input("x", {unknown_dim, 3}).output("y", {unknown_dim, 3});
  b.weights("w", {3, 3}, {1, 2, 3, 4, 5, 6, 7, 8, 9});
  b.node("MatMul", {"x", "w"}, {"h"});
  b.node("Add", {"x", "h"}, {"y"});
  const Network n = b.build();
  EXPECT_EQ(evaluate(n, {1, 10, 100}), (Doubles{742, 862, 1063}));
  check(n, logits());
}

// ---- Refusals

ModelBuilder image() {
  ModelBuilder b(13);
  b.input("x", {unknown_dim, 2, 4, 4}).output("y", {unknown_dim, 2, 4, 4});
  b.weights("w", {2, 2, 3, 3}, random_weights(36));
  return b;
}

TEST(GraphRefuses, fault_52_ZeroStrideZeroGroupAndAKernelLargerThanItsInput) {
  const auto conv = [](auto&& attributes) {
    ModelBuilder b = image();
    attributes(b.node("Conv", {"x", "w"}, {"y"}));
    return b.error();
  };
  EXPECT_TRUE(has(conv([](Node& n) { with_ints(n, "strides", {0, 0}); }), {"'Conv0'", "strides", "at least 1, found 0"}));
  EXPECT_TRUE(has(conv([](Node& n) { with_ints(n, "dilations", {1, 0}); }), {"'Conv0'", "dilations", "found 0"}));
  EXPECT_TRUE(has(conv([](Node& n) { with(n, "group", 0); }), {"'Conv0'", "groups"}));
  EXPECT_TRUE(has(conv([](Node& n) { with(n, "group", 3); }), {"'Conv0'", "3 groups"}));
  EXPECT_TRUE(has(conv([](Node& n) { with_ints(n, "dilations", {2, 2}); }), {"'Conv0'", "kernel reaches over 5", "has, 4"}));
  EXPECT_TRUE(has(conv([](Node& n) { with_ints(n, "kernel_shape", {2, 2}); }), {"'Conv0'", "kernel_shape", "[3, 3]", "[2, 2]"}));
  EXPECT_TRUE(has(conv([](Node& n) { with_ints(n, "pads", {1, 1}); }), {"'Conv0'", "pads", "expected 4"}));
  EXPECT_TRUE(has(conv([](Node& n) { with_ints(n, "pads", {-1, 0, 0, 0}); }), {"'Conv0'", "pads", "found -1"}));
  EXPECT_TRUE(has(conv([](Node& n) { n.attributes.insert_or_assign("auto_pad", std::string("SIDEWAYS")); }), {"'Conv0'", "auto_pad", "SIDEWAYS"}));
  ModelBuilder pool = image();
  with_ints(pool.node("MaxPool", {"x"}, {"y"}), "kernel_shape", {5, 1});
  EXPECT_TRUE(has(pool.error(), {"'MaxPool0'", "kernel reaches over 5"}));
  ModelBuilder none = image();
  none.node("AveragePool", {"x"}, {"y"});
  EXPECT_TRUE(has(none.error(), {"'AveragePool0'", "kernel_shape", "found none"}));
}

TEST(GraphRefuses, WhatIsNotSupportedByNodeAndReason) {
  ModelBuilder op = image();
  op.node("Ceil", {"x"}, {"y"});
  EXPECT_TRUE(has(op.error(), {"'Ceil0'", "not supported", "smpc-compile --operators"}));
  ModelBuilder attribute = image();
  with(attribute.node("Relu", {"x"}, {"y"}), "fast", 1);
  EXPECT_TRUE(has(attribute.error(), {"'Relu0'", "'fast'", "remove it"}));
  ModelBuilder indices = image();
  with_ints(indices.node("MaxPool", {"x"}, {"p", "i"}), "kernel_shape", {1, 1});
  indices.node("Add", {"p", "i"}, {"y"});
  EXPECT_TRUE(has(indices.error(), {"'MaxPool0'", "indices"}));
  ModelBuilder division = image();
  division.node("Div", {"x", "x"}, {"y"});
  try {
    compile(division.build(), logits(), {});
    ADD_FAILURE() << "was compiled";
  } catch (const Error& e) {
    EXPECT_TRUE(has(e.what(), {"'Div0'", "of one sign", "--input-range LOW:HIGH"})) << e.what();
  }
  ModelBuilder unread = image();
  unread.node("Conv", {"x", "w"}, {"nothing"});
  unread.node("Relu", {"x"}, {"y"});
  EXPECT_TRUE(has(unread.error(), {"'Conv0'", "nothing reads"}));
  ModelBuilder computed = image();
  computed.node("Relu", {"x"}, {"v"});
  computed.node("Conv", {"x", "v"}, {"y"});
  EXPECT_TRUE(has(computed.error(), {"'Conv1'", "weight 'v'", "constant"}));
  ModelBuilder shapes = image();
  shapes.weights("c", {3, 1}, {1, 2, 3});
  shapes.node("Add", {"x", "c"}, {"y"});
  EXPECT_TRUE(has(shapes.error(), {"'Add0'", "[1, 2, 4, 4]", "[3, 1]"}));
  ModelBuilder declared = image();
  with_ints(declared.node("MaxPool", {"x"}, {"y"}), "kernel_shape", {2, 2});
  EXPECT_TRUE(has(declared.error(), {"output 'y'", "[1, 2, 3, 3]"}));
}

// Counts that 64 bits do not hold are not counted modulo 2^64.
TEST(GraphRefuses, WhatHas2ToThe66Elements) {
  ModelBuilder conv(13);
  conv.input("x", {1, 1, 1, 1, 1}).output("y", {1, 1, 1 << 22, 1 << 22, 1 << 22}).weights("w", {1, 1, 1, 1, 1}, {1});
  with_ints(conv.node("Conv", {"x", "w"}, {"y"}), "pads", {(1 << 22) - 1, (1 << 22) - 1, (1 << 22) - 1, 0, 0, 0});
  EXPECT_TRUE(has(conv.error(), {"'Conv0'", "too large"}));
  ModelBuilder pool(13);
  pool.input("x", {1, 1, 1, 1, 1}).output("y", {1, 1, 16, 1, 1});
  with_ints(pool.node("AveragePool", {"x"}, {"y"}), "kernel_shape", {1 << 20, 1 << 20, 1 << 20});
  with_ints(pool.model.nodes.back(), "pads", {1 << 20, 1 << 20, 1 << 20, 14, 0, 0});
  with(pool.model.nodes.back(), "count_include_pad", 1);
  EXPECT_TRUE(has(pool.error(), {"'AveragePool0'", "too large"}));
}

// A public factor that no integer holds: 2 times 2^99, at 16 bits, and 15 more of the factor.
TEST(GraphRefuses, AFactorThatIsTooLarge) {
  ModelBuilder b(13);
  b.input("x", {unknown_dim, 3}).output("y", {unknown_dim, 3});
  with_float(b.node("LeakyRelu", {"x"}, {"y"}), "alpha", 0x1p99F);
  CompileOptions o = logits();
  o.scale = 16;
  try {
    compile(b.build(), o, {});
    ADD_FAILURE() << "was compiled";
  } catch (const Error& e) {
    EXPECT_TRUE(has(e.what(), {"layer 'LeakyRelu0'", "can need 133 bits, and at most 64"})) << e.what();
  }
}

TEST(GraphRefuses, WhatWouldTakeTooMuch) {
  ModelBuilder constants(13);
  constants.input("x", {unknown_dim, 1}).output("y", {unknown_dim, 1});
  constants.weights("c", {1}, {1}).ints("shape", {1 << 13, 1 << 13});
  constants.node("Expand", {"c", "shape"}, {"large"});
  constants.node("Add", {"x", "large"}, {"y"});
  EXPECT_TRUE(has(constants.error(), {"too large"}));
  ModelBuilder window(13);
  window.input("x", {unknown_dim, 1, 1 << 13, 1 << 13}).output("y", {unknown_dim, 1, 1, 1});
  with_ints(window.node("MaxPool", {"x"}, {"y"}), "kernel_shape", {257, 257});
  EXPECT_TRUE(has(window.error(), {"'MaxPool0'", "at most 256"}));
}

}  // namespace
}  // namespace smpc::test
