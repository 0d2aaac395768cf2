// What a refusal says to do is done here, and helps.
#include <cmath>
#include <functional>
#include <optional>

#include "model/model_builder.h"
#include "smpc/compiler/compile.h"
#include "smpc/runtime/interpreter.h"

namespace smpc::test {
namespace {

CompileOptions with_range(double range) {
  CompileOptions o;
  o.reveal = Reveal::logits;
  o.input_range = range;
  return o;
}

// The message, or nothing where it compiles.
std::string refusal(ModelBuilder&& model, const CompileOptions& options) {
  try {
    compile(model.build(), options, {});
  } catch (const Error& e) {
    EXPECT_EQ(e.kind(), ErrorKind::bad_input);
    EXPECT_EQ(std::string(e.what()).find('\n'), std::string::npos);
    return e.what();
  }
  return {};
}

// x [1, n] -> y [1, m]
ModelBuilder io(std::int64_t n, std::int64_t m, int opset = 13) {
  ModelBuilder b(opset);
  b.input("x", {1, n}).output("y", {1, m});
  return b;
}

// So many layers of 4 x 4 equal weights, as a chain with ReLUs or as a graph with residuals.
ModelBuilder layers(int count, float weight, bool graph) {
  ModelBuilder b = io(4, 4);
  std::string last = "x";
  for (int i = 0; i < count; ++i) {
    const std::string n = std::to_string(i);
    const std::string end = i + 1 == count ? "y" : "s" + n;
    b.weights("w" + n, {4, 4}, std::vector<float>(16, weight)).node("MatMul", {last, "w" + n}, {"m" + n});
    b.node("Relu", {"m" + n}, {graph ? "r" + n : end});
    if (graph) b.node("Add", {"r" + n, i % 2 == 0 ? "x" : "m" + n}, {end});
    last = end;
  }
  return b;
}

ModelBuilder squared(int times) {
  ModelBuilder b = io(4, 4);
  for (int i = 0; i < times; ++i) {
    const std::string in = i == 0 ? "x" : "v" + std::to_string(i - 1);
    b.node("Mul", {in, in}, {i + 1 == times ? "y" : "v" + std::to_string(i)});
  }
  return b;
}

// Scores, a mask added, a Softmax that is not the last.
ModelBuilder masked(float mask) {
  ModelBuilder b = io(3, 2);
  b.weights("mask", {1, 3}, {0, 0, mask}).weights("w", {3, 2}, {1, 2, 3, 4, 5, 6});
  b.node("Add", {"x", "mask"}, {"m"});
  b.node("Softmax", {"m"}, {"s"});
  b.node("MatMul", {"s", "w"}, {"y"});
  return b;
}

ModelBuilder unary(const std::string& op, bool relu = false, float added = 0) {
  ModelBuilder b = io(4, 4);
  std::string in = "x";
  if (relu) {
    b.node("Relu", {in}, {"r"});
    in = "r";
  }
  if (added != 0) {
    b.weights("c", {1}, {added}).node("Add", {in, "c"}, {"a"});
    in = "a";
  }
  b.node(op, {in}, {"y"});
  return b;
}

ModelBuilder dense(float weight, float bias) {
  ModelBuilder b = io(2, 2);
  b.weights("w", {2, 2}, {weight, 0, 0, weight}).weights("b", {2}, {bias, 0});
  b.node("Gemm", {"x", "w", "b"}, {"y"});
  return b;
}

struct Row {
  const char* name;
  Names words;  // of the refusal
  std::function<ModelBuilder()> model;
  CompileOptions options;
  std::function<ModelBuilder()> mended;  // as it says; empty: the same
  std::function<void(CompileOptions&)> change;
};

const std::vector<Row>& rows() {
  static const std::vector<Row> all = {
      {"a mask", {"'Add0'", "-3.4e+38", "does not fit", "put -1e4 in its place"}, [] { return masked(-3.4028235e38F); }, with_range(4), [] { return masked(-1e4F); }, {}},
      {"mixed scales", {"bits, and at most 64", "give --mixed-scales"}, [] { return layers(10, 200, true); }, with_range(2), {}, [](CompileOptions& o) { o.mixed_scales = true; }},
      {"a smaller range", {"bits, and at most 64", "an --input-range 256 times smaller"}, [] { return squared(6); }, with_range(64), {}, [](CompileOptions& o) { *o.input_range /= 256; }},
      {"wider rings", {"bits, and at most 16", "--bits 64"}, [] { return layers(2, 1, true); },
       [] { CompileOptions o = with_range(2); o.bits = 16; return o; }(), {}, [](CompileOptions& o) { o.bits = 64; }},
      {"wider rings of a chain", {"bits, and at most 12", "--bits 64"}, [] { return layers(2, 1, false); },
       [] { CompileOptions o = with_range(2); o.bits = 12; return o; }(), {}, [](CompileOptions& o) { o.bits = 64; }},
      {"a coarser scale", {"bits, and at most 64", "give --scale 8"}, [] { return squared(2); },
       [] { CompileOptions o = with_range(64); o.scale = 30; return o; }(), {}, [](CompileOptions& o) { o.scale = 8; }},
      {"smaller weights of a chain", {"layer '", "no option helps", "scale the weights down"}, [] { return layers(8, 100, false); }, with_range(2), [] { return layers(8, 0.3F, false); }, {}},
      {"smaller weights", {"too large for any scale", "no option helps", "scale the weights down"}, [] { return dense(1e30F, 0); }, with_range(2), [] { return dense(1, 0); }, {}},
      {"a smaller bias", {"'Gemm0'", "1e+30 does not fit", "scale it down"}, [] { return dense(1, 1e30F); }, with_range(2), [] { return dense(1, 1); }, {}},
      {"a spline's range", {"'Exp0'", "no spline", "an --input-range 16 times smaller"}, [] { return unary("Exp"); }, with_range(100), {}, [](CompileOptions& o) { *o.input_range /= 16; }},
      {"a root of what can be negative", {"'Sqrt0'", "not negative", "put a Relu and the addition of a small constant before it"}, [] { return unary("Sqrt"); }, with_range(4), [] { return unary("Sqrt", true, 0.1F); }, {}},
      {"a reciprocal of what can be zero", {"'Reciprocal1'", "of one sign", "add a small constant"}, [] { return unary("Reciprocal", true); }, with_range(4), [] { return unary("Reciprocal", true, 0.1F); }, {}},
      {"a range of one sign", {"'Reciprocal0'", "--input-range LOW:HIGH with LOW above 0"}, [] { return unary("Reciprocal"); }, with_range(4), {}, [](CompileOptions& o) { o.input_ranges[""] = {0.5, 4}; }},
      {"a range beyond 64 bits", {"the input range", "smaller --input-range"}, [] { return dense(1, 0); }, with_range(1e30), {}, [](CompileOptions& o) { o.input_range = 128; }},
      {"several outputs", {"expected one row of classes", "give --reveal logits"},
       [] {
         ModelBuilder b = unary("Abs");
         b.output("z", {1, 4}).node("Neg", {"x"}, {"z"});
         return b;
       },
       {}, {}, [](CompileOptions& o) { o.reveal = Reveal::logits; }},
      {"labels", {"labels: expected 2", "give --labels"}, [] { return dense(1, 0); },
       [] { CompileOptions o = with_range(2); o.labels = {"a"}; return o; }(), {}, [](CompileOptions& o) { o.labels = {"a", "b"}; }},
      {"an input that nothing reads", {"input 'z'", "remove it from the model"},
       [] {
         ModelBuilder b = unary("Abs");
         b.input("z", {1, 4});
         return b;
       },
       with_range(2), [] { return unary("Abs"); }, {}},
      {"a node that nothing reads", {"'Neg1'", "nothing reads its output", "remove it"},
       [] {
         ModelBuilder b = unary("Abs");
         b.node("Neg", {"x"}, {"z"});
         return b;
       },
       with_range(2), [] { return unary("Abs"); }, {}},
      {"a constant among the outputs", {"output 'c'", "remove it from the outputs"},
       [] {
         ModelBuilder b = unary("Abs");
         b.weights("c", {1}, {1}).output("c", {1});
         return b;
       },
       with_range(2), [] { return unary("Abs"); }, {}},
      {"an attribute of nobody", {"'Abs0'", "attribute 'depth'", "remove it"},
       [] {
         ModelBuilder b = unary("Abs");
         with(b.model.nodes.front(), "depth", 1);
         return b;
       },
       with_range(2), [] { return unary("Abs"); }, {}},
      {"labels of no classes", {"labels: expected none", "leave out --labels"},
       [] {
         ModelBuilder b = unary("Abs");
         b.output("z", {1, 4}).node("Neg", {"x"}, {"z"});
         return b;
       },
       [] { CompileOptions o = with_range(2); o.labels = {"a"}; return o; }(), {}, [](CompileOptions& o) { o.labels.clear(); }},
      {"a mask in front of a graph", {"the input mask", "compile it without --input-mask"}, [] { return unary("Abs"); },
       [] {
         CompileOptions o = with_range(2);
         o.grid = Grid{};
         o.grid->shape = {2, 2, 1};
         o.input_mask = InputMask{{std::byte{3}}, 4};
         return o;
       }(),
       {}, [](CompileOptions& o) { o.input_mask.reset(); }},
      {"training", {"is in training mode", "export the model for inference"},
       [] {
         ModelBuilder b = io(4, 4);
         b.constant<std::uint8_t>("yes", {}, {1}).node("Abs", {"x"}, {"a"});
         b.node("Dropout", {"a", "", "yes"}, {"y"});
         return b;
       },
       with_range(2),
       [] {
         ModelBuilder b = io(4, 4);
         b.node("Abs", {"x"}, {"a"});
         b.node("Dropout", {"a"}, {"y"});
         return b;
       },
       {}},
  };
  return all;
}

TEST(Remedies, WhatARefusalSaysToDoHelps) {
  for (const Row& row : rows()) {
    SCOPED_TRACE(row.name);
    EXPECT_TRUE(has(refusal(row.model(), row.options), row.words));
    CompileOptions options = row.options;
    if (row.change) row.change(options);
    EXPECT_EQ(refusal(row.mended ? row.mended() : row.model(), options), "");
  }
}

// Nothing is advised that does not help: a constant of 1e38 fits no scale, and a smaller range leaves it as it is.
TEST(Remedies, WhatDoesNotHelpIsNotSaid) {
  for (const std::optional<int> scale : {std::optional<int>(), std::optional(0)}) {
    CompileOptions o = with_range(4);
    o.scale = scale;
    const std::string why = refusal(masked(-3.4028235e38F), o);
    for (const char* word : {"--scale", "--input-range", "--mixed-scales", "--bits"}) EXPECT_EQ(why.find(word), std::string::npos) << why;
  }
  const std::string grows = refusal(layers(10, 200, true), with_range(2));
  for (const char* word : {"--scale ", "--input-range", "--bits"}) EXPECT_EQ(grows.find(word), std::string::npos) << grows;
}

// A refusal for want of bits names more than there are.
TEST(Remedies, BitsThatAreWantedAreMoreThanThereAre) {
  for (const std::string& why : {refusal(layers(10, 200, true), with_range(2)), refusal(squared(12), with_range(100)),
                                 refusal(layers(8, 100, false), with_range(2))}) {
    const std::size_t at = why.find("can need ");
    ASSERT_NE(at, std::string::npos) << why;
    EXPECT_GT(std::stoi(why.substr(at + 9)), 64) << why;
  }
}

// Probabilities, with many fractional bits, beside a label, which has none.
TEST(Remedies, ValuesAndAnIndexAreTwoOutputs) {
  ModelBuilder b(13);
  b.input("x", {1, 2}).output("p", {1, 3}).output("l", {1}, ElementType::i64);
  b.weights("w", {2, 3}, {1, 0, -1, 0.5F, 2, -0.5F});
  b.node("MatMul", {"x", "w"}, {"h"});
  b.node("Sigmoid", {"h"}, {"p"});
  with(with(b.node("ArgMax", {"h"}, {"l"}), "axis", 1), "keepdims", 0);
  const Compiled c = compile(b.build(), with_range(4), {});
  const Doubles x = {0.25, -1};  // h = (-0.25, -2, 0.25)
  const auto y = dequantise(c.program.output(), interpret(c.program, c.weights, quantise(c.program, x, "x")).back());
  const Doubles expected = {1 / (1 + std::exp(0.25)), 1 / (1 + std::exp(2.0)), 1 / (1 + std::exp(-0.25)), 2};
  ASSERT_EQ(y.size(), expected.size());
  for (std::size_t i = 0; i < y.size(); ++i) EXPECT_NEAR(y[i], expected[i], 0x1p-9) << i;
}

}  // namespace
}  // namespace smpc::test
