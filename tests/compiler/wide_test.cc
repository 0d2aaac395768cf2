// Networks at random, of every kind of layer and many sizes, as the compiler makes programs of them: no value leaves its ring, as
// integers that are as wide as needed show, and what a program gives is as close to float as is stated.
#include <cmath>
#include <functional>
#include <random>

#include "model/model_builder.h"
#include "smpc/compiler/compile.h"
#include "smpc/compiler/float_reference.h"
#include "smpc/runtime/interpreter.h"
#include "support/thinned.h"
#include "support/wide_values.h"

namespace smpc::test {
namespace {

class NetworkMaker {
 public:
  explicit NetworkMaker(std::mt19937_64& rng) : rng_(rng), b_(17) {}

  // Layers over an image, each reading one of those before it.
  Network graph(std::size_t layers) {
    const Shape x{1, pick(1, 4), pick(2, 6), pick(2, 6)};
    b_.input("x", x);
    values_.push_back({"x", x});
    while (values_.size() <= layers) layer();
    finish();
    return b_.build();
  }

  // Gemm and Relu, of any widths.
  Network chain(std::size_t layers) {
    std::int64_t width = pick(1, 60);
    b_.input("x", {1, width});
    std::string last = "x";
    for (std::size_t i = 0; i < layers; ++i) {
      const std::int64_t out = pick(i + 1 == layers ? 2 : 1, 30);
      const bool end = i + 1 == layers;
      const std::string n = std::to_string(i);
      with(b_.node("Gemm", {last, numbers({out, width}, size_of_weights() / std::sqrt(static_cast<double>(width))), numbers({out}, size_of_weights())}, {end ? "y" : "m" + n}), "transB", 1);
      last = "m" + n;
      width = out;
      if (end || pick(0, 4) == 0) continue;
      b_.node("Relu", {last}, {"r" + n});
      last = "r" + n;
    }
    b_.output("y", {1, width});
    return b_.build();
  }

 private:
  struct Value {
    std::string name;
    Shape shape;
  };

  std::int64_t pick(std::int64_t low, std::int64_t high) { return low + static_cast<std::int64_t>(rng_() % static_cast<std::uint64_t>(high - low + 1)); }
  double size_of_weights() { return std::vector<double>{0.01, 0.3, 1, 4}[static_cast<std::size_t>(pick(0, 3))]; }

  std::string numbers(const Shape& shape, double size, double low = -1) {
    std::size_t count = 1;
    for (const std::int64_t d : shape) count *= static_cast<std::size_t>(d);
    std::uniform_real_distribution<double> one(low * size, size);
    std::vector<float> values(count);
    for (float& v : values) v = static_cast<float>(one(rng_));
    const std::string name = "c" + std::to_string(b_.model.constants.size());
    b_.weights(name, shape, values);
    return name;
  }

  // The newest most often.
  const Value& source() { return values_[static_cast<std::size_t>(pick(0, 2) == 0 ? pick(0, static_cast<std::int64_t>(values_.size()) - 1) : static_cast<std::int64_t>(values_.size()) - 1)]; }

  Node& node(const char* op, Names inputs, Shape shape) {
    for (const std::string& i : inputs) read_.push_back(i);
    const std::string name = "v" + std::to_string(values_.size());
    values_.push_back({name, std::move(shape)});
    return b_.node(op, std::move(inputs), {name});
  }

  void layer() {
    const Value x = source();
    const Shape& s = x.shape;
    switch (pick(0, 14)) {
      case 0:
      case 1:
      case 2: {  // stride and dilation of all kinds, padded as far as the kernel needs
        const std::int64_t k = pick(1, 3), stride = pick(1, 3), dilation = pick(1, 2), pad = pick(0, 2) + (k - 1) * dilation / 2 + 1;
        const std::int64_t groups = s[1] % 2 == 0 && pick(0, 2) == 0 ? 2 : 1, out = groups * pick(1, 3);
        const auto side = [&](std::int64_t n) { return (n + 2 * pad - (k - 1) * dilation - 1) / stride + 1; };
        Node& n = node("Conv", {x.name, numbers({out, s[1] / groups, k, k}, size_of_weights()), numbers({out}, 1)}, {1, out, side(s[2]), side(s[3])});
        with(with_ints(with_ints(with_ints(n, "pads", {pad, pad, pad, pad}), "strides", {stride, stride}), "dilations", {dilation, dilation}), "group", groups);
        return;
      }
      case 3: {
        const std::int64_t k = pick(1, 3), stride = pick(1, 2), out = pick(1, 3);
        if (s[2] > 6 || s[3] > 6) return;
        Node& n = node("ConvTranspose", {x.name, numbers({s[1], out, k, k}, size_of_weights())}, {1, out, (s[2] - 1) * stride + k, (s[3] - 1) * stride + k});
        with_ints(n, "strides", {stride, stride});
        return;
      }
      case 4:
      case 5: {
        const char* op = pick(0, 1) == 0 ? "MaxPool" : "AveragePool";
        const std::int64_t k = pick(1, std::min<std::int64_t>({2, s[2], s[3]})), stride = pick(1, 2);
        Node& n = node(op, {x.name}, {1, s[1], (s[2] - k) / stride + 1, (s[3] - k) / stride + 1});
        with_ints(with_ints(n, "kernel_shape", {k, k}), "strides", {stride, stride});
        return;
      }
      case 6: node("Relu", {x.name}, s); return;
      case 7: node("Abs", {x.name}, s); return;
      case 8: {
        const char* ops[] = {"Add", "Sub", "Mul", "Max"};
        const Value& other = source();
        if (other.shape != s) return;
        node(ops[pick(0, 3)], {x.name, other.name}, s);
        return;
      }
      case 9: node("Mul", {x.name, numbers({1, s[1], 1, 1}, size_of_weights())}, s); return;
      case 10: node("Add", {x.name, numbers({1, s[1], 1, 1}, 2)}, s); return;
      case 11: {
        const Value& other = source();
        if (other.shape[2] != s[2] || other.shape[3] != s[3] || s[1] + other.shape[1] > 8) return;
        with(node("Concat", {x.name, other.name}, {1, s[1] + other.shape[1], s[2], s[3]}), "axis", 1);
        return;
      }
      case 12: {
        const char* ops[] = {"Sigmoid", "Tanh", "Softmax", "Erf", "Softplus", "Elu"};
        node(ops[pick(0, 5)], {x.name}, s);
        return;
      }
      case 13: {  // of values that are positive, or negative
        const char* ops[] = {"Sqrt", "Reciprocal", "Exp"};
        const std::size_t op = static_cast<std::size_t>(pick(0, 2));
        const std::string size = node("Abs", {x.name}, s).outputs[0];
        const std::string least = numbers({1}, 1, 0.5);
        const std::string away = node(op == 2 ? "Neg" : "Add", op == 2 ? Names{size} : Names{size, least}, s).outputs[0];
        node(ops[op], {away}, s);
        return;
      }
      default:
        with(node("LayerNormalization", {x.name, numbers({s[3]}, 2), numbers({s[3]}, 1)}, s), "axis", -1);
        with_float(b_.model.nodes.back(), "epsilon", pick(0, 1) == 0 ? 1e-2F : 0.5F);
    }
  }

  // All that nothing has read, in one row; and of it a linear map, or not.
  void finish() {
    Names rows;
    std::int64_t width = 0;
    for (const Value& v : values_) {
      if (std::find(read_.begin(), read_.end(), v.name) != read_.end()) continue;
      rows.push_back(v.name + "_row");
      b_.node("Flatten", {v.name}, {rows.back()});
      width += v.shape[1] * v.shape[2] * v.shape[3];
    }
    const bool last = pick(0, 1) == 0;
    const std::string row = last ? "row" : "y";
    with(b_.node("Concat", rows, {row}), "axis", 1);
    const std::int64_t outputs = pick(2, 6);
    if (last) b_.node("Gemm", {row, numbers({width, outputs}, size_of_weights()), numbers({outputs}, 1)}, {"y"});
    b_.output("y", {1, last ? outputs : width});
  }

  std::mt19937_64& rng_;
  ModelBuilder b_;
  std::vector<Value> values_;
  Names read_;
};

struct Tried {
  std::size_t compiled = 0;
  std::size_t refused = 0;
};

// Corners, what lies anywhere, nothing, and single elements: within range and norm.
Doubles sample_input(const Program& p, int run, std::mt19937_64& rng) {
  const auto& in = p.inputs.front();
  std::uniform_real_distribution<double> any(in.low, in.high);
  Doubles x(in.count());
  for (double& v : x) v = run == 0 ? in.high : run == 1 ? in.low : run == 2 ? 0 : run < 7 ? (rng() % 2 == 0 ? in.low : in.high) : any(rng);
  double squares = 0;
  for (const double v : x) squares += v * v;
  if (p.input_norm > 0 && squares > 0) {
    const double most = (p.input_norm - std::ldexp(std::sqrt(static_cast<double>(x.size())), -p.input().scale)) / std::sqrt(squares);
    for (double& v : x) v *= std::clamp(most, 0.0, 1.0);
  }
  return x;
}

void check(const std::function<Network()>& make, const CompileOptions& o, std::mt19937_64& rng, Tried& tried) {
  Network n;
  Compiled c;
  try {
    n = make();
    c = compile(Network(n), o, {});
  } catch (const Error& e) {
    EXPECT_EQ(e.kind(), ErrorKind::bad_input);
    ++tried.refused;
    return;
  }
  ++tried.compiled;
  const Program& p = c.program;
  ASSERT_EQ(decode_program(encode(p)), p);
  const bool graph = !n.graph.nodes.empty();
  for (int run = 0; run < 12; ++run) {
    const Doubles x = sample_input(p, run, rng);
    const RingVector input = quantise(p, x, "x");
    const auto wide = testing::wide_values(p, c.weights, input);
    const auto fixed = interpret(p, c.weights, input);
    testing::expect_what_is_compared_fits(p, wide);
    testing::expect_same_in_rings(p, wide, fixed);
    for (std::size_t t = 0; graph && t + (p.reveal == Reveal::label ? 1 : 0) < wide.size(); ++t) {
      EXPECT_TRUE(testing::lies_within(wide[t], p.tensors[t].ring.bits)) << (t > 0 ? p.ops[t - 1].name : "the input");
    }
    if (!c.error_bound) continue;
    const std::size_t last = p.ops.size() - (p.reveal == Reveal::label ? 1 : 0);
    const auto exact = float_layers(n, x).back();
    for (std::size_t i = 0; i < exact.size(); ++i) {
      const double y = std::ldexp(static_cast<double>(wide[last][i]), -p.tensors[last].scale);
      EXPECT_NEAR(y, exact[i], *c.error_bound + 0x1p-30 * std::abs(exact[i])) << "element " << i;
    }
    if (::testing::Test::HasFailure()) return;
  }
}

CompileOptions any_options(std::mt19937_64& rng) {
  CompileOptions o;
  const double range = std::vector<double>{0.1, 1, 8, 300}[rng() % 4];
  o.input_range = range;
  o.suite = rng() % 2 == 0 ? Suite::masked : Suite::cryptflow2;
  o.reveal = Reveal::logits;
  if (rng() % 4 == 0) o.input_norm = range * std::vector<double>{0.3, 1.5, 4}[rng() % 3];
  return o;
}

class WideIntegers : public ::testing::TestWithParam<bool> {};  // whether scales may be mixed

TEST_P(WideIntegers, NoValueOfARandomGraphLeavesItsRingAndTheErrorIsAsStated) {
  std::mt19937_64 rng(GetParam() ? 8 : 7);
  Tried tried;
  for (int run = 0; run < 150 / smpc::testing::one_in(4) && !HasFailure(); ++run) {
    SCOPED_TRACE(run);
    CompileOptions o = any_options(rng);
    o.mixed_scales = GetParam();
    if (GetParam()) o.input_range = *o.input_range * 1000;
    if (rng() % 4 == 0) o.reveal = Reveal::label;
    check([&] { return NetworkMaker(rng).graph(2 + rng() % 7); }, o, rng, tried);
  }
  EXPECT_GT(tried.compiled, 75U / smpc::testing::one_in(4)) << tried.refused << " refused";
}

INSTANTIATE_TEST_SUITE_P(Scales, WideIntegers, ::testing::Bool(), [](const auto& mixed) { return mixed.param ? "Mixed" : "One"; });

TEST(WideIntegersOfChains, NoValueLeavesItsRingAtAnySize) {
  std::mt19937_64 rng(9);
  Tried tried;
  for (int run = 0; run < 100 / smpc::testing::one_in(4) && !::testing::Test::HasFailure(); ++run) {
    SCOPED_TRACE(run);
    CompileOptions o = any_options(rng);
    if (rng() % 2 == 0) o.reveal = Reveal::label;
    check([&] { return NetworkMaker(rng).chain(1 + rng() % 6); }, o, rng, tried);
  }
  EXPECT_GT(tried.compiled, 75U / smpc::testing::one_in(4)) << tried.refused << " refused";
}

}  // namespace
}  // namespace smpc::test
