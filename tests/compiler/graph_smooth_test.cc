// Smooth functions, several inputs and outputs, and what the compiler says of ops.
#include <cmath>
#include <fstream>
#include <random>

#include "model/model_builder.h"
#include "smpc/compiler/compile.h"
#include "smpc/compiler/float_reference.h"
#include "smpc/compiler/operators.h"
#include "support/two_party.h"

namespace smpc::test {
namespace {

CompileOptions between(double low, double high) {
  CompileOptions o;
  o.reveal = Reveal::logits;
  o.suite = Suite::masked;
  o.input_ranges[""] = {low, high};
  return o;
}

Network of_one(const std::string& op, std::int64_t count, double alpha = 0) {
  ModelBuilder b(13);
  b.input("x", {1, count}).output("y", {1, count});
  Node& n = b.node(op, {"x"}, {"y"});
  if (alpha != 0) n.attributes.emplace("alpha", static_cast<float>(alpha));
  return b.build();
}

// Every function over narrow ranges and wide ones, whose ends it levels off at: the values of a fine grid and the ends.
TEST(Smooth, EveryFunctionIsWithin2ToTheMinus10OfFloatOverItsRange) {
  struct Case {
    const char* op;
    double low, high, alpha;
  };
  const Case cases[] = {{"Sigmoid", -3, 3, 0},    {"Sigmoid", -1000, 1000, 0}, {"Sigmoid", 20, 30, 0},     {"Sigmoid", -40, -30, 0},
                        {"Tanh", -1, 1, 0},       {"Tanh", -100, 300, 0},      {"Erf", -2, 2, 0},          {"Erf", -500, 500, 0},
                        {"Exp", -2, 2, 0},        {"Exp", -100, 1, 0},         {"Exp", -3, 9, 0},          {"Softplus", -4, 4, 0},
                        {"Softplus", -200, 200, 0}, {"Elu", -3, 3, 0},         {"Elu", -90, 90, 2},        {"Elu", 1, 2, 0},
                        {"Sqrt", 0, 4, 0},        {"Sqrt", 1, 1000, 0},        {"Sqrt", 0, 100, 0},        {"Reciprocal", 0.5, 2, 0},
                        {"Reciprocal", 1, 1000, 0}, {"Reciprocal", 0.01, 10, 0}, {"Reciprocal", -8, -0.25, 0}};
  constexpr std::size_t count = 2001;
  for (const Case& c : cases) {
    SCOPED_TRACE(::testing::Message() << c.op << " from " << c.low << " to " << c.high);
    const Network n = of_one(c.op, count, c.alpha);
    const Compiled compiled = compile(Network(n), between(c.low, c.high), {});
    Doubles x(count);
    for (std::size_t i = 0; i < count; ++i) x[i] = c.low + (c.high - c.low) * static_cast<double>(i) / (count - 1);
    const RingVector input = quantise(compiled.program, x, "x");
    // Of the values as they are quantised: what is measured is the function.
    const auto exact = float_layers(n, dequantise(compiled.program.input(), input)).back();
    const auto y = dequantise(compiled.program.output(), interpret(compiled.program, compiled.weights, input).back());
    for (std::size_t i = 0; i < count; ++i) {
      ASSERT_NEAR(y[i], exact[i], 0x1p-10 * std::max(1.0, std::abs(exact[i]))) << x[i];
    }
    const auto given = float_layers(n, x).back();
    for (std::size_t i = 0; i < count; ++i) ASSERT_NEAR(y[i], given[i], *compiled.error_bound) << x[i];
  }
}

TEST(Smooth, TwoPartiesAgreeWithTheInterpreterInBothSuites) {
  std::mt19937 rng(3);
  for (const Suite suite : {Suite::cryptflow2, Suite::masked}) {
    for (const char* op : {"Sigmoid", "Exp", "Sqrt", "Reciprocal", "Softplus"}) {
      CompileOptions o = between(std::string(op) == "Reciprocal" ? 0.125 : 0, 40);
      if (std::string(op) == "Exp") o = between(-30, 3);
      o.suite = suite;
      const Compiled c = compile(of_one(op, 50), o, {});
      RingVector input;
      for (int v = 0; v < 2; ++v) {
        std::uniform_real_distribution<double> any(c.program.inputs[0].low, c.program.inputs[0].high);
        Doubles x(50);
        for (double& e : x) e = any(rng);
        x[0] = c.program.inputs[0].low;
        x[1] = c.program.inputs[0].high;
        const RingVector one = quantise(c.program, x, "x");
        input.insert(input.end(), one.begin(), one.end());
      }
      const auto two = testing::run_two_party(c.program, c.weights, input, 2);
      for (std::size_t v = 0; v < 2; ++v) {
        const auto fixed = interpret(c.program, c.weights, RingVector(input.begin() + static_cast<long>(50 * v), input.begin() + static_cast<long>(50 * v + 50)));
        for (std::size_t t = 0; t < fixed.size(); ++t) {
          const auto from = two.tensors[t].begin() + static_cast<long>(v * fixed[t].size());
          ASSERT_EQ(RingVector(from, from + static_cast<long>(fixed[t].size())), fixed[t]) << op << " " << c.program.ops[t == 0 ? 0 : t - 1].name;
        }
      }
    }
  }
}

// Normalisation as exporters write it before opset 17: what is under the root is a square's mean and a positive constant, however
// large the error of the square may be.
TEST(Smooth, ANormalisationThatIsWrittenOutCompilesAlongEveryAxis) {
  for (const std::int64_t axis : {1, 2}) {
    ModelBuilder b(13);
    b.input("x", {1, 6, 4}).output("y", {1, 6, 4});
    b.weights("two", {}, {2}).weights("epsilon", {}, {1e-5F});
    with_ints(b.node("ReduceMean", {"x"}, {"mean"}), "axes", {axis});
    b.node("Sub", {"x", "mean"}, {"d"});
    b.node("Pow", {"d", "two"}, {"s"});
    with_ints(b.node("ReduceMean", {"s"}, {"v"}), "axes", {axis});
    b.node("Add", {"v", "epsilon"}, {"e"});
    b.node("Sqrt", {"e"}, {"r"});
    b.node("Div", {"d", "r"}, {"y"});
    const Compiled c = compile(b.build(), between(-8, 8), {});
    Doubles x(24);
    std::mt19937 rng(7);
    std::uniform_real_distribution<double> any(-8, 8);
    for (double& v : x) v = any(rng);
    const auto y = dequantise(c.program.output(), interpret(c.program, c.weights, quantise(c.program, x, "x")).back());
    const auto at = [&](std::size_t line, std::size_t k) { return axis == 1 ? k * 4 + line : line * 4 + k; };
    const std::size_t size = axis == 1 ? 6 : 4;
    for (std::size_t line = 0; line < 24 / size; ++line) {
      double mean = 0;
      double variance = 0;
      for (std::size_t k = 0; k < size; ++k) mean += x[at(line, k)] / static_cast<double>(size);
      for (std::size_t k = 0; k < size; ++k) variance += std::pow(x[at(line, k)] - mean, 2) / static_cast<double>(size);
      for (std::size_t k = 0; k < size; ++k) EXPECT_NEAR(y[at(line, k)], (x[at(line, k)] - mean) / std::sqrt(variance + 1e-5), 2e-3);
    }
  }
}

TEST(Smooth, WhatHasNoValueIsRefusedNamingTheLayer) {
  const auto error = [](const char* op, double low, double high) -> std::string {
    try {
      compile(of_one(op, 3), between(low, high), {});
    } catch (const Error& e) {
      EXPECT_EQ(e.kind(), ErrorKind::bad_input);
      return e.what();
    }
    ADD_FAILURE() << "was compiled";
    return {};
  };
  EXPECT_TRUE(has(error("Reciprocal", -1, 1), {"'Reciprocal0'", "of one sign", "LOW:HIGH"}));
  EXPECT_TRUE(has(error("Sqrt", -1, 1), {"'Sqrt0'", "not negative"}));
  EXPECT_TRUE(has(error("Exp", -1, 100), {"'Exp0'", "--input-range"}));
}

TEST(Graph, SeveralInputsAndOutputsEachWithItsRange) {
  ModelBuilder b(13);
  b.input("a", {1, 2, 3}).input("b", {1, 4}).output("sum", {1, 3}).output("index", {1, 1}, ElementType::i64);
  b.ints("axes", {1}).weights("w", {4, 3}, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12});
  b.node("ReduceSum", {"a", "axes"}, {"s"}).attributes.emplace("keepdims", std::int64_t{0});
  b.node("MatMul", {"b", "w"}, {"m"});
  b.node("Add", {"s", "m"}, {"sum"});
  b.node("ArgMax", {"sum"}, {"index"}).attributes.emplace("axis", std::int64_t{1});
  const Network n = b.build();
  CompileOptions o = between(-1, 1);
  o.input_ranges["b"] = {0, 10};
  const Compiled c = compile(Network(n), o, {});
  ASSERT_EQ(c.program.inputs.size(), 2U);
  EXPECT_EQ(c.program.inputs[0], (ProgramInput{"a", {2, 3}, -1, 1}));
  EXPECT_EQ(c.program.inputs[1], (ProgramInput{"b", {4}, 0, 10}));
  ASSERT_EQ(c.program.outputs.size(), 2U);
  EXPECT_EQ(c.program.outputs[0], (ProgramOutput{"sum", {3}}));
  EXPECT_EQ(c.program.outputs[1], (ProgramOutput{"index", {1}}));
  EXPECT_TRUE(c.program.labels.empty());
  EXPECT_EQ(decode_program(encode(c.program)), c.program);
  const Doubles x{1, -1, 0.5, 0.25, 0, -0.5, 0, 1, 2, 3};
  const RingVector input = quantise(c.program, x, "x");
  const auto fixed = interpret(c.program, c.weights, input);
  EXPECT_EQ(testing::run_two_party(c.program, c.weights, input, 1).tensors, fixed);
  const auto y = dequantise(c.program.output(), fixed.back());
  const Doubles expected{1.25 + 4 + 14 + 30, -1 + 5 + 16 + 33, 6 + 18 + 36, 2};
  for (std::size_t i = 0; i < 4; ++i) EXPECT_NEAR(y[i], expected[i], 1e-3) << i;
  // Beyond the range of the one, within that of the other.
  Doubles beyond = x;
  beyond[0] = 2;
  EXPECT_THROW(quantise(c.program, beyond, "x"), Error);
  o.input_ranges["c"] = {0, 1};
  EXPECT_THROW(compile(Network(n), o, {}), Error);
  CompileOptions label = between(-1, 1);
  label.reveal = Reveal::label;
  EXPECT_THROW(compile(Network(n), label, {}), Error);
}

TEST(Graph, APictureRuleIsPartOfTheProgram) {
  ModelBuilder b(13);
  b.input("x", {1, 1, 2, 3}).output("y", {1, 1, 2, 3});
  b.node("Relu", {"x"}, {"y"});
  CompileOptions o = between(-3, 3);
  o.pictures[""] = picture_rule(R"({"height": 2, "width": 3, "channels": "grey", "layout": "CHW", "factor": 0.0039215686, "mean": [0.5], "deviation": [0.25]})");
  const Network n = b.build();
  const Compiled c = compile(Network(n), o, {});
  ASSERT_TRUE(c.program.inputs[0].picture);
  EXPECT_EQ(c.program.inputs[0].picture->width, 3U);
  EXPECT_EQ(compile_options_from_json(to_json(o)).pictures, o.pictures);
  EXPECT_NE(program_hash(c.program), program_hash(compile(Network(n), between(-3, 3), {}).program));
  o.pictures[""].height = 3;
  EXPECT_THROW(compile(Network(n), o, {}), Error);
  for (const char* bad : {"", "[]", "{}", R"({"height": 2})", R"({"height": 0, "width": 3, "channels": "grey", "layout": "CHW", "factor": 1, "mean": [0], "deviation": [1]})",
                          R"({"height": 2, "width": 3, "channels": "grey", "layout": "CHW", "factor": 1, "mean": [0], "deviation": [0]})",
                          R"({"height": 2, "width": 3, "channels": "grey", "layout": "CHW", "factor": 1, "mean": [0], "deviation": [1], "more": 1})"}) {
    EXPECT_THROW(picture_rule(bad), Error) << bad;
  }
}

TEST(Ranges, AreANumberOrTwo) {
  EXPECT_EQ(range_of("2.5")->low, -2.5);
  EXPECT_EQ(range_of("-1:3")->high, 3);
  EXPECT_EQ(range_of("0:1")->low, 0);
  for (const char* bad : {"", "0", "-1", "1:1", "3:-1", "1:", ":1", "a", "1:b", "nan", "inf", "1:inf", "1x"}) EXPECT_FALSE(range_of(bad)) << bad;
}

TEST(Operators, TheDocumentIsTheTable) {
  std::ifstream in(std::string(SMPC_TEST_DATA) + "/../../docs/OPERATORS.md");
  const std::string found(std::istreambuf_iterator<char>(in), {});
  EXPECT_EQ(found, operators_markdown()) << "write it anew: smpc-compile --operators > docs/OPERATORS.md";
}

TEST(Operators, EveryNodeIsCheckedByItself) {
  ModelBuilder b(13);
  b.input("x", {1, 2, 4, 4}).output("y", {1, 2, 4, 4});
  b.weights("w", {2, 2, 3, 3}, std::vector<float>(36, 0.1F));
  b.node("Ceil", {"x"}, {"a"});
  b.node("Relu", {"a"}, {"b"});
  b.node("Sigmoid", {"x"}, {"c"});
  with_ints(b.node("Conv", {"x", "w"}, {"d"}), "strides", {0, 1});
  b.node("Sum", {"b", "c", "d"}, {"y"});
  const auto nodes = check_nodes(std::move(b.model));
  ASSERT_EQ(nodes.size(), 5U);
  EXPECT_FALSE(nodes[0].supported);
  EXPECT_TRUE(has(nodes[0].reason, {"'Ceil0'", "--operators"}));
  EXPECT_FALSE(nodes[1].supported);
  EXPECT_TRUE(has(nodes[1].reason, {"'a'", "not supported"}));
  EXPECT_TRUE(nodes[2].supported);
  EXPECT_TRUE(nodes[2].reason.empty());
  EXPECT_TRUE(has(nodes[3].reason, {"strides", "found 0"}));
  EXPECT_FALSE(nodes[4].supported);
}

}  // namespace
}  // namespace smpc::test
