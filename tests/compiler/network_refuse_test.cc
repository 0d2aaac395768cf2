// What cannot be lowered is refused, the node and the reason named.
#include <limits>

#include "model/model_builder.h"

namespace smpc::test {
namespace {

// x [batch, 3] -> <the caller's nodes> -> MatMul -> y [batch, 2]
ModelBuilder linear(int opset = 13, Shape input = {unknown_dim, 3}) {
  ModelBuilder b(opset);
  b.input("x", std::move(input)).output("y", {unknown_dim, 2});
  b.weights("w", {3, 2}, {1, 2, 3, 4, 5, 6}).weights("c", {2}, {1, 2});
  return b;
}

TEST(NetworkRefuses, UnknownOps) {
  ModelBuilder b = linear();
  b.node("MatMul", {"x", "w"}, {"h"});
  b.node("Ceil", {"h"}, {"y"});
  EXPECT_TRUE(has(b.error(), {"m.onnx", "node 'Ceil1' (Ceil)", "not supported", "--operators"}));
}

TEST(NetworkRefuses, AttributesNobodyHonours) {
  ModelBuilder b = linear();
  with(b.node("MatMul", {"x", "w"}, {"y"}), "fast", 1);
  EXPECT_TRUE(has(b.error(), {"'MatMul0'", "'fast'"}));
  ModelBuilder value = linear();
  with(value.node("Gemm", {"x", "w"}, {"y"}), "transB", 2);
  EXPECT_TRUE(has(value.error(), {"'Gemm0'", "'transB'", "found 2"}));
  ModelBuilder type = linear();
  with(type.node("Gemm", {"x", "w"}, {"y"}), "alpha", 1);
  EXPECT_TRUE(has(type.error(), {"'Gemm0'", "'alpha'"}));
}

TEST(NetworkRefuses, GemmTheWrongWayRound) {
  ModelBuilder trans_a = linear();
  with(trans_a.node("Gemm", {"x", "w"}, {"y"}), "transA", 1);
  EXPECT_TRUE(has(trans_a.error(), {"'Gemm0'", "cannot multiply", "[3, 1]"}));
  for (const char* op : {"Gemm", "MatMul"}) {
    ModelBuilder left = linear();
    left.node(op, {"w", "x"}, {"y"});
    EXPECT_TRUE(has(left.error(), {op, "left factor", "right"}));
    ModelBuilder both = linear();
    both.node(op, {"x", "x"}, {"y"});
    EXPECT_TRUE(has(both.error(), {op, "cannot multiply", "[1, 3]"}));
  }
}

TEST(NetworkRefuses, ShapesThatDoNotFit) {
  ModelBuilder features = linear(13, {unknown_dim, 4});
  features.node("Gemm", {"x", "w"}, {"y"});
  EXPECT_TRUE(has(features.error(), {"'Gemm0'", "weight 'w'", "4 inputs", "[3, 2]"}));
  ModelBuilder rank = linear(13, {unknown_dim, 2, 3});
  rank.node("MatMul", {"x", "w"}, {"y"});
  EXPECT_TRUE(has(rank.error(), {"output 'y'", "[1, 2, 2]"}));
  ModelBuilder bias = linear();
  bias.weights("c", {3}, {1, 2, 3});
  bias.node("Gemm", {"x", "w", "c"}, {"y"});
  EXPECT_TRUE(has(bias.error(), {"'Gemm0'", "bias 'c'", "[3]"}));
  ModelBuilder larger = linear();
  larger.weights("c", {1, 1, 2}, {1, 2});
  larger.node("MatMul", {"x", "w"}, {"h"});
  larger.node("Add", {"h", "c"}, {"y"});
  EXPECT_TRUE(has(larger.error(), {"'Add1'", "bias 'c'"}));
  ModelBuilder batched = linear();
  batched.weights("w", {1, 3, 2}, {1, 2, 3, 4, 5, 6});
  batched.node("MatMul", {"x", "w"}, {"y"});
  EXPECT_TRUE(has(batched.error(), {"'MatMul0'", "matrix"}));
}

TEST(NetworkRefuses, ElementTypesThatDiffer) {
  ModelBuilder b = linear();
  b.constant("w", {3, 2}, std::vector<double>(6, 1));
  b.node("MatMul", {"x", "w"}, {"y"});
  EXPECT_TRUE(has(b.error(), {"'MatMul0'", "expected float", "found double"}));
  ModelBuilder input(13);
  input.input("x", {1, 2}, ElementType::i64).output("y", {1, 2});
  input.node("Relu", {"x"}, {"y"});
  EXPECT_TRUE(has(input.error(), {"input 'x'", "integers"}));
  ModelBuilder output = linear();
  output.model.outputs[0].type = ElementType::f64;
  output.node("MatMul", {"x", "w"}, {"y"});
  EXPECT_TRUE(has(output.error(), {"output 'y'", "expected type float"}));
}

TEST(NetworkRefuses, AnInputThatIsTooLarge) {
  ModelBuilder b = linear(13, {1, (std::int64_t{1} << 26) + 1});
  b.node("Add", {"x", "c"}, {"y"});
  EXPECT_TRUE(has(b.error(), {"input 'x'", "67108864", "67108865"}));
}

TEST(NetworkRefuses, Branches) {
  ModelBuilder fork = linear();
  fork.node("Relu", {"x"}, {"r"});
  fork.node("MatMul", {"x", "w"}, {"y"});
  EXPECT_TRUE(has(fork.error(), {"'Relu0'", "nothing reads"}));
  ModelBuilder bias = linear();  // the sum would change what the other reader sees
  bias.node("MatMul", {"x", "w"}, {"h"});
  bias.node("Add", {"h", "c"}, {"h2"});
  bias.node("Relu", {"h"}, {"y"});
  EXPECT_TRUE(has(bias.error(), {"'Add1'", "nothing reads"}));
}

TEST(NetworkRefuses, TheBatchMoving) {
  ModelBuilder flatten = linear(13, {unknown_dim, 3});
  with(flatten.node("Flatten", {"x"}, {"f"}), "axis", 0);
  flatten.node("MatMul", {"f", "w"}, {"y"});
  EXPECT_TRUE(has(flatten.error(), {"'Flatten0'", "batch"}));
  ModelBuilder mixed = linear(13, {unknown_dim, 2, 3});
  with(mixed.node("Flatten", {"x"}, {"f"}), "axis", 2);
  mixed.node("MatMul", {"f", "w"}, {"y"});
  EXPECT_TRUE(has(mixed.error(), {"'Flatten0'", "batch"}));
  ModelBuilder fixed = linear(13, {4, 3});
  fixed.ints("s", {3, 4});
  fixed.node("Reshape", {"x", "s"}, {"f"});
  fixed.node("MatMul", {"f", "w"}, {"y"});
  EXPECT_TRUE(has(fixed.error(), {"'Reshape0'", "[3, 4]", "batch of 4"}));
  ModelBuilder literal = linear();
  literal.ints("s", {1, -1});
  literal.node("Reshape", {"x", "s"}, {"f"});
  literal.node("MatMul", {"f", "w"}, {"y"});
  EXPECT_TRUE(has(literal.error(), {"'Reshape0'"}));
  ModelBuilder front = linear();
  front.ints("a", {0});
  front.node("Unsqueeze", {"x", "a"}, {"f"});
  front.node("MatMul", {"f", "w"}, {"y"});
  EXPECT_TRUE(has(front.error(), {"'Unsqueeze0'", "[1, batch, 3]"}));
}

TEST(NetworkRefuses, ReshapesThatMakeNoSense) {
  const std::pair<Shape, std::string> cases[] = {{{-1, -1}, "more than one"},
                                                 {{0, 5}, "does not fit"},
                                                 {{0, -2}, "-2"},
                                                 {{0, 3, 0}, "no meaning"},
                                                 {{std::numeric_limits<std::int64_t>::min(), 3}, "no meaning"},
                                                 {{0, std::int64_t{1} << 62}, "does not fit"},
                                                 {{std::int64_t{1} << 32, std::int64_t{1} << 32, -1}, "does not fit"}};
  for (const auto& [shape, why] : cases) {
    ModelBuilder b = linear();
    b.ints("s", shape);
    b.node("Reshape", {"x", "s"}, {"f"});
    b.node("MatMul", {"f", "w"}, {"y"});
    EXPECT_TRUE(has(b.error(), {"'Reshape0'", why}));
  }
  ModelBuilder zero = linear(14);
  zero.ints("s", {0, 3});
  with(zero.node("Reshape", {"x", "s"}, {"f"}), "allowzero", 1);
  zero.node("MatMul", {"f", "w"}, {"y"});
  EXPECT_TRUE(has(zero.error(), {"'Reshape0'", "no meaning"}));
  ModelBuilder computed = linear();
  computed.node("Reshape", {"x", "x"}, {"f"});
  computed.node("MatMul", {"f", "w"}, {"y"});
  EXPECT_TRUE(has(computed.error(), {"'Reshape0'", "shape 'x'"}));
}

TEST(NetworkRefuses, Axes) {
  ModelBuilder range = linear();
  with(range.node("Flatten", {"x"}, {"f"}), "axis", 3);
  range.node("MatMul", {"f", "w"}, {"y"});
  EXPECT_TRUE(has(range.error(), {"'Flatten0'", "axis", "found 3"}));
  ModelBuilder negative = linear(9);
  with(negative.node("Flatten", {"x"}, {"f"}), "axis", -1);
  negative.node("MatMul", {"f", "w"}, {"y"});
  EXPECT_TRUE(has(negative.error(), {"'Flatten0'", "axis", "opset 9"}));
  ModelBuilder twice = linear(11);
  with_ints(twice.node("Unsqueeze", {"x"}, {"f"}), "axes", {1, 1});
  twice.node("MatMul", {"f", "w"}, {"y"});
  EXPECT_TRUE(has(twice.error(), {"'Unsqueeze0'", "twice"}));
  ModelBuilder not_one = linear(11);
  with_ints(not_one.node("Squeeze", {"x"}, {"f"}), "axes", {1});
  not_one.node("MatMul", {"f", "w"}, {"y"});
  EXPECT_TRUE(has(not_one.error(), {"'Squeeze0'", "axis 1", "[batch, 3]"}));
  ModelBuilder all = linear(11);
  all.node("Squeeze", {"x"}, {"f"});
  all.node("MatMul", {"f", "w"}, {"y"});
  EXPECT_TRUE(has(all.error(), {"'Squeeze0'", "axes"}));
}

TEST(NetworkRefuses, DropoutInTraining) {
  ModelBuilder old = linear(6);
  old.node("Dropout", {"x"}, {"d"});
  EXPECT_TRUE(has(old.error(), {"'Dropout0'", "is_test"}));
  ModelBuilder flag = linear(13);
  flag.constant("yes", {}, std::vector<std::uint8_t>{1});
  flag.node("Dropout", {"x", "", "yes"}, {"d"});
  EXPECT_TRUE(has(flag.error(), {"'Dropout0'", "training"}));
  ModelBuilder mask = linear(13);
  mask.node("Dropout", {"x"}, {"d", "mask"});
  mask.node("Identity", {"d"}, {"e"});
  mask.node("Relu", {"mask"}, {"y"});
  mask.model.outputs.push_back(ModelBuilder::info("e", {unknown_dim, 3}, ElementType::f32));
  EXPECT_TRUE(has(mask.error(), {"'Relu2'", "'mask'", "second output"}));
}

TEST(NetworkRefuses, AdditionsWithNowhereToGo) {
  ModelBuilder relu = linear();
  relu.weights("c", {3}, {1, 2, 3});
  relu.node("Add", {"x", "c"}, {"h"});
  relu.node("Relu", {"h"}, {"r"});
  relu.node("MatMul", {"r", "w"}, {"y"});
  EXPECT_TRUE(has(relu.error(), {"'Relu1'", "'Add0'"}));
  ModelBuilder last = linear();
  last.node("MatMul", {"x", "w"}, {"h"});
  last.node("Relu", {"h"}, {"r"});
  last.node("Add", {"r", "c"}, {"y"});
  EXPECT_TRUE(has(last.error(), {"'Add2'", "no linear layer follows"}));
  ModelBuilder constants = linear();
  constants.node("Add", {"c", "c"}, {"d"});
  constants.node("MatMul", {"x", "w"}, {"y"});
  EXPECT_TRUE(has(constants.error(), {"'Add0'", "two constants"}));
}

TEST(NetworkRefuses, Tails) {
  ModelBuilder batch_axis = linear();
  batch_axis.node("MatMul", {"x", "w"}, {"h"});
  with(batch_axis.node("Softmax", {"h"}, {"y"}), "axis", 0);
  EXPECT_TRUE(has(batch_axis.error(), {"'Softmax1'", "axis", "the batch"}));
  ModelBuilder arg = linear();
  arg.node("MatMul", {"x", "w"}, {"h"});
  arg.node("ArgMax", {"h"}, {"y"});  // the default axis is 0
  EXPECT_TRUE(has(arg.error(), {"'ArgMax1'", "axis"}));
}

TEST(NetworkRefuses, InputsAndOutputs) {
  ModelBuilder unused = linear();
  unused.input("extra", {1, 2});
  unused.node("MatMul", {"x", "w"}, {"y"});
  EXPECT_TRUE(has(unused.error(), {"input 'extra'", "nothing reads"}));
  ModelBuilder stripped = linear();
  stripped.model.constants.clear();
  stripped.input("w", {3, 2});
  stripped.model.metadata.emplace("smpc.stripped", "1");
  stripped.node("MatMul", {"x", "w"}, {"y"});
  EXPECT_TRUE(has(stripped.error(), {"stripped model", "join"}));
  ModelBuilder known = linear();
  known.node("MatMul", {"x", "w"}, {"y"});
  known.output("w", {3, 2});
  EXPECT_TRUE(has(known.error(), {"output 'w'", "computed from the inputs"}));
  ModelBuilder rank = linear(13, {3});
  rank.node("MatMul", {"x", "w"}, {"y"});
  EXPECT_TRUE(has(rank.error(), {"output 'y'", "[2]"}));
  ModelBuilder declared = linear();
  declared.model.outputs[0].dims = {unknown_dim, 7};
  declared.node("MatMul", {"x", "w"}, {"y"});
  EXPECT_TRUE(has(declared.error(), {"output 'y'", "[batch, 2]"}));
  ModelBuilder squeezed = linear(13, {1, 3});
  squeezed.ints("a", {0});
  squeezed.node("MatMul", {"x", "w"}, {"h"});
  squeezed.node("Squeeze", {"h", "a"}, {"y"});
  EXPECT_TRUE(has(squeezed.error(), {"output 'y'", "[batch, classes]", "[2]"}));
  ModelBuilder nothing = linear();
  nothing.node("Relu", {"x"}, {"y"});
  EXPECT_TRUE(has(nothing.error(), {"output 'y'", "[1, 3]"}));
  ModelBuilder constant = linear();
  constant.model.outputs[0].name = "c";
  constant.node("MatMul", {"x", "w"}, {"y"});
  EXPECT_TRUE(has(constant.error(), {"'MatMul0'", "nothing reads"}));
}

TEST(NetworkRefuses, WeightsTooLargeForFloat) {
  ModelBuilder alpha = linear();
  alpha.weights("w", {3, 2}, std::vector<float>(6, 3e38F));
  with_float(alpha.node("Gemm", {"x", "w"}, {"y"}), "alpha", 4);
  EXPECT_TRUE(has(alpha.error(), {"'Gemm0'", "element 0", "float32"}));
}

}  // namespace
}  // namespace smpc::test
