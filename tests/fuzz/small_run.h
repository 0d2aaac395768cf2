// What one party needs to run a small program, from fixed keys, so that the same input always does the same.
#pragma once

#include <random>

#include "smpc/correlation/dealer.h"
#include "smpc/correlation/masks.h"
#include "smpc/runtime/two_party.h"
#include "support/random_graph.h"

namespace smpc::fuzz {

constexpr std::size_t run_volumes = 2;
constexpr unsigned run_kinds = 8;  // both suites, label and logits, chain and graph

// A model with at least two linear maps, a chain with a comparison, a graph with a product; the same for the same kind.
inline testing::RandomModel small_model(unsigned kind) {
  const Suite suite = kind % 2 == 0 ? Suite::cryptflow2 : Suite::masked;
  const Reveal reveal = kind / 2 % 2 == 0 ? Reveal::label : Reveal::logits;
  for (std::uint64_t seed = 1;; ++seed) {
    std::mt19937_64 rng(seed);
    const bool graph = kind / 4 % 2 == 1;
    testing::RandomModel m = graph ? testing::random_graph(rng, suite, 6) : testing::random_mlp(rng, suite);
    std::size_t elements = 0;
    for (const TensorType& t : m.program.tensors) elements += t.count;
    const bool has_product = std::any_of(m.program.ops.begin(), m.program.ops.end(),
                                         [](const Op& op) { return std::holds_alternative<ProductOp>(op.kind); });
    if (m.program.reveal == reveal && m.weights.size() >= 2 && elements < (graph ? 150 : 50) && graph == has_product) return m;
  }
}

class SmallRun {
 public:
  explicit SmallRun(unsigned kind)
      : mlp_(small_model(kind)),
        plan_(correlation_plan(mlp_.program)),
        schedule_(make_schedule(mlp_.program, plan_, run_volumes)) {
    const Key mask;
    Bytes masked;
    write_masked_weights(plan_, mlp_.weights, mask,
                         [&](ByteView row) { masked.insert(masked.end(), row.begin(), row.end()); });
    std::vector<BundleSeeds> seeds(run_volumes);
    for (SecretBytes& c : make_corrections(plan_, mask, seeds)) material_.push_back({Key{}, std::move(c)});
    finish_corrections(plan_, masked, material_);
  }

  const Program& program() const { return mlp_.program; }
  const Schedule& schedule() const { return schedule_; }

  std::unique_ptr<CorrelationSource> source(Party party) const {
    if (party == Party::server) return server_source(plan_, std::vector<Key>(run_volumes));
    return client_source(plan_, material_);
  }
  PartyRun run(Party party, CorrelationSource& source) const {
    if (party == Party::server) return PartyRun::server(program(), plan_, schedule_, source, mlp_.weights);
    std::mt19937_64 rng(1);
    return PartyRun::client(program(), plan_, schedule_, source, testing::random_input(mlp_, run_volumes, rng));
  }

 private:
  testing::RandomModel mlp_;
  Plan plan_;
  Schedule schedule_;
  std::vector<ClientMaterial> material_;
};

inline const SmallRun& small_run(unsigned kind) {
  static const SmallRun all[run_kinds] = {SmallRun(0), SmallRun(1), SmallRun(2), SmallRun(3),
                                          SmallRun(4), SmallRun(5), SmallRun(6), SmallRun(7)};
  return all[kind % run_kinds];
}

}  // namespace smpc::fuzz
