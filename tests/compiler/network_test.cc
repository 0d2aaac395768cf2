// Every op against its definition, on values that float and double hold exactly.
#include "smpc/compiler/network.h"

#include "model/model_builder.h"

namespace smpc::test {
namespace {

const std::vector<float> w_2x3 = {1, 2, 3, -4, 5, -6};  // 2 rows of 3

// x [1, 3] through `W` (row per output) and a bias of -1, so that every op around it can be checked.
void finish_with_linear(ModelBuilder& b, const std::string& from, std::int64_t features) {
  std::vector<float> w;
  for (std::int64_t i = 0; i < 2 * features; ++i) w.push_back(static_cast<float>(i % 7 - 3));
  b.weights("last_w", {2, features}, w);
  b.weights("last_b", {2}, {-1, 4});
  with(b.node("Gemm", {from, "last_w", "last_b"}, {"y"}), "transB", 1);
  if (b.model.opset < 7) with(b.model.nodes.back(), "broadcast", 1);
}

Doubles linear_of(const Doubles& x) {
  Doubles y = {-1, 4};
  for (std::size_t i = 0; i < 2 * x.size(); ++i) {
    y[i / x.size()] += (static_cast<double>(i % 7) - 3) * x[i % x.size()];
  }
  return y;
}

Doubles ramp(std::size_t n) {
  Doubles x(n);
  for (std::size_t i = 0; i < n; ++i) x[i] = static_cast<double>(i) - 2.5;
  return x;
}

TEST(Gemm, EveryCombinationOfItsAttributes) {
  for (const int opset : {7, 9, 11, 13, 17, 18}) {
    for (const bool trans_b : {false, true}) {
      for (const float alpha : {1.0F, 0.5F, -2.0F}) {
        for (const float beta : {1.0F, 0.25F, 0.0F}) {
          for (const int c : {0, 1, 2, 3, 4}) {  // none, scalar, [2], [1, 2], [1, 1]
            if (c == 0 && opset < 11) continue;
            ModelBuilder b(opset);
            b.input("x", {unknown_dim, 3}).output("y", {unknown_dim, 2});
            const Shape shapes[] = {{}, {}, {2}, {1, 2}, {1, 1}};
            const bool one = c == 1 || c == 4;
            if (c > 0) b.weights("c", shapes[c], one ? std::vector<float>{8} : std::vector<float>{8, -16});
            b.weights("w", trans_b ? Shape{2, 3} : Shape{3, 2}, w_2x3);
            Node& n = b.node("Gemm", c == 0 ? Names{"x", "w"} : Names{"x", "w", "c"}, {"y"});
            with_float(with_float(n, "alpha", alpha), "beta", beta);
            if (trans_b) with(n, "transB", 1);
            const Doubles x = {1.5, -2, 0.25};
            Doubles expected(2);
            for (std::size_t o = 0; o < 2; ++o) {
              for (std::size_t k = 0; k < 3; ++k) {
                expected[o] += static_cast<double>(alpha) * x[k] *
                               static_cast<double>(trans_b ? w_2x3[o * 3 + k] : w_2x3[k * 2 + o]);
              }
              if (c > 0) expected[o] += static_cast<double>(beta) * (one || o == 0 ? 8 : -16);
            }
            EXPECT_EQ(evaluate(b.build(), x), expected);
          }
        }
      }
    }
  }
}

TEST(Gemm, Opset6BroadcastsOnlyWhenAsked) {
  const auto build = [](std::int64_t batch, Shape c, int broadcast) {
    ModelBuilder b(6);
    b.input("x", {batch, 3}).output("y", {batch, 2});
    b.weights("w", {3, 2}, w_2x3).weights("c", c, {8, -16});
    with(b.node("Gemm", {"x", "w", "c"}, {"y"}), "broadcast", broadcast);
    return b;
  };
  const Doubles x = {1, 1, 1};
  const Doubles by_hand = {1 + 3 + 5 + 8, 2 - 4 - 6 - 16};
  EXPECT_EQ(evaluate(build(1, {1, 2}, 0).build(), x), by_hand);
  EXPECT_EQ(evaluate(build(unknown_dim, {2}, 1).build(), x), by_hand);
  EXPECT_TRUE(has(build(unknown_dim, {2}, 0).error(), {"Gemm0", "bias 'c'"}));
}

TEST(MatMul, WeightsOnTheRight) {
  for (const int opset : {6, 9, 13, 18}) {
    ModelBuilder b(opset);
    b.input("x", {unknown_dim, 3}).output("y", {unknown_dim, 2}).weights("w", {3, 2}, w_2x3);
    b.node("MatMul", {"x", "w"}, {"y"});
    EXPECT_EQ(evaluate(b.build(), {1, 10, 100}), (Doubles{1 + 30 + 500, 2 - 40 - 600}));
  }
}

TEST(MatMul, OverDimensionsOfOne) {
  ModelBuilder b;
  b.input("x", {unknown_dim, 1, 3}).output("y", {unknown_dim, 2}).weights("w", {3, 2}, w_2x3);
  b.node("MatMul", {"x", "w"}, {"h"});
  b.node("Flatten", {"h"}, {"y"});
  EXPECT_EQ(evaluate(b.build(), {1, 10, 100}), (Doubles{531, -638}));
}

TEST(Add, AfterALinearLayerOnEitherSideInEveryShape) {
  for (const bool left : {false, true}) {
    for (const Shape& shape : {Shape{2}, Shape{1, 2}, Shape{}, Shape{1}, Shape{1, 1}}) {
      ModelBuilder b(7);
      b.input("x", {unknown_dim, 3}).output("y", {unknown_dim, 2}).weights("w", {3, 2}, w_2x3);
      const bool one = shape.empty() || shape.back() == 1;
      b.weights("c", shape, one ? std::vector<float>{7} : std::vector<float>{7, 9});
      b.node("MatMul", {"x", "w"}, {"h"});
      b.node("Add", left ? Names{"c", "h"} : Names{"h", "c"}, {"y"});
      const Network n = b.build();
      ASSERT_EQ(n.layers.size(), 1U);
      EXPECT_EQ(evaluate(n, {1, 10, 100}), (Doubles{538, one ? -631.0 : -629.0}));
    }
  }
}

TEST(Add, BeforeALinearLayerAndBroadcastOverPositions) {
  ModelBuilder b;
  b.input("x", {unknown_dim, 2, 3}).weights("c", {2, 1}, {10, 20}).weights("d", {3}, {1, 2, 3});
  b.output("y", {unknown_dim, 2});
  b.node("Add", {"x", "c"}, {"x1"});
  b.node("Add", {"d", "x1"}, {"x2"});
  b.node("Flatten", {"x2"}, {"f"});
  finish_with_linear(b, "f", 6);
  Doubles x = ramp(6);
  const Doubles y = evaluate(b.build(), x);
  for (std::size_t i = 0; i < 6; ++i) x[i] += (i < 3 ? 10 : 20) + static_cast<double>(i % 3 + 1);
  EXPECT_EQ(y, linear_of(x));
}

TEST(Add, Opset6) {
  const auto build = [](Shape shape, std::vector<float> values, std::optional<int> broadcast, std::optional<int> axis) {
    ModelBuilder b(6);
    b.input("x", {1, 2, 3}).output("y", {1, 2}).weights("c", std::move(shape), values);
    Node& n = b.node("Add", {"x", "c"}, {"h"});
    if (broadcast) with(n, "broadcast", *broadcast);
    if (axis) with(n, "axis", *axis);
    b.node("Flatten", {"h"}, {"f"});
    b.weights("w", {6, 2}, {1, 0, 0, 1, 1, 0, 0, 1, 1, 0, 0, 1});
    b.node("MatMul", {"f", "w"}, {"y"});
    return b;
  };
  const Doubles zero(6);
  EXPECT_EQ(evaluate(build({1, 2, 3}, {1, 2, 3, 4, 5, 6}, {}, {}).build(), zero), (Doubles{1 + 3 + 5, 2 + 4 + 6}));
  EXPECT_EQ(evaluate(build({3}, {1, 2, 3}, 1, {}).build(), zero), (Doubles{1 + 3 + 2, 2 + 1 + 3}));
  EXPECT_EQ(evaluate(build({2}, {10, 20}, 1, 1).build(), zero), (Doubles{10 + 10 + 20, 10 + 20 + 20}));
  EXPECT_EQ(evaluate(build({1}, {5}, 1, {}).build(), zero), (Doubles{15, 15}));
  EXPECT_TRUE(has(build({3}, {1, 2, 3}, {}, {}).error(), {"Add0", "opset 6"}));
  EXPECT_TRUE(has(build({2}, {1, 2}, 1, {}).error(), {"Add0", "opset 6"}));
  EXPECT_TRUE(has(build({3}, {1, 2, 3}, 1, 1).error(), {"Add0", "opset 6"}));
}

TEST(Shapes, FlattenAtEveryAxisThatKeepsTheBatch) {
  for (const std::int64_t axis : {0, 1, -1, -2, -3}) {
    ModelBuilder b(11);
    b.input("x", {1, 1, 6}).output("y", {1, 2});
    with(b.node("Flatten", {"x"}, {"f"}), "axis", axis);
    finish_with_linear(b, "f", 6);
    EXPECT_EQ(evaluate(b.build(), ramp(6)), linear_of(ramp(6))) << axis;
  }
  for (const std::int64_t axis : {1, 2, -1}) {
    ModelBuilder b(13);
    b.input("x", {unknown_dim, 1, 6}).output("y", {unknown_dim, 2});
    with(b.node("Flatten", {"x"}, {"f"}), "axis", axis);
    finish_with_linear(b, "f", 6);
    EXPECT_EQ(evaluate(b.build(), ramp(6)), linear_of(ramp(6))) << axis;
  }
}

TEST(Shapes, Reshape) {
  for (const std::int64_t batch : {unknown_dim, std::int64_t{1}, std::int64_t{5}}) {
    for (const Shape& shape : {Shape{0, -1}, Shape{-1, 6}, Shape{0, 6}}) {
      ModelBuilder b(14);
      b.input("x", {batch, 2, 3}).output("y", {batch, 2}).ints("s", shape);
      with(b.node("Reshape", {"x", "s"}, {"f"}), "allowzero", 0);
      finish_with_linear(b, "f", 6);
      const Network n = b.build();
      EXPECT_EQ(n.inputs[0].shape, (std::vector<std::size_t>{2, 3}));
      EXPECT_EQ(n.inputs[0].name, "x");
      EXPECT_EQ(evaluate(n, ramp(6)), linear_of(ramp(6)));
    }
  }
}

TEST(Shapes, ABatchOfOneMayMove) {
  ModelBuilder b(13);
  b.input("x", {1, 2, 3}).output("y", {1, 2}).ints("all", {-1}).ints("zero", {0});
  b.node("Reshape", {"x", "all"}, {"flat"});
  b.node("Relu", {"flat"}, {"r"});
  b.node("Unsqueeze", {"r", "zero"}, {"f"});
  finish_with_linear(b, "f", 6);
  Doubles x = ramp(6);
  const Doubles y = evaluate(b.build(), x);
  for (double& v : x) v = std::max(v, 0.0);
  EXPECT_EQ(y, linear_of(x));
}

TEST(Shapes, SqueezeAndUnsqueezeInBothForms) {
  for (const int opset : {6, 11, 13, 18}) {
    ModelBuilder b(opset);
    b.input("x", {unknown_dim, 1, 6, 1}).output("y", {unknown_dim, 2}).ints("a", {1, 3}).ints("b", {2});
    Node& s = b.node("Squeeze", opset < 13 ? Names{"x"} : Names{"x", "a"}, {"s"});
    if (opset < 13) with_ints(s, "axes", {1, 3});
    Node& u = b.node("Unsqueeze", opset < 13 ? Names{"s"} : Names{"s", "b"}, {"u"});
    if (opset < 13) with_ints(u, "axes", {2});
    b.node("Flatten", {"u"}, {"f"});
    finish_with_linear(b, "f", 6);
    EXPECT_EQ(evaluate(b.build(), ramp(6)), linear_of(ramp(6)));
  }
}

TEST(Shapes, ViewOfADynamicBatch) {
  ModelBuilder b(13);
  b.input("x", {unknown_dim, 2, 3}).output("y", {unknown_dim, 2});
  b.constant("zero", {}, std::vector<std::int64_t>{0}).ints("axis", {0}).ints("rest", {-1});
  b.node("Shape", {"x"}, {"shape"});
  with(b.node("Gather", {"shape", "zero"}, {"n"}), "axis", 0);
  b.node("Unsqueeze", {"n", "axis"}, {"n1"});
  with(b.node("Concat", {"n1", "rest"}, {"target"}), "axis", 0);
  b.node("Reshape", {"x", "target"}, {"f"});
  finish_with_linear(b, "f", 6);
  EXPECT_EQ(evaluate(b.build(), ramp(6)), linear_of(ramp(6)));
}

TEST(Shapes, ReshapedWeights) {
  ModelBuilder b;
  b.input("x", {unknown_dim, 3}).output("y", {unknown_dim, 2}).ints("s", {3, -1});
  b.weights("w", {1, 3, 1, 2}, w_2x3);
  b.node("Reshape", {"w", "s"}, {"v"});
  b.node("MatMul", {"x", "v"}, {"y"});
  EXPECT_EQ(evaluate(b.build(), {1, 10, 100}), (Doubles{531, -638}));
}

TEST(Identity, PassesDataAndConstants) {
  ModelBuilder b;
  b.input("x", {unknown_dim, 3}).output("y", {unknown_dim, 3}).weights("w", {3, 3}, {1, 2, 3, 4, 5, 6, 7, 8, 9});
  b.node("Identity", {"w"}, {"v"});
  b.node("MatMul", {"x", "w"}, {"h"});
  b.node("Identity", {"h"}, {"h2"});
  b.node("MatMul", {"h2", "v"}, {"y"});
  EXPECT_EQ(evaluate(b.build(), {1, 0, 0}), (Doubles{1 + 8 + 21, 2 + 10 + 24, 3 + 12 + 27}));
}

TEST(Dropout, PassesItsInputOnInInference) {
  for (const int opset : {6, 7, 10, 12, 13}) {
    ModelBuilder b(opset);
    b.input("x", {unknown_dim, 6}).output("y", {unknown_dim, 2}).weights("ratio", {}, {0.5F});
    b.constant("no", {}, std::vector<std::uint8_t>{0});
    Node& n = b.node("Dropout", opset < 12 ? Names{"x"} : Names{"x", "ratio", "no"}, {"d", "mask"});
    if (opset < 12) with_float(n, "ratio", 0.5F);
    if (opset < 7) with(n, "is_test", 1);
    if (opset >= 12) with(n, "seed", 3);
    finish_with_linear(b, "d", 6);
    EXPECT_EQ(evaluate(b.build(), ramp(6)), linear_of(ramp(6)));
  }
}

TEST(Relu, BeforeBetweenAndTwice) {
  ModelBuilder b;
  b.input("x", {unknown_dim, 6}).output("z", {unknown_dim, 2});
  b.node("Relu", {"x"}, {"r"});
  b.node("Relu", {"r"}, {"rr"});
  finish_with_linear(b, "rr", 6);
  b.node("Relu", {"y"}, {"z"});
  const Network n = b.build();
  ASSERT_EQ(n.layers.size(), 3U);
  EXPECT_EQ(std::get<Relu>(n.layers[0]).name, "Relu0");
  EXPECT_EQ(std::get<Affine>(n.layers[1]).name, "Gemm2");
  Doubles x = ramp(6);
  for (double& v : x) v = std::max(v, 0.0);
  Doubles expected = linear_of(x);
  for (double& v : expected) v = std::max(v, 0.0);
  EXPECT_EQ(evaluate(n, ramp(6)), expected);
}

TEST(Layers, TwoInARowStayTwo) {
  ModelBuilder b;
  b.input("x", {unknown_dim, 3}).output("y", {unknown_dim, 2}).weights("w", {3, 6}, std::vector<float>(18, 1));
  b.node("MatMul", {"x", "w"}, {"h"});
  finish_with_linear(b, "h", 6);
  const Network n = b.build();
  EXPECT_EQ(n.layers.size(), 2U);
  EXPECT_EQ(evaluate(n, {1, 2, 3}), linear_of(Doubles(6, 6)));
}

TEST(Layers, WeightsUsedTwiceAreBothThere) {
  ModelBuilder b;
  b.input("x", {unknown_dim, 2}).output("y", {unknown_dim, 2}).weights("w", {2, 2}, {1, 2, 3, 4});
  b.node("MatMul", {"x", "w"}, {"h"});
  with(b.node("Gemm", {"h", "w"}, {"y"}), "transB", 1);
  EXPECT_EQ(evaluate(b.build(), {1, 1}), (Doubles{4 + 12, 12 + 24}));
}

TEST(Layers, DoubleModels) {
  ModelBuilder b;
  b.input("x", {unknown_dim, 2}, ElementType::f64).output("y", {unknown_dim, 1}, ElementType::f64);
  b.constant("w", {2, 1}, std::vector<double>{0.1, 3}).constant("c", {1}, std::vector<double>{0.1});
  b.node("MatMul", {"x", "w"}, {"h"});
  b.node("Add", {"h", "c"}, {"y"});
  const Network n = b.build();
  const auto& a = std::get<Affine>(n.layers[0]);
  EXPECT_EQ(a.weights, (SecretVector<float>{0.1F, 3}));
  EXPECT_EQ(a.bias, SecretVector<double>{0.1});
}

TEST(Tail, SoftmaxOverTheClasses) {
  for (const int opset : {6, 11, 13, 18}) {
    for (const std::optional<int> axis : {std::optional<int>{}, std::optional<int>{1}, std::optional<int>{-1}}) {
      if (opset < 11 && axis == -1) continue;
      ModelBuilder b(opset);
      b.input("x", {unknown_dim, 6}).output("p", {unknown_dim, 2});
      finish_with_linear(b, "x", 6);
      Node& n = b.node("Softmax", {"y"}, {"p"});
      if (axis) with(n, "axis", *axis);
      const Network net = b.build();
      EXPECT_EQ(net.tail, Tail::softmax);
      EXPECT_EQ(evaluate(net, ramp(6)), linear_of(ramp(6)));
    }
  }
}

TEST(Tail, ArgMaxOverTheClasses) {
  for (const int opset : {7, 11, 12, 13, 18}) {
    for (const int keep : {0, 1}) {
      ModelBuilder b(opset);
      b.input("x", {unknown_dim, 6});
      b.output("i", keep == 1 ? Shape{unknown_dim, 1} : Shape{unknown_dim}, ElementType::i64);
      finish_with_linear(b, "x", 6);
      Node& n = with(with(b.node("ArgMax", {"y"}, {"i"}), "axis", 1), "keepdims", keep);
      if (opset >= 12) with(n, "select_last_index", 0);
      EXPECT_EQ(b.build().tail, Tail::argmax);
    }
  }
}

TEST(Tail, IdentityMayFollow) {
  ModelBuilder b;
  b.input("x", {unknown_dim, 6}).output("q", {unknown_dim, 2});
  finish_with_linear(b, "x", 6);
  b.node("Softmax", {"y"}, {"p"});
  b.node("Identity", {"p"}, {"q"});
  EXPECT_EQ(b.build().tail, Tail::softmax);
}

}  // namespace
}  // namespace smpc::test
