#include "smpc/compiler/compile.h"

#include <algorithm>
#include <cmath>

#include "graph_lower.h"
#include "passes.h"
#include "smpc/base/error.h"

namespace smpc {
namespace {

// A source of rounding error may add this much to a logit, standard deviation, on average over the sources: the sum of
// their variances is one budget. Probabilities move by at most a quarter of the difference of two logits' errors; 2^-14
// keeps all classes within 1e-4 with room for inputs that are larger than usual. A model that does not fit gets coarser, a bit
// at a time, down to 2^-9.
constexpr int finest_target = 14;
constexpr int coarsest_target = 9;

// Of a graph: fractional bits of what is multiplied, unless the owner says otherwise.
constexpr int finest_scale = 16;
constexpr int finest_scale_of_powers = 20;  // which are steep near 0
constexpr int coarsest_scale = 6;
constexpr int finest_weights = 15;  // bits of a weight beside its sign: two bytes
constexpr int coarsest_weights = 8;
constexpr int largest_room = 30;  // bits of what is multiplied, where values are too large for one scale
constexpr int smallest_room = 16;

Compiled::Coarsest coarsest_of(const Program& p) {
  Compiled::Coarsest out{"input", p.input().scale};
  for (std::size_t i = 0; i < p.ops.size(); ++i) {
    const bool converts = std::holds_alternative<ReluOp>(p.ops[i].kind) || std::holds_alternative<TruncateOp>(p.ops[i].kind);
    if (converts && p.tensors[i + 1].scale < out.scale) out = {p.ops[i].name, p.tensors[i + 1].scale};
  }
  return out;
}

// A graph's precisions, from the finest on: one scale, a bit coarser at a time, then coarser weights, then, where the owner allows
// it, a scale for each value, by its bound.
class Precisions {
 public:
  explicit Precisions(const CompileState& state) {
    const auto& nodes = state.network.graph.nodes;
    const bool powers = std::any_of(nodes.begin(), nodes.end(), [](const GraphNode& n) {
      return std::holds_alternative<PowerNode>(n.op) || std::holds_alternative<NormalizeNode>(n.op);
    });
    finest_ = state.options.scale.value_or(powers ? finest_scale_of_powers : finest_scale);
    coarsest_ = state.options.scale ? finest_ : std::min(finest_, coarsest_scale);
    last_of_one_scale = finest_ - coarsest_ + finest_weights - coarsest_weights;
    last = last_of_one_scale + (state.options.mixed_scales ? largest_room - smallest_room + 1 : 0);
  }

  GraphPrecision at(int step) const {
    if (is_mixed(step)) return {finest_, finest_weights, largest_room - (step - last_of_one_scale - 1)};
    const int of_weights = std::max(0, step - (finest_ - coarsest_));
    return {std::max(coarsest_, finest_ - step), finest_weights - of_weights, 0};
  }
  bool is_mixed(int step) const noexcept { return step > last_of_one_scale; }

  int last_of_one_scale = 0;
  int last = 0;

 private:
  int finest_ = 0;
  int coarsest_ = 0;
};

// The finest of all that fit, looked for in few steps, since a large network takes seconds each. What overflows at one step does at
// all before it; a function may want a fine scale, so that a step that fits can lie before one that does not.
Compiled compile_graph(CompileState& state) {
  const Precisions precisions(state);
  GraphFit fit;
  int step = -1;
  const auto fits = [&](int next) {
    step = next;
    fit = lower_graph(state, precisions.at(step));
    return fit.why.empty();
  };
  std::string finest_why;
  const auto first_that_fits = [&] {
    if (fits(0)) return 0;
    finest_why = fit.why;
    constexpr int stride = 4;
    const int coarsest = precisions.last_of_one_scale;
    int too_fine = 0;
    int found = coarsest;
    if (coarsest > 0 && !fits(coarsest) && !fit.too_wide) {
      for (found = stride; found < coarsest && !fits(found); found += stride) too_fine = found;
      found = std::min(found, coarsest);
    }
    if (!fit.why.empty()) {
      for (found = coarsest + 1; found <= precisions.last && !fits(found);) ++found;
      return found;
    }
    while (found - too_fine > 1) {
      const int middle = (found + too_fine) / 2;
      (fits(middle) ? found : too_fine) = middle;
    }
    return found;
  };
  const int found = first_that_fits();
  if (found > precisions.last) {
    if (!fit.too_wide) fail_input(finest_why);
    fail_input(fit.why + (state.options.mixed_scales ? "" : ", or --mixed-scales"));
  }
  if (step != found) fits(found);
  Compiled compiled{std::move(state.program), std::move(state.weights), fit.noise, {}, fit.error, {}};
  if (precisions.is_mixed(found)) compiled.coarsest = coarsest_of(compiled.program);
  return compiled;
}

}  // namespace

Compiled compile(Network network, const CompileOptions& options, const std::map<std::string, std::string>& metadata) {
  CompileState state;
  state.network = std::move(network);
  state.options = options;
  declare(state, metadata);
  if (!state.network.graph.nodes.empty()) return compile_graph(state);
  std::string why;
  for (int bits = finest_target; bits >= coarsest_target; --bits) {
    choose_scales(state, std::ldexp(1.0, -bits));
    quantise_weights(state);
    if (!lower(state, why)) continue;
    Compiled compiled{std::move(state.program), std::move(state.weights), state.logit_error, {}, {}, {}};
    if (!state.affines.empty()) compiled.hidden_factors = std::move(state.affines.front().factors);
    return compiled;
  }
  fail_input(why);
}

}  // namespace smpc
