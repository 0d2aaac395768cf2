// How models end: what is taken off, what the results are called, and of what a label is taken. Right values by ONNX's formulas, in
// double.
#include <cmath>

#include "model/model_builder.h"
#include "smpc/compiler/compile.h"
#include "smpc/compiler/operators.h"
#include "support/two_party.h"

namespace smpc::test {
namespace {

const Doubles sample{0.5, -1, 0.75, 0.25};
// z = x W + b, the largest last.
const std::vector<float> matrix{0.5F, -0.25F, 1, 0.75F, 0.5F, -0.5F, 0.25F, 1, 0.5F, -1, 0.25F, 0.75F};
const std::vector<float> offset{0.125F, -0.5F, 0.25F};

Doubles logits_of(const Doubles& x) {
  Doubles z(offset.begin(), offset.end());
  for (std::size_t o = 0; o < 3; ++o) {
    for (std::size_t i = 0; i < 4; ++i) z[o] += x[i] * static_cast<double>(matrix[3 * i + o]);
  }
  return z;
}

Doubles softmax_of(Doubles z) {
  double sum = 0;
  for (double& v : z) sum += v = std::exp(v);
  for (double& v : z) v /= sum;
  return z;
}

// A model up to the scores z, as a chain or, by two sign changes in front, as a graph.
struct Start {
  explicit Start(bool chain, int opset = 13) : b(opset) {
    b.input("x", {1, 4}).weights("w", {4, 3}, matrix).weights("c", {3}, offset);
    if (!chain) {
      b.node("Neg", {"x"}, {"n"});
      b.node("Neg", {"n"}, {"m"});
    }
    b.node("Gemm", {chain ? "x" : "m", "w", "c"}, {"z"});
  }
  // Ops in a row, from z on; the last gives y.
  ModelBuilder ending(const std::vector<std::string>& ops) {
    std::string last = "z";
    for (std::size_t i = 0; i < ops.size(); ++i) {
      const std::string out = i + 1 == ops.size() ? "y" : "t" + std::to_string(i);
      add(ops[i], last, out);
      last = out;
    }
    b.output("y", {1, 3});
    b.model.outputs.back().has_shape = false;
    if (ops.back().starts_with("ArgMax")) b.model.outputs.back().type = ElementType::i64;
    return std::move(b);
  }
  void add(const std::string& op, const std::string& in, const std::string& out) {
    const auto constant = [&](const std::string& name, const std::vector<std::int64_t>& v) {
      b.ints(name, v);
      return name;
    };
    if (op == "Reshape") {
      b.node("Reshape", {in, constant("shape", {3, -1})}, {out});
    } else if (op == "Rows") {
      b.node("Reshape", {in, constant("rows", {1, -1})}, {out});
    } else if (op == "Squeeze") {
      b.node("Squeeze", {in, constant("first", {0})}, {out});
    } else if (op == "Unsqueeze") {
      b.node("Unsqueeze", {in, constant("last", {-1})}, {out});
    } else if (op.starts_with("Cast ")) {
      with(b.node("Cast", {in}, {out}), "to", std::stoi(op.substr(5)));
    } else if (op.starts_with("Clip ")) {
      const auto colon = op.find(':');
      b.constant<float>("low" + out, {}, {std::stof(op.substr(5))}).constant<float>("high" + out, {}, {std::stof(op.substr(colon + 1))});
      b.node("Clip", {in, "low" + out, "high" + out}, {out});
    } else if (op == "Mul") {
      b.constant<float>("three", {}, {3});
      b.node("Mul", {in, "three"}, {out});
    } else if (op.starts_with("ArgMax")) {
      with(with(b.node("ArgMax", {in}, {out}), "axis", op.find("batch") == op.npos ? 1 : 0), "keepdims", op.find("flat") == op.npos ? 1 : 0);
      if (op.find("last") != op.npos) with(b.model.nodes.back(), "select_last_index", 1);
    } else {
      b.node(op, {in}, {out});
    }
  }
  ModelBuilder b;
};

CompileOptions revealing(Reveal reveal, std::vector<std::string> labels = {}) {
  CompileOptions o;
  o.reveal = reveal;
  o.suite = Suite::masked;
  o.input_range = 2;
  o.labels = std::move(labels);
  return o;
}

const std::vector<std::string> names{"a", "b", "c"};

Program compiled(Network network, const CompileOptions& options) { return compile(std::move(network), options, {}).program; }

// What a client receives for a sample, from fixed point.
Doubles opened(const Network& network, const CompileOptions& options, const Doubles& x = sample) {
  const Compiled c = compile(Network(network), options, {});
  const RingVector last = interpret(c.program, c.weights, quantise(c.program, x, "x")).back();
  if (options.reveal == Reveal::label) return {static_cast<double>(last.front())};  // an index has no sign
  return dequantise(c.program.output(), last);
}

std::string refusal(const std::function<void()>& act) {
  try {
    act();
  } catch (const Error& e) {
    EXPECT_EQ(e.kind(), ErrorKind::bad_input);
    return e.what();
  }
  ADD_FAILURE() << "nothing was refused";
  return {};
}

void expect_near(const Doubles& found, const Doubles& right, double error) {
  ASSERT_EQ(found.size(), right.size());
  for (std::size_t i = 0; i < found.size(); ++i) EXPECT_NEAR(found[i], right[i], error) << i;
}

const std::vector<std::vector<std::string>> harmless = {
    {}, {"Identity"}, {"Cast 1"}, {"Cast 11"}, {"Dropout"}, {"Flatten"}, {"Rows"}, {"Reshape"}, {"Squeeze"}, {"Unsqueeze"},
    {"Cast 11", "Squeeze", "Unsqueeze", "Identity"}};

TEST(Ending, WhatChangesNothingIsTakenOffWithTheSoftmaxBeforeIt) {
  auto endings = harmless;
  endings.push_back({"Clip 0:1"});
  endings.push_back({"Clip -0.5:2", "Dropout"});
  for (const bool chain : {true, false}) {
    for (const std::string op : {"Softmax", "LogSoftmax"}) {
      for (auto ending : endings) {
        const bool clips = !ending.empty() && ending.front().starts_with("Clip");
        if (op == "LogSoftmax" && clips) continue;  // its results are below 0
        ending.insert(ending.begin(), op);
        SCOPED_TRACE(::testing::PrintToString(ending) + (chain ? ", chain" : ", graph"));
        const Network n = Start(chain).ending(ending).build();
        EXPECT_EQ(n.graph.nodes.empty(), chain);
        EXPECT_EQ(n.tail, op == "Softmax" ? Tail::softmax : Tail::log_softmax);
        EXPECT_EQ(n.scores, Scores::logits);
        expect_near(evaluate(n, sample), logits_of(sample), 1e-12);
        const Program p = compiled(Network(n), revealing(Reveal::logits));
        EXPECT_EQ(p.results, Results::logits);
        EXPECT_EQ(p.classes(), 3U);
        expect_near(opened(n, revealing(Reveal::logits)), logits_of(sample), 1e-3);
      }
    }
  }
}

TEST(Ending, AClipThatGuardsALogarithmLeavesProbabilitiesThatAreComputed) {
  const Network n = Start(true).ending({"Softmax", "Clip 1e-7:0.9999999"}).build();
  EXPECT_EQ(n.tail, Tail::none);
  expect_near(evaluate(n, sample), softmax_of(logits_of(sample)), 1e-6);
  EXPECT_EQ(compiled(Network(n), revealing(Reveal::logits)).results, Results::probabilities);
  expect_near(opened(n, revealing(Reveal::logits)), softmax_of(logits_of(sample)), 2e-3);
}

TEST(Ending, WhatChangesTheResultsMakesThemValues) {
  for (const bool chain : {true, false}) {
    for (const auto& ending : std::vector<std::vector<std::string>>{
             {"Softmax", "Mul"}, {"Softmax", "Clip 0.25:0.5"}, {"Softmax", "Sigmoid"}, {"Sigmoid"}, {"Relu"}, {"Sigmoid", "Mul"}, {"Tanh", "Cast 1"}}) {
      SCOPED_TRACE(::testing::PrintToString(ending));
      const Network n = Start(chain).ending(ending).build();
      EXPECT_EQ(n.tail, Tail::none);
      EXPECT_EQ(compiled(Network(n), revealing(Reveal::logits, names)).results, Results::values);
    }
  }
  Doubles right = softmax_of(logits_of(sample));
  for (double& p : right) p *= 3;
  expect_near(opened(Start(true).ending({"Softmax", "Mul"}).build(), revealing(Reveal::logits)), right, 5e-3);
}

TEST(Ending, ScoresOfClassesThatTheOwnerNamesAreLogits) {
  for (const bool chain : {true, false}) {
    for (const auto& ending : std::vector<std::vector<std::string>>{{"Identity"}, {"Mul"}, {"Flatten"}, {"ArgMax"}}) {
      SCOPED_TRACE(::testing::PrintToString(ending));
      const Network n = Start(chain).ending(ending).build();
      EXPECT_EQ(compiled(Network(n), revealing(Reveal::logits, names)).results, Results::logits);
      EXPECT_EQ(compiled(Network(n), revealing(Reveal::logits)).results, Results::values) << "they may be anything";
      EXPECT_EQ(compile(Network(n), revealing(Reveal::logits), {{"smpc.labels", R"(["a", "b", "c"])"}}).program.results, Results::logits);
    }
  }
  ModelBuilder averaged;  // what a ReLU leaves of the last layer
  averaged.input("x", {1, 2, 2, 2}).output("y", {1, 3}).weights("w", {3, 2, 1, 1}, {1, 2, 3, 4, 5, 6});
  averaged.node("Conv", {"x", "w"}, {"c"});
  averaged.node("Relu", {"c"}, {"r"});
  averaged.node("GlobalAveragePool", {"r"}, {"m"});
  averaged.node("Flatten", {"m"}, {"y"});
  EXPECT_EQ(compiled(averaged.build(), revealing(Reveal::logits, names)).results, Results::logits);
  ModelBuilder one;
  one.input("x", {1, 4}).output("y", {1, 1}).weights("w", {4, 1}, {1, 2, 3, 4});
  one.node("MatMul", {"x", "w"}, {"y"});
  EXPECT_EQ(compiled(one.build(), revealing(Reveal::logits, {"a"})).results, Results::values) << "one class is none";
  ModelBuilder two = Start(false).ending({"Identity"});
  two.node("Neg", {"y"}, {"z2"});
  two.output("z2", {1, 3});
  EXPECT_EQ(compiled(two.build(), revealing(Reveal::logits)).results, Results::values) << "several outputs";
}

// x: [1, 2, 1, 2]. Before opset 13 the axes from `axis` on are one row.
TEST(Ending, ASoftmaxOfFourDimensionsIsTakenOffWhereItsRowIsAllOfThem) {
  const Doubles x{0.5, -1, 0.25, 1.5};
  for (const int opset : {11, 13}) {
    for (const int axis : {1, 3}) {
      ModelBuilder b(opset);
      b.input("x", {1, 2, 1, 2}).output("y", {1, 2, 1, 2}).weights("w", {2, 2, 1, 1}, {1, 0, 0, 1});
      b.node("Conv", {"x", "w"}, {"z"});
      with(b.node("Softmax", {"z"}, {"y"}), "axis", axis);
      const Network n = b.build();
      const bool all = opset == 11 && axis == 1;
      SCOPED_TRACE(std::to_string(opset) + ", axis " + std::to_string(axis));
      EXPECT_EQ(n.tail, all ? Tail::softmax : Tail::none);
      EXPECT_EQ(compiled(Network(n), revealing(Reveal::logits)).results, all ? Results::logits : Results::probabilities);
      Doubles right = x;
      if (!all) {
        for (const auto& row : axis == 3 ? std::vector<std::vector<std::size_t>>{{0, 1}, {2, 3}} : std::vector<std::vector<std::size_t>>{{0, 2}, {1, 3}}) {
          const Doubles p = softmax_of({x[row[0]], x[row[1]]});
          for (std::size_t k = 0; k < 2; ++k) right[row[k]] = p[k];
        }
      }
      expect_near(opened(n, revealing(Reveal::logits), x), right, 2e-3);
    }
  }
}

TEST(Ending, RowsOfProbabilitiesThatAreFlattenedAreValues) {
  for (const bool flat : {false, true}) {
    ModelBuilder b;
    b.input("x", {1, 2, 3}).output("y", flat ? Shape{1, 6} : Shape{1, 2, 3});
    b.node("Softmax", {"x"}, {flat ? "p" : "y"});
    if (flat) b.node("Flatten", {"p"}, {"y"});
    EXPECT_EQ(compiled(b.build(), revealing(Reveal::logits)).results, flat ? Results::values : Results::probabilities);
  }
}

TEST(Ending, ALogSoftmaxElsewhereIsRefusedForItsTrueReason) {
  ModelBuilder b = Start(true).ending({"LogSoftmax", "Mul"});
  EXPECT_TRUE(has(b.error(), {"(LogSoftmax)", "at the model's end", "not at the end", "logarithm", "use Softmax"}));
  Start(true).ending({"Softmax", "Mul"}).build();  // the remedy
  ModelBuilder image(11);
  image.input("x", {1, 2, 1, 2}).output("y", {1, 2, 1, 2}).weights("w", {2, 2, 1, 1}, {1, 0, 0, 1});
  image.node("Conv", {"x", "w"}, {"z"});
  image.node("LogSoftmax", {"z"}, {"y"});
  EXPECT_TRUE(has(image.error(), {"output 'y'", "one row of classes", "[1, 2, 1, 2]", "end the model with Softmax"}));
}

TEST(Ending, TheLabelIsThatOfTheArgMaxWhateverShapeAndTypeItsIndexHas) {
  Doubles z = logits_of(sample);
  ASSERT_EQ(std::max_element(z.begin(), z.end()) - z.begin(), 2);
  auto endings = harmless;
  endings.erase(std::find(endings.begin(), endings.end(), std::vector<std::string>{"Reshape"}));  // three values of one
  for (const char* type : {"Cast 6", "Cast 7", "Cast 12", "Cast 13"}) endings.push_back({type});
  for (const bool chain : {true, false}) {
    for (const std::string below : {"", "Softmax", "LogSoftmax"}) {
      for (const std::string op : {"ArgMax", "ArgMax flat"}) {
        for (auto ending : endings) {
          if (op == "ArgMax flat" && !ending.empty() && ending.front() == "Flatten") continue;
          ending.insert(ending.begin(), op);
          if (!below.empty()) ending.insert(ending.begin(), below);
          SCOPED_TRACE(::testing::PrintToString(ending) + (chain ? ", chain" : ", graph"));
          ModelBuilder b = Start(chain).ending(ending);
          b.model.outputs.front().type = ElementType::i64;
          const Network n = b.build();
          EXPECT_EQ(n.tail, Tail::argmax);
          EXPECT_EQ(n.scores, below.empty() ? Scores::linear : Scores::logits);
          expect_near(evaluate(n, sample), z, 1e-12);  // no Softmax is computed
          const Program p = compiled(Network(n), revealing(Reveal::label, names));
          EXPECT_EQ(p.labels, names);
          EXPECT_EQ(opened(n, revealing(Reveal::label)), Doubles{2});
        }
      }
    }
  }
}

TEST(Ending, AnArgMaxOfSomethingElseIsNoLabel) {
  for (const std::string op : {"ArgMax last", "ArgMax batch"}) {
    const auto model = [&] { return Start(false).ending({op, "Cast 1"}).build(); };
    EXPECT_TRUE(has(refusal([&] { compiled(model(), revealing(Reveal::label)); }), {"ArgMax", "select_last_index", "--reveal logits"})) << op;
    // The remedy. Along the batch of one sample every index is 0.
    EXPECT_EQ(opened(model(), revealing(Reveal::logits)), op == "ArgMax last" ? Doubles{2} : Doubles(3)) << op;
    const Program p = compiled(model(), revealing(Reveal::logits));
    EXPECT_EQ(p.results, Results::values);
    EXPECT_TRUE(p.labels.empty());
  }
}

TEST(Ending, OfEqualClassesSelectLastIndexTakesTheLast) {
  ModelBuilder b;
  b.input("x", {1, 4}).output("y", {1, 1}, ElementType::i64).weights("w", {4, 3}, {1, 1, 0, 1, 1, 0, 1, 1, 0, 1, 1, 0});
  b.node("MatMul", {"x", "w"}, {"z"});
  with(with(b.node("ArgMax", {"z"}, {"y"}), "axis", 1), "select_last_index", 1);
  EXPECT_EQ(opened(b.build(), revealing(Reveal::logits), {1, 0.5, 0.25, 0.125}), Doubles{1});
}

TEST(Ending, TheIndexBesideTheValuesThatItIsOfIsTheLabel) {
  for (const bool of_softmax : {false, true}) {
    for (const bool first : {false, true}) {
      const auto model = [&](int select_last) {
        Start s(true);
        s.b.node("Softmax", {"z"}, {"p"});
        with(with(with(s.b.node("ArgMax", {of_softmax ? "p" : "z"}, {"i"}), "axis", -1), "keepdims", 0), "select_last_index", select_last);
        with(s.b.node("Cast", {"i"}, {"label"}), "to", 6);
        if (first) s.b.output("label", {1}, ElementType::i64);
        s.b.output("p", {1, 3});
        if (!first) s.b.output("label", {1}, ElementType::i64);
        return std::move(s.b);
      };
      const Network n = model(0).build();
      EXPECT_EQ(n.tail, Tail::softmax);
      ASSERT_EQ(n.outputs.size(), 1U);
      EXPECT_EQ(n.outputs.front().name, "p");
      EXPECT_EQ(compiled(Network(n), revealing(Reveal::logits)).results, Results::logits);
      expect_near(opened(n, revealing(Reveal::logits)), logits_of(sample), 1e-3);
      EXPECT_EQ(opened(n, revealing(Reveal::label)), Doubles{2});
      // Another index is not what the label says; and the remedy that is named.
      ModelBuilder last = model(1);
      EXPECT_TRUE(has(last.error(), {"(ArgMax)", "select_last_index", "remove output 'label'"}));
      ModelBuilder without = model(1);
      auto& outputs = without.model.outputs;
      outputs.erase(outputs.begin() + (first ? 0 : 1));
      without.model.nodes.resize(without.model.nodes.size() - 2);
      EXPECT_EQ(without.build().tail, Tail::softmax);
    }
  }
}

TEST(Ending, ALabelOfOneValueIsRefusedWithItsRemedy) {
  for (const bool sigmoid : {false, true}) {
    const auto model = [&] {
      ModelBuilder b;
      b.input("x", {1, 4}).output("y", {1, 1}).weights("w", {4, 1}, {1, 2, 3, 4});
      b.node("MatMul", {"x", "w"}, {sigmoid ? "h" : "y"});
      if (sigmoid) b.node("Sigmoid", {"h"}, {"y"});
      return b.build();
    };
    EXPECT_TRUE(has(refusal([&] { compiled(model(), revealing(Reveal::label)); }),
                    {"expected two classes or more", "found one value", "--reveal logits", "--quota-total N or --no-quota"}));
    // x w = 0.5 - 2 + 2.25 + 1
    expect_near(opened(model(), revealing(Reveal::logits)), {sigmoid ? 1 / (1 + std::exp(-1.75)) : 1.75}, 1e-3);
    EXPECT_EQ(compiled(model(), revealing(Reveal::logits)).results, Results::values);
  }
}

TEST(Ending, EveryNodeOfAnEndingIsSupportedByItself) {
  for (const auto& ending : std::vector<std::vector<std::string>>{{"LogSoftmax", "Cast 11"}, {"Softmax", "Clip 0:1"}, {"ArgMax flat", "Cast 6"}}) {
    for (const NodeCheck& c : check_nodes(std::move(Start(true).ending(ending).model))) EXPECT_TRUE(c.supported) << c.reason;
  }
}

}  // namespace
}  // namespace smpc::test
