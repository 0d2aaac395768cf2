#include "smpc/compiler/compile.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

#include "smpc/base/error.h"
#include "smpc/base/wide.h"
#include "smpc/compiler/float_reference.h"
#include "support/two_party.h"

namespace smpc {
namespace {

// A network with He-like weights, so that activations keep their size.
Network network(const std::vector<std::size_t>& widths, unsigned seed, double gain = 1) {
  std::mt19937 rng(seed);
  std::normal_distribution<double> normal;
  Network n;
  n.inputs = {{"x", {widths[0]}}};
  n.outputs = {{"y", {widths.back()}}};
  for (std::size_t k = 0; k + 1 < widths.size(); ++k) {
    Affine a;
    a.name = "fc" + std::to_string(k);
    a.inputs = widths[k];
    a.outputs = widths[k + 1];
    for (std::size_t i = 0; i < a.inputs * a.outputs; ++i) {
      a.weights.push_back(static_cast<float>(gain * normal(rng) * std::sqrt(2.0 / static_cast<double>(a.inputs))));
    }
    for (std::size_t i = 0; i < a.outputs; ++i) a.bias.push_back(0.1 * normal(rng));
    n.layers.emplace_back(std::move(a));
    if (k + 2 < widths.size()) n.layers.emplace_back(Relu{"relu" + std::to_string(k)});
  }
  return n;
}

std::vector<double> volume(std::size_t n, double range, unsigned seed) {
  std::mt19937 rng(seed);
  std::normal_distribution<double> normal(0, range / 20);
  std::vector<double> x(n);
  for (double& v : x) v = std::clamp(normal(rng), -range, range);
  return x;
}

std::string refusal(Network n, const CompileOptions& o, const std::map<std::string, std::string>& metadata = {}) {
  try {
    compile(std::move(n), o, metadata);
  } catch (const Error& e) {
    EXPECT_EQ(e.kind(), ErrorKind::bad_input);
    return e.what();
  }
  ADD_FAILURE() << "was compiled";
  return "";
}

TEST(Compile, ProbabilitiesAreWithinOneTenThousandthOfFloat) {
  for (unsigned seed = 0; seed < 20; ++seed) {
    const Network n = network({600, 50, 40, 30, 12}, seed, 1.3);
    CompileOptions o;
    o.reveal = Reveal::logits;
    o.input_range = seed % 2 ? 32 : 1;
    const Compiled c = compile(n, o, {});
    for (unsigned v = 0; v < 10; ++v) {
      const auto x = volume(600, *o.input_range, 100 + v);
      const auto fixed = interpret(c.program, c.weights, quantise(c.program, x, "x"));
      const auto p = softmax(dequantise(c.program.output(), fixed.back()));
      const auto q = softmax(float_layers(n, x).back());
      for (std::size_t k = 0; k < p.size(); ++k) EXPECT_NEAR(p[k], q[k], 1e-4) << seed;
    }
  }
}

TEST(Compile, NoValueOfAnyInputInRangeLeavesItsRing) {
  for (unsigned seed = 0; seed < 30; ++seed) {
    std::mt19937 rng(seed);
    const Network n = network({40, 16, 8, 5}, seed);
    CompileOptions o;
    o.reveal = seed % 2 ? Reveal::label : Reveal::logits;
    o.input_range = 2;
    const Compiled c = compile(n, o, {});
    // The corner of the input cube that drives one first-layer unit as far as it goes, and random corners.
    for (int v = 0; v < 20; ++v) {
      std::vector<double> x(40);
      const auto& a = std::get<Affine>(n.layers[0]);
      for (std::size_t i = 0; i < 40; ++i) {
        const bool up = v < 16 ? a.weights[static_cast<std::size_t>(v) * 40 + i] > 0 : rng() % 2 == 0;
        x[i] = up ? 2 : -2;
      }
      const auto fixed = interpret(c.program, c.weights, quantise(c.program, x, "x"));
      // The same in wide integers: a ring that is too narrow would differ.
      std::vector<i128> y;
      for (const auto e : fixed[0]) y.push_back(c.program.input().ring.to_signed(e));
      std::size_t linear = 0;
      for (std::size_t i = 0; i < c.program.ops.size(); ++i) {
        if (const auto* op = std::get_if<LinearOp>(&c.program.ops[i].kind)) {
          std::vector<i128> z(op->outputs);
          const LinearWeights& w = c.weights[linear++];
          for (std::size_t r = 0; r < op->outputs; ++r) {
            z[r] = w.bias[r];
            for (std::size_t k = 0; k < op->inputs; ++k) z[r] += static_cast<i128>(w.matrix[r * op->inputs + k]) * y[k];
          }
          y = z;
        } else if (const auto* relu = std::get_if<ReluOp>(&c.program.ops[i].kind)) {
          for (i128& e : y) e = std::max<i128>(e, 0) >> relu->shift;
        } else {
          break;
        }
        const Ring ring = c.program.tensors[i + 1].ring;
        for (std::size_t k = 0; k < y.size(); ++k) {
          EXPECT_EQ(static_cast<std::int64_t>(y[k]), ring.to_signed(fixed[i + 1][k])) << "op " << i;
        }
      }
      if (o.reveal == Reveal::label) {  // differences fit, too
        const Ring ring = c.program.tensors[c.program.ops.size() - 1].ring;
        const auto [low, high] = std::minmax_element(y.begin(), y.end());
        EXPECT_LT(*high - *low, static_cast<i128>(1) << (ring.bits - 1));
      }
    }
  }
}

TEST(Compile, TwoPartiesAgreeWithTheInterpreterOnWhatTheCompilerMakes) {
  Network n = network({30, 20, 10, 6}, 5);
  n.layers.erase(n.layers.begin() + 1);  // two affine maps in a row: a rescale between
  CompileOptions o;
  for (const Reveal reveal : {Reveal::label, Reveal::logits}) {
    o.reveal = reveal;
    const Compiled c = compile(n, o, {});
    EXPECT_EQ(c.program.ops[1].name, "fc0 (rescale)");
    const RingVector input = quantise(c.program, volume(30, 128, 3), "x");
    const auto two = testing::run_two_party(c.program, c.weights, input, 1);
    EXPECT_EQ(two.output, interpret(c.program, c.weights, input).back());
  }
}

// The same model with some units of the first layer larger, and what reads them smaller.
Network with_large_units(Network n) {
  auto& first = std::get<Affine>(n.layers[0]);
  auto& second = std::get<Affine>(n.layers[2]);
  for (std::size_t o = 0; o < first.outputs; ++o) {
    const int power = o == 0 ? 5 : static_cast<int>(o % 3);
    for (std::size_t i = 0; i < first.inputs; ++i) {
      first.weights[o * first.inputs + i] = std::ldexp(first.weights[o * first.inputs + i], power);
    }
    first.bias[o] = std::ldexp(first.bias[o], power);
    for (std::size_t k = 0; k < second.outputs; ++k) {
      second.weights[k * second.inputs + o] = std::ldexp(second.weights[k * second.inputs + o], -power);
    }
  }
  return n;
}

TEST(Compile, UnitsOfOtherSizesInTheFirstLayerWidenNoRingAndHiddenFactorsTellThem) {
  CompileOptions o;
  o.reveal = Reveal::logits;
  o.input_range = 4;
  for (unsigned seed = 0; seed < 10; ++seed) {
    const Network plain = network({600, 20, 10, 5}, seed);
    const Network n = with_large_units(plain);
    const Compiled c = compile(n, o, {});
    // A limit that is rounded down to a power of two may take a bit; units 32 times the size would take five.
    EXPECT_LE(c.program.input().ring.bits, compile(plain, o, {}).program.input().ring.bits + 1);
    ASSERT_EQ(c.hidden_factors.size(), 20U);
    const auto x = volume(600, 4, 50 + seed);
    const auto fixed = interpret(c.program, c.weights, quantise(c.program, x, "x"));
    const auto layers = float_layers(n, x);
    for (const std::size_t tensor : {std::size_t{1}, std::size_t{2}}) {
      const auto values = dequantise(c.program.tensors[tensor], fixed[tensor]);
      for (std::size_t k = 0; k < 20; ++k) {
        const double exact = layers[tensor - 1][k];
        EXPECT_NEAR(values[k] / c.hidden_factors[k], exact, 0.01 * (1 + std::abs(exact)));
      }
    }
    const auto p = softmax(dequantise(c.program.output(), fixed.back()));
    const auto q = softmax(layers.back());
    for (std::size_t k = 0; k < p.size(); ++k) EXPECT_NEAR(p[k], q[k], 1e-4);
  }
  EXPECT_TRUE(compile(network({50, 5}, 1), o, {}).hidden_factors.empty());
}

TEST(Compile, ADeclaredNormMakesRingsNarrower) {
  CompileOptions o;
  o.input_range = 32;
  const auto bits = [&] { return compile(network({5000, 20, 5}, 1), o, {}).program.input().ring.bits; };
  const unsigned without = bits();
  o.input_norm = 100;
  EXPECT_LT(bits(), without);
  const Program p = compile(network({5000, 20, 5}, 1), o, {}).program;
  EXPECT_THROW(quantise(p, std::vector<double>(5000, 10.0), "x"), Error);
  EXPECT_NO_THROW(quantise(p, std::vector<double>(5000, 1.0), "x"));
}

TEST(Compile, ADeclaredRootMeanSquareIsAHintThatRefusesNothing) {
  CompileOptions o;
  o.input_range = 32;
  o.reveal = Reveal::logits;
  const Program usual = compile(network({600, 20, 5}, 1), o, {}).program;
  const Program hinted = compile(network({600, 20, 5}, 1), o, {{"smpc.input-rms", "0.25"}}).program;
  EXPECT_LT(hinted.input().ring.bits, usual.input().ring.bits);
  EXPECT_NO_THROW(quantise(hinted, std::vector<double>(600, 32.0), "x"));
  o.input_rms = 2;  // the option wins; a sixteenth of the range is the default
  EXPECT_EQ(compile(network({600, 20, 5}, 1), o, {{"smpc.input-rms", "0.25"}}).program, usual);
  refusal(network({600, 20, 5}, 1), {}, {{"smpc.input-rms", "none"}});
}

// On a grid of 10 x 6 x 10: a quarter of the elements inside.
CompileOptions masked_options() {
  CompileOptions o;
  o.reveal = Reveal::logits;
  o.input_range = 4;
  Grid grid;
  grid.shape = {10, 6, 10};
  grid.affine = {1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1};
  o.grid = grid;
  o.input_mask = InputMask{Bytes(75, std::byte{0x41}), 600};
  return o;
}

TEST(Compile, WhatIsOutsideAMaskVanishesAndTheResultStays) {
  const CompileOptions o = masked_options();
  const Network n = network({600, 20, 10, 5}, 3);
  const Compiled c = compile(n, o, {});
  EXPECT_EQ(c.program.input().count, 150U);
  EXPECT_EQ(c.program.whole_input(), 600U);
  EXPECT_EQ(decode_program(encode(c.program)), c.program);
  EXPECT_EQ(to_json(compile_options_from_json(to_json(o))), to_json(o));
  auto x = volume(600, 4, 9);
  EXPECT_THROW(quantise(c.program, x, "x"), Error);
  for (std::size_t i = 0; i < 600; ++i) {
    if (i % 8 != 0 && i % 8 != 6) x[i] = 0;
  }
  const RingVector input = quantise(c.program, x, "x");
  const auto fixed = interpret(c.program, c.weights, input);
  EXPECT_EQ(testing::run_two_party(c.program, c.weights, input, 1).output, fixed.back());
  const auto p = softmax(dequantise(c.program.output(), fixed.back()));
  const auto q = softmax(float_layers(n, x).back());  // the whole model
  for (std::size_t k = 0; k < p.size(); ++k) EXPECT_NEAR(p[k], q[k], 1e-4);
  x[1] = -0.5;
  try {
    quantise(c.program, x, "x");
    ADD_FAILURE();
  } catch (const Error& e) {
    EXPECT_STREQ(e.what(), "x: expected zero outside the model's mask, found 1 value that is not, at voxel (0, 0, 1); "
                           "mask the volume first");
  }
}

TEST(Compile, AMaskThatCoversAllIsNoneAndOneThatDoesNotFitIsRefused) {
  CompileOptions o = masked_options();
  const Network n = network({600, 5}, 3);
  o.input_mask->inside.assign(75, std::byte{0xff});
  CompileOptions none = o;
  none.input_mask.reset();
  EXPECT_EQ(compile(n, o, {}).program, compile(n, none, {}).program);
  o.input_mask->inside.assign(75, std::byte{0});
  EXPECT_NE(refusal(n, o).find("found none"), std::string::npos);
  o.input_mask = InputMask{Bytes(70, std::byte{1}), 560};
  EXPECT_NE(refusal(n, o).find("600"), std::string::npos);
  o = masked_options();
  o.grid.reset();
  refusal(n, o);
}

TEST(Compile, TheSuiteIsTheProgramsAndSurvivesAsJson) {
  CompileOptions o;
  EXPECT_EQ(compile(network({50, 5}, 1), o, {}).program.suite, Suite::cryptflow2);
  o.suite = Suite::masked;
  Program masked = compile(network({50, 20, 5}, 1), o, {}).program;
  EXPECT_EQ(masked.suite, Suite::masked);
  EXPECT_EQ(compile_options_from_json(to_json(o)).suite, Suite::masked);
  // Nothing else differs: both give the same bits.
  masked.suite = Suite::cryptflow2;
  EXPECT_EQ(masked, compile(network({50, 20, 5}, 1), {}, {}).program);
}

TEST(Compile, fault_54_ABoundThatTheRingDoesNotHoldNamesTheLayer) {
  CompileOptions o;
  o.bits = 12;
  EXPECT_NE(refusal(network({50, 20, 5}, 1), o).find("'fc0'"), std::string::npos);
  o.bits.reset();
  o.input_range = 1e12;
  EXPECT_NE(refusal(network({50, 20, 5}, 1), o).find("layer 'fc"), std::string::npos);
}

TEST(Compile, BitsCapsEveryRingAndScaleIsThatOfActivations) {
  CompileOptions o;
  o.input_range = 1;
  const unsigned widest = [&] {
    unsigned w = 0;
    for (const auto& t : compile(network({50, 20, 5}, 1), o, {}).program.tensors) w = std::max(w, t.ring.bits);
    return w;
  }();
  o.bits = widest - 4;
  for (const auto& t : compile(network({50, 20, 5}, 1), o, {}).program.tensors) EXPECT_LE(t.ring.bits, widest - 4);
  o.bits.reset();
  o.scale = 9;
  EXPECT_EQ(compile(network({50, 20, 5}, 1), o, {}).program.tensors[2].scale, 9);
}

TEST(Compile, MetadataLabelsGridAndRange) {
  CompileOptions o;
  std::map<std::string, std::string> m{{"smpc.labels", R"(["a","b","c","d","e"])"},
                                       {"smpc.input-range", "7.5"},
                                       {"smpc.grid", R"({"shape":[5,5,2],"affine":[[1,0,0,0],[0,1,0,0],[0,0,1,0],[0,0,0,1]]})"}};
  const Program p = compile(network({50, 20, 5}, 1), o, m).program;
  EXPECT_EQ(p.labels, (std::vector<std::string>{"a", "b", "c", "d", "e"}));
  EXPECT_EQ(p.inputs[0].high, 7.5);
  ASSERT_TRUE(p.grid);
  EXPECT_EQ(p.grid->shape, (std::array<std::uint32_t, 3>{5, 5, 2}));
  m["smpc.labels"] = R"(["a"])";
  EXPECT_NE(refusal(network({50, 20, 5}, 1), o, m).find("expected 5"), std::string::npos);
  m["smpc.labels"] = "[1,2]";
  refusal(network({50, 20, 5}, 1), o, m);
  m["smpc.labels"] = "[\"M\xfcller\",\"b\",\"c\",\"d\",\"e\"]";  // Latin-1
  EXPECT_NE(refusal(network({50, 20, 5}, 1), o, m).find("in UTF-8"), std::string::npos);
  m.erase("smpc.labels");
  m["smpc.input-range"] = "-3";
  refusal(network({50, 20, 5}, 1), o, m);
  m["smpc.input-range"] = "3";
  m["smpc.grid"] = R"({"shape":[5,5,5],"affine":[[1,0,0,0],[0,1,0,0],[0,0,1,0],[0,0,0,1]]})";
  refusal(network({50, 20, 5}, 1), o, m);
  m["smpc.grid"] = "no";
  refusal(network({50, 20, 5}, 1), o, m);
  // Numbers that are no counts, and a product that is 50 only where it wraps around.
  for (const char* shape : {"[1e300,5,2]", "[-5,-5,2]", "[5.5,5,2]", "[4294967296,5,2]", "[37638770,823,2977518503]"}) {
    m["smpc.grid"] = std::string(R"({"shape":)") + shape + R"(,"affine":[[1,0,0,0],[0,1,0,0],[0,0,1,0],[0,0,0,1]]})";
    EXPECT_NE(refusal(network({50, 20, 5}, 1), o, m).find("grid"), std::string::npos) << shape;
  }
}

TEST(Compile, ARangeThatIsNoneAndLayersOfZerosAreDealtWith) {
  for (const double bad : {-1.0, 0.0, 0x1p62, 1e308, std::numeric_limits<double>::quiet_NaN()}) {
    CompileOptions o;
    o.input_range = bad;
    EXPECT_NE(refusal(network({50, 20, 5}, 1), o, {}).find("range"), std::string::npos) << bad;
  }
  for (const std::size_t zeros : {0U, 1U}) {
    Network n = network({50, 20, 5}, 1);
    std::size_t affine = 0;
    for (Layer& layer : n.layers) {
      auto* a = std::get_if<Affine>(&layer);
      if (a != nullptr && affine++ == zeros) std::fill(a->weights.begin(), a->weights.end(), 0.0F);
    }
    EXPECT_EQ(compile(std::move(n), {}, {}).program.classes(), 5U);
  }
}

TEST(Compile, OptionsThatAreNoNumbersOfTheirKindAreRefused) {
  for (const char* text : {R"({"reveal":"label","scale":1e300})", R"({"reveal":"label","scale":0.5})",
                           R"({"reveal":"label","bits":-1})", R"({"reveal":"label","bits":1e300})",
                           R"({"reveal":"label","input-mask":{"voxels":-1,"inside":"00"}})",
                           R"({"reveal":"label","input-mask":{"voxels":1e300,"inside":"00"}})"}) {
    EXPECT_THROW(compile_options_from_json(text), Error) << text;
  }
}

TEST(Compile, DefaultsForAModelThatSaysNothing) {
  const Program p = compile(network({50, 5}, 1), {}, {}).program;
  EXPECT_EQ(p.inputs[0].high, 128);
  EXPECT_FALSE(p.grid);
  EXPECT_EQ(p.labels[4], "class_4");
  EXPECT_EQ(p.reveal, Reveal::label);
}

TEST(Compile, OptionsSurviveAsJson) {
  CompileOptions o;
  o.scale = 12;
  o.bits = 50;
  o.input_range = 0.1;
  o.input_norm = 3;
  o.input_rms = 0.7;
  o.labels = {"x", "\xc3\xa9"};
  o.grid = default_grid();
  o.reveal = Reveal::logits;
  const CompileOptions back = compile_options_from_json(to_json(o));
  EXPECT_EQ(to_json(back), to_json(o));
  EXPECT_EQ(back.input_range, o.input_range);
  EXPECT_EQ(back.input_rms, o.input_rms);
  EXPECT_EQ(back.grid, o.grid);
  EXPECT_EQ(back.labels, o.labels);
}

TEST(Compile, CompilingTwiceGivesTheSameProgram) {
  const Network n = network({50, 20, 5}, 1);
  EXPECT_EQ(program_hash(compile(n, {}, {}).program), program_hash(compile(n, {}, {}).program));
}

}  // namespace
}  // namespace smpc
