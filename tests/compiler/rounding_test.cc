// What rounding does to chains whose layers are of very different sizes: fixed point against float, computed here.
#include <algorithm>
#include <cmath>
#include <random>

#include "model/model_builder.h"
#include "smpc/compiler/compile.h"
#include "support/thinned.h"
#include "support/two_party.h"

namespace smpc::test {
namespace {

struct Layers {
  std::vector<std::size_t> widths;
  std::vector<Doubles> weights;  // row by row
  std::vector<Doubles> biases;
};

// As a weight is stored.
double as_float(double v) { return static_cast<double>(static_cast<float>(v)); }

Network network_of(const Layers& l) {
  Network n;
  n.inputs = {{"x", {l.widths.front()}}};
  n.outputs = {{"y", {l.widths.back()}}};
  for (std::size_t k = 0; k + 1 < l.widths.size(); ++k) {
    Affine a;
    a.name = "fc" + std::to_string(k);
    a.inputs = l.widths[k];
    a.outputs = l.widths[k + 1];
    for (const double w : l.weights[k]) a.weights.push_back(static_cast<float>(w));
    a.bias.assign(l.biases[k].begin(), l.biases[k].end());
    n.layers.emplace_back(std::move(a));
    if (k + 2 < l.widths.size()) n.layers.emplace_back(Relu{"relu" + std::to_string(k)});
  }
  return n;
}

Doubles exact_logits(const Layers& l, Doubles x) {
  for (std::size_t k = 0; k + 1 < l.widths.size(); ++k) {
    Doubles y = l.biases[k];
    for (std::size_t o = 0; o < y.size(); ++o) {
      for (std::size_t i = 0; i < x.size(); ++i) y[o] += as_float(l.weights[k][o * x.size() + i]) * x[i];
      if (k + 2 < l.widths.size()) y[o] = std::max(y[o], 0.0);
    }
    x = std::move(y);
  }
  return x;
}

Layers random_layers(const std::vector<std::size_t>& widths, unsigned seed) {
  std::mt19937 rng(seed);
  std::normal_distribution<double> normal;
  Layers l{widths, {}, {}};
  for (std::size_t k = 0; k + 1 < widths.size(); ++k) {
    Doubles& w = l.weights.emplace_back(widths[k] * widths[k + 1]);
    for (double& v : w) v = normal(rng) * std::sqrt(2.0 / static_cast<double>(widths[k]));
    Doubles& b = l.biases.emplace_back(widths[k + 1]);
    for (double& v : b) v = 0.3 * normal(rng);
  }
  return l;
}

void scale(Doubles& values, double by) {
  for (double& v : values) v *= by;
}

CompileOptions revealing_logits(double range = 2) {
  CompileOptions o;
  o.reveal = Reveal::logits;
  o.input_range = range;
  return o;
}

double worst_probability(const Layers& l, const Compiled& c, const Doubles& x) {
  const auto fixed = interpret(c.program, c.weights, quantise(c.program, x, "x"));
  const auto p = softmax(dequantise(c.program.output(), fixed.back()));
  const auto q = softmax(exact_logits(l, x));
  double worst = 0;
  for (std::size_t i = 0; i < p.size(); ++i) worst = std::max(worst, std::abs(p[i] - q[i]));
  return worst;
}

// Whatever compiles without a scale that is asked for keeps the promise.
void expect_promise(const Layers& l, double range = 2) {
  const Compiled c = compile(network_of(l), revealing_logits(range), {});
  EXPECT_LE(c.logit_error, 1.0001 * promised_logit_error);
  std::mt19937 rng(4);
  std::normal_distribution<double> usual(0, range / 16);
  for (int v = 0; v < 6; ++v) {
    Doubles x(l.widths.front());
    for (double& e : x) e = std::clamp(usual(rng), -range, range);
    EXPECT_LE(worst_probability(l, c, x), 1e-4);
  }
}

TEST(Rounding, BiasesBehindALayerOfZerosAreKept) {
  const Layers l{{4, 3, 3}, {Doubles(12, 0.0), {1, 2, 0, 0, 1, 2, 2, 0, 1}}, {{0.4, -0.3, 0.25}, {0.05, 0.9, 0.55}}};
  const Compiled c = compile(network_of(l), revealing_logits(), {});
  const auto y = dequantise(c.program.output(), interpret(c.program, c.weights, quantise(c.program, Doubles{1, -1, 0.5, 2}, "x")).back());
  // W2 relu(b1) + b2 with relu(b1) = (0.4, 0, 0.25).
  const Doubles expected{0.45, 1.4, 1.6};
  for (std::size_t i = 0; i < 3; ++i) EXPECT_NEAR(y[i], expected[i], 5e-4) << i;
}

TEST(Rounding, ALayerOfZerosGivesItsBiases) {
  const Layers l{{4, 3}, {Doubles(12, 0.0)}, {{0.3, 0.45, 0.1}}};
  for (const Reveal reveal : {Reveal::logits, Reveal::label}) {
    CompileOptions o = revealing_logits();
    o.reveal = reveal;
    const Compiled c = compile(network_of(l), o, {});
    const auto out = interpret(c.program, c.weights, quantise(c.program, Doubles{1, -1, 0.5, 2}, "x")).back();
    if (reveal == Reveal::label) {
      EXPECT_EQ(out[0], 1U);
      continue;
    }
    const auto y = dequantise(c.program.output(), out);
    for (std::size_t i = 0; i < 3; ++i) EXPECT_NEAR(y[i], l.biases[0][i], 5e-4) << i;
  }
}

TEST(Rounding, LayersAndBiasesOfEverySizeKeepTheProbabilities) {
  for (int k = 0; k <= 12; k += smpc::testing::one_in(4)) {
    SCOPED_TRACE(::testing::Message() << "times 10^-" << k);
    const double by = std::pow(10, -k);
    for (std::size_t layer = 0; layer < 3; ++layer) {
      const Layers usual = random_layers({30, 12, 8, 5}, static_cast<unsigned>(k));
      Layers smaller = usual;
      scale(smaller.weights[layer], by);
      expect_promise(smaller);
      scale(smaller.biases[layer], by);
      expect_promise(smaller);
      std::fill(smaller.weights[layer].begin(), smaller.weights[layer].end(), 0.0);
      expect_promise(smaller);
      Layers biases = usual;
      scale(biases.biases[layer], by);
      expect_promise(biases);
    }
  }
}

TEST(Rounding, BiasesAloneOfEverySizeKeepTheProbabilities) {
  for (int k = -2; k <= 8; ++k) {
    SCOPED_TRACE(::testing::Message() << "times 10^-" << k);
    for (const std::vector<std::size_t>& widths : {std::vector<std::size_t>{6, 4}, {6, 5, 4}, {6, 5, 5, 4}}) {
      Layers l = random_layers(widths, 3);
      for (Doubles& w : l.weights) std::fill(w.begin(), w.end(), 0.0);
      for (Doubles& b : l.biases) scale(b, std::pow(10, -k));
      expect_promise(l);
    }
  }
}

// The product of the two maps is 0, and yet the result follows the input: half of it lies between the corners.
TEST(Rounding, UnitsThatCancelWhereBothAreActiveAreKept) {
  const Layers l{{1, 2, 2}, {{1, 1}, {1, -1, -1, 1}}, {{0.1, -0.1}, {0, 0}}};
  const Compiled c = compile(network_of(l), revealing_logits(), {});
  for (double x = -0.25; x <= 0.25; x += 0.011) EXPECT_LE(worst_probability(l, c, {x}), 1e-4) << x;
}

TEST(Rounding, LongChainsKeepTheProbabilities) {
  for (const std::size_t length : {6U, 9U, 12U}) {
    std::vector<std::size_t> widths{40};
    widths.resize(length, 16);
    widths.push_back(6);
    expect_promise(random_layers(widths, static_cast<unsigned>(length)));
  }
}

TEST(Rounding, WhatNoScalesKeepIsRefusedUnlessTheOwnerGivesAScale) {
  Layers l = random_layers({30, 12, 5}, 1);
  l.weights[1][3] = 3e8;
  CompileOptions o = revealing_logits();
  try {
    compile(network_of(l), o, {});
    ADD_FAILURE() << "nothing was refused";
  } catch (const Error& e) {
    EXPECT_EQ(e.kind(), ErrorKind::bad_input);
    EXPECT_TRUE(has(e.what(), {"1e-4", "--scale 16"})) << e.what();
  }
  o.scale = 16;
  EXPECT_GT(compile(network_of(l), o, {}).logit_error, promised_logit_error);
}

unsigned widest(const Program& p) {
  unsigned bits = 0;
  for (const TensorType& t : p.tensors) bits = std::max(bits, t.ring.bits);
  return bits;
}

TEST(Rounding, WhatFitsOnlyCoarserIsCompiledWhereTheOwnerGivesTheWidth) {
  const Layers l = random_layers({30, 12, 12, 5}, 1);
  const Compiled usual = compile(network_of(l), revealing_logits(), {});
  EXPECT_LE(usual.logit_error, 1.0001 * promised_logit_error);
  CompileOptions o = revealing_logits();
  o.bits = widest(usual.program) - 3;
  const Compiled narrow = compile(network_of(l), o, {});
  EXPECT_LE(widest(narrow.program), *o.bits);
  EXPECT_GT(narrow.logit_error, promised_logit_error);
  // Of a range that no ring of 64 bits holds at the scales that the promise asks for, nothing coarser is made by itself.
  Layers large = l;
  for (Doubles& w : large.weights) scale(w, 2e3);
  o = revealing_logits(1000);
  try {
    compile(network_of(large), o, {});
    ADD_FAILURE() << "nothing was refused";
  } catch (const Error& e) {
    EXPECT_TRUE(has(e.what(), {"can need", "bits"})) << e.what();
  }
}

}  // namespace
}  // namespace smpc::test
