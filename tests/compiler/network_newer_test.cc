// Ops and attributes that newer exporters write, and what they compute from shapes.
#include <cmath>

#include "model/model_builder.h"
#include "smpc/compiler/compile.h"
#include "smpc/runtime/interpreter.h"

namespace smpc::test {
namespace {

// Float as ONNX defines it, and fixed point within the bound that is stated and of what is promised.
void expect_values(ModelBuilder&& b, const Doubles& x, const Doubles& expected, double range = 16) {
  const Network network = b.build();
  const Doubles y = evaluate(network, x);
  ASSERT_EQ(y.size(), expected.size());
  for (std::size_t i = 0; i < y.size(); ++i) EXPECT_NEAR(y[i], expected[i], 1e-6) << i;
  CompileOptions options;
  options.reveal = Reveal::logits;
  options.input_range = range;
  const Compiled c = compile(Network(network), options, {});
  const auto fixed = dequantise(c.program.output(), interpret(c.program, c.weights, quantise(c.program, x, "x")).back());
  for (std::size_t i = 0; i < y.size(); ++i) {
    EXPECT_NEAR(fixed[i], expected[i], 0x1p-8) << i;
    EXPECT_NEAR(fixed[i], expected[i], c.error_bound.value_or(1)) << i;
  }
}

TEST(NewerOps, AveragePoolHasDilationsFromOpset19On) {
  ModelBuilder row(19);
  row.input("x", {1, 1, 5}).output("y", {1, 1, 3});
  with_ints(with_ints(row.node("AveragePool", {"x"}, {"y"}), "kernel_shape", {2}), "dilations", {2});
  expect_values(std::move(row), {1, 2, 4, 8, 16}, {2.5, 5, 10});
  // Every second element of a row and a column, of three: one more row around, whose zeros do not count, or do.
  const Doubles image = {1, 2, 3, 4, 5, 6, 7, 8, 9};
  for (const bool with_pads : {false, true}) {
    ModelBuilder b(22);
    b.input("x", {1, 1, 3, 3}).output("y", {1, 1, 3, 3});
    Node& n = with_ints(with_ints(with_ints(b.node("AveragePool", {"x"}, {"y"}), "kernel_shape", {2, 2}), "dilations", {2, 2}), "pads", {1, 1, 1, 1});
    if (with_pads) with(n, "count_include_pad", 1);
    const double four = with_pads ? 4 : 1;
    const double two = with_pads ? 2 : 1;
    expect_values(std::move(b), image, {5 / four, 10 / two / 2, 5 / four, 10 / two / 2, 20.0 / 4, 10 / two / 2, 5 / four, 10 / two / 2, 5 / four});
  }
}

// x times the normal distribution's function at x, by its tables; and the other formula's values (both as PyTorch has them).
TEST(NewerOps, GeluIsTheFunctionThatOnnxDefines) {
  ModelBuilder exact(20);
  exact.input("x", {1, 4}).output("y", {1, 4});
  exact.node("Gelu", {"x"}, {"y"});
  expect_values(std::move(exact), {1, -1, 2, 0}, {0.8413447461, -0.1586552539, 1.9544997361, 0}, 4);
  ModelBuilder tanh(20);
  tanh.input("x", {1, 4}).output("y", {1, 4});
  tanh.node("Gelu", {"x"}, {"y"}).attributes["approximate"] = std::string("tanh");
  expect_values(std::move(tanh), {1, -1, 2, 0}, {0.8411919906, -0.1588080094, 1.9545976520, 0}, 4);
  ModelBuilder other(20);
  other.input("x", {1, 4}).output("y", {1, 4});
  other.node("Gelu", {"x"}, {"y"}).attributes["approximate"] = std::string("fast");
  EXPECT_TRUE(has(other.error(), {"Gelu0", "approximate", "'fast'"}));
}

// Range-11: max(ceil((limit - start) / delta), 0) elements, start + i delta.
TEST(NewerOps, ARangeOfConstantsIsAConstant) {
  const auto taken_by = [](std::int64_t start, std::int64_t limit, std::int64_t delta) {
    ModelBuilder b(13);
    b.input("x", {1, 6}).output("y", {1, unknown_dim});
    b.constant<std::int64_t>("start", {}, {start}).constant<std::int64_t>("limit", {}, {limit}).constant<std::int64_t>("delta", {}, {delta});
    b.node("Range", {"start", "limit", "delta"}, {"r"});
    with(b.node("Gather", {"x", "r"}, {"y"}), "axis", 1);
    return b;
  };
  const Doubles x = {0, 1, 2, 3, 4, 5};
  expect_values(taken_by(0, 6, 2), x, {0, 2, 4});
  expect_values(taken_by(1, 6, 2), x, {1, 3, 5});
  expect_values(taken_by(1, 5, 3), x, {1, 4});
  expect_values(taken_by(5, -1, -2), x, {5, 3, 1});
  EXPECT_TRUE(has(taken_by(0, 6, 0).error(), {"Range0", "delta", "other than 0"}));
  EXPECT_TRUE(has(taken_by(0, std::int64_t{1} << 40, 1).error(), {"Range0", "at most 2^20"}));
  EXPECT_TRUE(has(taken_by(3, 3, 1).error(), {"Gather1", "indices", "at least one"}));
  ModelBuilder floats(13);
  floats.input("x", {1, 4}).output("y", {1, 4});
  floats.weights("start", {}, {0.5F}).weights("limit", {}, {2.25F}).weights("delta", {}, {0.5F});
  floats.node("Range", {"start", "limit", "delta"}, {"r"});
  floats.node("Add", {"x", "r"}, {"y"});
  expect_values(std::move(floats), {0, 0, 0, 0}, {0.5, 1, 1.5, 2});
}

TEST(NewerOps, CastsOfKnownIntegersKeepThem) {
  const auto cast = [](std::int64_t index, std::int64_t to) {
    ModelBuilder b(19);
    b.input("x", {1, 3}).output("y", {1, 1}).ints("i", {index});
    with(with(b.node("Cast", {"i"}, {"c"}), "to", to), "saturate", 1);
    with(b.node("Gather", {"x", "c"}, {"y"}), "axis", 1);
    return b;
  };
  expect_values(cast(2, 6), {7, 8, 9}, {9});   // INT32
  expect_values(cast(1, 7), {7, 8, 9}, {8});   // INT64
  EXPECT_TRUE(has(cast(std::int64_t{1} << 31, 6).error(), {"Cast0", "2147483648", "int32"}));
  EXPECT_TRUE(has(cast(2, 9).error(), {"Cast0", "found type 9"}));  // BOOL
}

}  // namespace
}  // namespace smpc::test
