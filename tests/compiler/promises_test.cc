// What docs/OPERATORS.md promises of smooth functions, over their attributes and over ranges, against the same in double.
#include <cmath>
#include <functional>

#include "model/model_builder.h"
#include "smpc/compiler/compile.h"
#include "smpc/compiler/operators.h"
#include "support/two_party.h"

namespace smpc::test {
namespace {

FunctionPromise promise_of(const std::string& op) {
  for (const FunctionPromise& p : function_promises()) {
    if (p.op.find(op) != std::string::npos) return p;
  }
  ADD_FAILURE() << op << ": nothing is promised";
  return {};
}

constexpr std::size_t count = 3000;

struct Outcome {
  Doubles x;  // as it is quantised
  Doubles y;
  double bit = 0;  // the last of x
};

Outcome outcome(ModelBuilder b, double low, double high, const Doubles& x) {
  CompileOptions o;
  o.reveal = Reveal::logits;
  o.suite = Suite::masked;
  o.input_ranges[""] = {low, high};
  const Compiled c = compile(b.build(), o, {});
  const RingVector input = quantise(c.program, x, "x");
  const auto read = dequantise(c.program.input(), input);
  const auto y = dequantise(c.program.output(), interpret(c.program, c.weights, input).back());
  return {{read.begin(), read.end()}, {y.begin(), y.end()}, std::ldexp(1.0, -c.program.input().scale)};
}

// The whole range, more of what lies near 0, and of what is positive as much in every octave.
Doubles points(double low, double high) {
  Doubles x{low, high};
  while (x.size() < count / 3) x.push_back(low + (high - low) * static_cast<double>(x.size()) / (count / 3));
  const double near_low = std::clamp(-14.0, low, high);
  const double near_high = std::clamp(14.0, low, high);
  while (x.size() < 2 * count / 3) x.push_back(near_low + (near_high - near_low) * static_cast<double>(x.size() - count / 3) / (count / 3));
  const double far = std::max(std::abs(low), std::abs(high));
  const double least = std::max(1e-6, low > 0 ? low : high < 0 ? -high : 0);
  while (x.size() < count) {
    const double size = least * std::pow(far / least, static_cast<double>(x.size() - 2 * count / 3) / (count / 3));
    x.push_back(std::clamp(low < 0 && (high < 0 || x.size() % 2 == 0) ? -size : size, low, high));
  }
  return x;
}

struct Case {
  const char* op;
  double low, high;
  float attribute = 0;  // Elu's alpha, Pow's exponent
};

void expect_promise(const Case& c, const std::function<double(double)>& f) {
  SCOPED_TRACE(::testing::Message() << c.op << " " << c.attribute << " from " << c.low << " to " << c.high);
  ModelBuilder b(13);
  b.input("x", {1, count}).output("y", {1, count});
  const std::string op = c.op;
  if (op == "Pow") {
    b.weights("e", {1}, {c.attribute}).node("Pow", {"x", "e"}, {"y"});
  } else if (op == "Div") {
    b.weights("one", {1}, {c.attribute}).node("Div", {"one", "x"}, {"y"});
  } else {
    Node& n = b.node(op, {"x"}, {"y"});
    if (op == "Elu") with_float(n, "alpha", c.attribute);
  }
  const FunctionPromise promise = promise_of(op);
  const Outcome r = outcome(std::move(b), c.low, c.high, points(c.low, c.high));
  double worst = 0;
  double where = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const double exact = f(r.x[i]);
    double allowed = promise.absolute + promise.relative * std::abs(exact);
    if (op == "Div") allowed = static_cast<double>(std::abs(c.attribute)) * (promise.absolute + promise.relative / std::abs(r.x[i]));
    const double part = std::abs(r.y[i] - exact) / allowed;
    if (!(part > worst)) continue;
    worst = part;
    where = r.x[i];
  }
  EXPECT_LE(worst, 1) << "at " << where;
  // No function makes coarse what is read: a range of this size leaves room.
  if (std::max(std::abs(c.low), std::abs(c.high)) <= 1000) {
    EXPECT_LE(r.bit, 0x1p-16);
  }
}

TEST(Promises, FunctionsThatLevelOff) {
  for (const auto& [low, high] : {std::pair(-1.0, 1.0), {-3.0, 5.0}, {-16.0, 16.0}, {-300.0, 1000.0}, {20.0, 30.0}, {-40.0, -30.0}, {-1e5, 1e5}}) {
    expect_promise({"Sigmoid", low, high}, [](double x) { return 1 / (1 + std::exp(-x)); });
    expect_promise({"Tanh", low, high}, [](double x) { return std::tanh(x); });
    expect_promise({"Erf", low, high}, [](double x) { return std::erf(x); });
    expect_promise({"Softplus", low, high}, [](double x) { return x > 30 ? x : std::log1p(std::exp(x)); });
  }
}

TEST(Promises, EluOfEveryAlpha) {
  for (const float alpha : {-3.0F, -1.0F, -0.25F, 1e-3F, 0.25F, 0.9F, 1.0F, 1.5F, 2.0F, 3.0F, 10.0F, 100.0F}) {
    for (const auto& [low, high] : {std::pair(-1.0, 1.0), {-8.0, 0.0}, {-8.0, 8.0}, {1.0, 2.0}, {-3.0, -2.0}, {-128.0, 128.0}}) {
      expect_promise({"Elu", low, high, alpha}, [&](double x) { return x > 0 ? x : static_cast<double>(alpha) * std::expm1(x); });
    }
  }
}

TEST(Promises, Exp) {
  for (const auto& [low, high] : {std::pair(-2.0, 2.0), {-100.0, 1.0}, {-3.0, 9.0}, {8.0, 10.0}, {-1.0, 12.5}, {-1e4, 0.5}, {-60.0, -50.0}}) {
    expect_promise({"Exp", low, high}, [](double x) { return std::exp(x); });
  }
}

TEST(Promises, RootsAndReciprocals) {
  for (const auto& [low, high] : {std::pair(0.0, 4.0), {0.0, 1e-3}, {1.0, 1000.0}, {0.0, 1e6}, {1e-4, 1e8}}) {
    expect_promise({"Sqrt", low, high}, [](double x) { return std::sqrt(x); });
    expect_promise({"Pow", low, high, 0.5F}, [](double x) { return std::sqrt(x); });
  }
  for (const auto& [low, high] : {std::pair(0.5, 2.0), {1e-3, 1.0}, {1e-3, 100.0}, {0.01, 1e5}, {1.0, 1e8}, {1e-4, 1e-3}}) {
    expect_promise({"Reciprocal", low, high}, [](double x) { return 1 / x; });
    expect_promise({"Reciprocal", -high, -low}, [](double x) { return 1 / x; });
    expect_promise({"Pow", low, high, -1}, [](double x) { return 1 / x; });
    expect_promise({"Pow", low, high, -0.5F}, [](double x) { return 1 / std::sqrt(x); });
    expect_promise({"Div", low, high, 3}, [](double x) { return 3 / x; });
  }
}

TEST(Promises, LocalResponseNormalisation) {
  struct Lrn {
    float alpha, beta, bias;
    double range;
  };
  for (const Lrn& a : {Lrn{1e-4F, 0.75F, 1, 100}, {1, 0.5F, 2, 8}, {0.3F, 2, 0.5F, 3}, {1e-2F, 4, 0.1F, 3}, {1e-3F, 4, 1, 50}}) {
    SCOPED_TRACE(::testing::Message() << a.alpha << " " << a.beta << " " << a.bias << " " << a.range);
    ModelBuilder b(13);
    b.input("x", {1, 1, count}).output("y", {1, 1, count});
    Node& n = with(b.node("LRN", {"x"}, {"y"}), "size", 1);
    with_float(with_float(with_float(n, "alpha", a.alpha), "beta", a.beta), "bias", a.bias);
    const FunctionPromise promise = promise_of("LRN");
    const Outcome r = outcome(std::move(b), -a.range, a.range, points(-a.range, a.range));
    double worst = 0;
    for (std::size_t i = 0; i < count; ++i) {
      const double base = static_cast<double>(a.bias) + static_cast<double>(a.alpha) * r.x[i] * r.x[i];
      const double factor = std::pow(base, -static_cast<double>(a.beta));
      const double allowed = std::abs(r.x[i]) * (promise.absolute + promise.relative * factor) + promise.absolute;
      worst = std::max(worst, std::abs(r.y[i] - r.x[i] * factor) / allowed);
    }
    EXPECT_LE(worst, 1);
  }
}

// Rows whose size goes from nothing to the whole range.
Doubles rows_of_every_size(std::size_t rows, std::size_t size, double range) {
  Doubles x;
  std::uint32_t state = 1;
  for (std::size_t r = 0; r < rows; ++r) {
    const double largest = range * std::pow(2, -static_cast<double>(r % 24));
    for (std::size_t i = 0; i < size; ++i) {
      state = state * 1664525 + 1013904223;
      x.push_back(largest * (static_cast<double>(state >> 8) / 0x1p23 - 1));
    }
  }
  return x;
}

TEST(Promises, Softmax) {
  for (const std::size_t size : {2U, 5U, 64U, 500U}) {
    for (const double range : {1.0, 8.0, 200.0}) {
      SCOPED_TRACE(::testing::Message() << size << " within " << range);
      constexpr std::size_t rows = 24;
      ModelBuilder b(13);
      b.input("x", {1, rows, static_cast<std::int64_t>(size)}).output("y", {1, rows, static_cast<std::int64_t>(size)});
      b.node("Softmax", {"x"}, {"y"});
      const Outcome r = outcome(std::move(b), -range, range, rows_of_every_size(rows, size, range));
      double worst = 0;
      for (std::size_t row = 0; row < rows; ++row) {
        const Doubles p = softmax(Doubles(r.x.begin() + static_cast<long>(row * size), r.x.begin() + static_cast<long>((row + 1) * size)));
        for (std::size_t i = 0; i < size; ++i) worst = std::max(worst, std::abs(r.y[row * size + i] - p[i]));
      }
      EXPECT_LE(worst, promise_of("Softmax").absolute);
    }
  }
}

TEST(Promises, LayerNormalization) {
  for (const std::size_t size : {4U, 6U, 100U}) {
    for (const float epsilon : {1e-7F, 1e-5F, 1e-3F, 1.0F}) {
      for (const double range : {1.0, 50.0, 1e4}) {
        SCOPED_TRACE(::testing::Message() << size << ", epsilon " << epsilon << " within " << range);
        constexpr std::size_t rows = 48;
        const auto n = static_cast<std::int64_t>(size);
        ModelBuilder b(17);
        b.input("x", {1, rows, n}).output("y", {1, rows, n});
        b.weights("one", {n}, std::vector<float>(size, 1));
        with_float(b.node("LayerNormalization", {"x", "one"}, {"y"}), "epsilon", epsilon);
        const FunctionPromise promise = promise_of("LayerNormalization");
        const Outcome r = outcome(std::move(b), -range, range, rows_of_every_size(rows, size, range));
        double worst = 0;
        for (std::size_t row = 0; row < rows; ++row) {
          double mean = 0;
          double variance = 0;
          for (std::size_t i = 0; i < size; ++i) mean += r.x[row * size + i] / static_cast<double>(size);
          for (std::size_t i = 0; i < size; ++i) variance += std::pow(r.x[row * size + i] - mean, 2) / static_cast<double>(size);
          const double root = std::sqrt(variance + static_cast<double>(epsilon));
          for (std::size_t i = 0; i < size; ++i) {
            const double exact = (r.x[row * size + i] - mean) / root;
            const double allowed = promise.absolute + promise.relative * std::abs(exact) +
                                   (1 + std::abs(exact)) / root * (2 * r.bit + 0x1p-15 * std::abs(mean));
            worst = std::max(worst, std::abs(r.y[row * size + i] - exact) / allowed);
          }
        }
        EXPECT_LE(worst, 1);
      }
    }
  }
}

}  // namespace
}  // namespace smpc::test
