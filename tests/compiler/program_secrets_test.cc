// What a program, which is public, tells of the weights that it was compiled from.
#include <map>
#include <random>
#include <set>

#include "model/model_builder.h"
#include "smpc/compiler/compile.h"
#include "support/thinned.h"
#include "support/two_party.h"

namespace smpc::test {
namespace {

constexpr std::int64_t inputs = 4;
constexpr std::int64_t width = 5;

std::vector<float> drawn(std::mt19937& rng, std::size_t count, float size) {
  std::uniform_real_distribution<float> one(-size, size);
  std::vector<float> out(count);
  for (float& v : out) v = one(rng);
  return out;
}

struct Weights2 {
  std::vector<float> w1, b1, w2, b2;
};

Weights2 random_weights(std::mt19937& rng) {
  return {drawn(rng, inputs * width, 1), drawn(rng, width, 1), drawn(rng, width * 3, 1), drawn(rng, 3, 1)};
}

// A linear map, a function of its results, and another linear map.
Network network(const std::string& function, const Weights2& w) {
  ModelBuilder b(17);
  b.input("x", {1, inputs}).output("y", {1, 3});
  b.weights("w1", {inputs, width}, w.w1).weights("b1", {width}, w.b1).weights("w2", {width, 3}, w.w2).weights("b2", {3}, w.b2);
  b.node("Gemm", {"x", "w1", "b1"}, {"h"});
  if (function == "Reciprocal") {
    b.weights("one", {1}, {1});
    b.node("Exp", {"h"}, {"e"});
    b.node("Add", {"e", "one"}, {"s"});
    b.node("Reciprocal", {"s"}, {"f"});
  } else if (function == "LayerNormalization") {
    b.weights("s", {width}, std::vector<float>(w.b1));
    b.node(function, {"h", "s", "b1"}, {"f"});
  } else if (function == "BatchNormalization") {
    b.node("Relu", {"h"}, {"r"});
    b.weights("v", {width}, {1, 2, 3, 4, 5});
    b.node(function, {"r", "b1", "b1", "b1", "v"}, {"f"});
  } else {
    Node& n = b.node(function, {"h"}, {"f"});
    if (function == "Elu") with_float(n, "alpha", 2);
  }
  b.node("Gemm", {"f", "w2", "b2"}, {"y"});
  return b.build();
}

const char* const functions[] = {"Relu", "Sigmoid", "Tanh", "Exp", "Softplus", "Elu", "Softmax", "Reciprocal", "LayerNormalization", "BatchNormalization"};

Program program_of(const std::string& function, const Weights2& w) {
  CompileOptions o;
  o.reveal = Reveal::logits;
  o.suite = Suite::masked;
  o.input_range = 1;
  return compile(network(function, w), o, {}).program;
}

// Every number of a program that a weight could reach, by its place.
std::map<std::string, std::vector<std::int64_t>> fields(const Program& p) {
  std::map<std::string, std::vector<std::int64_t>> out;
  const auto put = [&](std::size_t op, const char* what, std::vector<std::int64_t> values) {
    out[std::to_string(op) + " " + std::string(op_name(p.ops[op].kind)) + " " + what] = std::move(values);
  };
  out["ops"] = {static_cast<std::int64_t>(p.ops.size())};
  for (std::size_t i = 0; i < p.ops.size(); ++i) {
    const OpKind& kind = p.ops[i].kind;
    put(i, "scale", {p.tensors[i + 1].scale});
    put(i, "bits", {p.tensors[i + 1].ring.bits});
    if (const auto* relu = std::get_if<ReluOp>(&kind)) put(i, "shift", {relu->shift});
    if (const auto* cut = std::get_if<TruncateOp>(&kind)) put(i, "shift", {cut->shift});
    if (const auto* sum = std::get_if<SumOp>(&kind)) {
      put(i, "factors", sum->factors);
      put(i, "offset", {sum->offset});
    }
    if (const auto* by = std::get_if<ScaleOp>(&kind)) put(i, "factors", by->factors);
    if (const auto* lookup = std::get_if<LookupOp>(&kind)) {
      put(i, "bits of the index", {lookup->bits});
      put(i, "table", lookup->table);
    }
  }
  return out;
}

TEST(ProgramSecrets, ModelsThatDifferByAThousandthInAWeightHaveTheSameProgram) {
  std::mt19937 rng(21);
  for (const std::string function : functions) {
    std::size_t other = 0;
    constexpr int models = 3 / smpc::testing::one_in(3);
    constexpr int changes = 8;
    for (int m = 0; m < models; ++m) {
      const Weights2 w = random_weights(rng);
      const Program before = program_of(function, w);
      std::set<std::string> programs{to_hex(program_hash(before))};
      for (int c = 0; c < changes; ++c) {
        Weights2 changed = w;
        std::vector<float>* const parts[] = {&changed.w1, &changed.b1, &changed.w2, &changed.b2};
        std::vector<float>& part = *parts[c % 4];
        part[rng() % part.size()] *= c % 2 == 0 ? 1.001F : 0.999F;
        const std::string now = to_hex(program_hash(program_of(function, changed)));
        programs.insert(now);
        other += now != to_hex(program_hash(before)) ? 1 : 0;
      }
      EXPECT_LE(programs.size(), 3U) << function;
    }
    EXPECT_LE(other, 3U) << function << ", of " << models * changes;
  }
}

// Of weights that are drawn anew, each uniform in [-1, 1]: what a field can be is told by at most four bits, a table, which follows
// both ends of a range, by five.
TEST(ProgramSecrets, NoFieldTellsMoreThanFourBitsOfRandomWeightsAndNoTableMoreThanFive) {
  std::mt19937 rng(22);
  for (const std::string function : functions) {
    std::map<std::string, std::set<std::vector<std::int64_t>>> seen;
    for (int m = 0; m < 48 / smpc::testing::one_in(4); ++m) {
      for (auto& [name, values] : fields(program_of(function, random_weights(rng)))) seen[name].insert(std::move(values));
    }
    for (const auto& [name, values] : seen) {
      const bool table = name.find("table") != std::string::npos;
      EXPECT_LE(values.size(), table ? 32U : 16U) << function << ": op " << name;
    }
  }
}

}  // namespace
}  // namespace smpc::test
