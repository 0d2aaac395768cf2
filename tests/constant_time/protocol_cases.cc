// Each protocol after a linear map, which gives both parties secret shares; then whole inferences.
#include <random>

#include "cases.h"
#include "poisoned_run.h"
#include "smpc/ring/kernels.h"
#include "support/random_graph.h"

namespace smpc::testing {
namespace {

std::mt19937_64 generator(1);

// The map's weights are zero and its bias is what the op shall see: any value of `bits` bits, signed.
void run_op(Suite suite, Reveal reveal, const OpKind& kind, std::size_t count, Ring in, Ring out, unsigned bits) {
  constexpr std::size_t inputs = 3;
  Program p;
  p.suite = suite;
  p.reveal = reveal;
  p.inputs = {{"x", {inputs}, -1, 1}};
  const std::size_t results = std::holds_alternative<ArgMaxOp>(kind) ? 1 : count;
  p.tensors = {{inputs, 0, in}, {count, 0, in}, {results, 0, out}};
  p.ops = {{"linear", LinearOp{inputs, count}}, {"op", kind}};
  LinearWeights w;
  w.matrix = WeightMatrix(WeightMatrix::Narrow(inputs * count));
  for (std::size_t i = 0; i < count; ++i) w.bias.push_back(Ring{bits}.to_signed(generator()));
  RingVector input(inputs);
  for (std::uint64_t& x : input) x = in.reduce(generator());
  run(p, {std::move(w)}, input, 1);
}

void relu_of_every_width(Suite suite) {
  for (unsigned l = 2; l <= 64; ++l) {
    for (const unsigned f : {0U, l / 2, l - 1}) {
      run_op(suite, Reveal::logits, ReluOp{f}, 3, Ring{l}, Ring{f % 2 == 0 ? l : 64}, l);
    }
  }
  // More than a word of values.
  run_op(suite, Reveal::logits, ReluOp{15}, 150, Ring{44}, Ring{44}, 44);
}

void truncation_of_every_width(Suite suite) {
  for (unsigned l = 3; l <= 64; ++l) {
    for (const unsigned f : {0U, l / 2, l - 2}) {
      run_op(suite, Reveal::logits, TruncateOp{f}, 3, Ring{l}, Ring{f % 2 == 0 ? l : 64}, l - 1);
    }
  }
  run_op(suite, Reveal::logits, TruncateOp{15}, 150, Ring{44}, Ring{44}, 43);
}

// A difference needs one bit more than the values.
void arg_max_of_every_count(Suite suite) {
  for (std::size_t n = 2; n <= 9; ++n) {
    for (const unsigned l : {3U, 21U}) run_op(suite, Reveal::label, ArgMaxOp{}, n, Ring{l}, Ring{index_bits(n)}, l - 1);
  }
}

// Matrices that are taken in several blocks, with weights of four bytes.
void large_map(Suite suite) {
  constexpr std::size_t inputs = 2 * ProductSum::block_cols + 3;
  constexpr std::size_t outputs = ProductSum::block_rows + 1;
  Program p;
  p.suite = suite;
  p.reveal = Reveal::logits;
  p.inputs = {{"x", {inputs}, -1, 1}};
  p.tensors = {{inputs, 0, Ring{44}}, {outputs, 0, Ring{44}}, {outputs, 0, Ring{20}}};
  p.ops = {{"linear", LinearOp{inputs, outputs}}, {"relu", ReluOp{15}}};
  WeightMatrix::Wide matrix(inputs * outputs);
  for (std::int32_t& w : matrix) w = static_cast<std::int32_t>(Ring{20}.to_signed(generator()));
  LinearWeights w{WeightMatrix(std::move(matrix)), SecretVector<std::int64_t>(outputs)};
  constexpr std::size_t volumes = 2;
  RingVector input(inputs * volumes);
  for (std::uint64_t& x : input) x = p.input().ring.from_signed(Ring{10}.to_signed(generator()));
  run(p, {std::move(w)}, input, volumes);
}

// Every kind of op, some of them several times, one reading what several others wrote.
void graphs(Suite suite) {
  std::mt19937_64 rng(3);
  std::vector<std::size_t> seen(std::variant_size_v<OpKind>);
  for (std::size_t volumes = 1; volumes <= 8; ++volumes) {
    const RandomModel m = random_graph(rng, suite, 12);
    for (const Op& op : m.program.ops) ++seen[op.kind.index()];
    run(m.program, m.weights, random_input(m, volumes, rng), volumes);
  }
  for (const std::size_t count : seen) SMPC_CHECK(count > 0);
}

// Three linear maps or more with both kinds of shift between them; one volume and several.
void inferences(Suite suite, Reveal reveal) {
  const auto has = [](const Program& p, auto wanted) {
    return std::ranges::any_of(p.ops, [](const Op& op) { return std::holds_alternative<decltype(wanted)>(op.kind); });
  };
  unsigned found = 0;
  for (std::uint64_t seed = 1; found < 3; ++seed) {
    std::mt19937_64 rng(seed);
    const RandomModel m = random_mlp(rng, suite);
    if (m.program.reveal != reveal || !has(m.program, ReluOp{}) || !has(m.program, TruncateOp{})) continue;
    const std::size_t volumes = ++found;
    run(m.program, m.weights, random_input(m, volumes, rng), volumes);
  }
}

}  // namespace

CASE(ReluOfEveryWidthInSuiteCryptflow2) { relu_of_every_width(Suite::cryptflow2); }
CASE(ReluOfEveryWidthInSuiteMasked) { relu_of_every_width(Suite::masked); }
CASE(TruncationOfEveryWidthInSuiteCryptflow2) { truncation_of_every_width(Suite::cryptflow2); }
CASE(TruncationOfEveryWidthInSuiteMasked) { truncation_of_every_width(Suite::masked); }
CASE(ArgMaxOfEveryCountInSuiteCryptflow2) { arg_max_of_every_count(Suite::cryptflow2); }
CASE(ArgMaxOfEveryCountInSuiteMasked) { arg_max_of_every_count(Suite::masked); }
CASE(ALargeMapInSuiteCryptflow2) { large_map(Suite::cryptflow2); }
CASE(ALargeMapInSuiteMasked) { large_map(Suite::masked); }
CASE(GraphsInSuiteCryptflow2) { graphs(Suite::cryptflow2); }
CASE(GraphsInSuiteMasked) { graphs(Suite::masked); }
CASE(InferenceForLabelsInSuiteCryptflow2) { inferences(Suite::cryptflow2, Reveal::label); }
CASE(InferenceForLabelsInSuiteMasked) { inferences(Suite::masked, Reveal::label); }
CASE(InferenceForLogitsInSuiteCryptflow2) { inferences(Suite::cryptflow2, Reveal::logits); }
CASE(InferenceForLogitsInSuiteMasked) { inferences(Suite::masked, Reveal::logits); }

}  // namespace smpc::testing
