#include "smpc/compiler/compile.h"

#include <algorithm>
#include <cmath>
#include <functional>

#include "graph_lower.h"
#include "passes.h"
#include "remedies.h"
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

// Whether any precision fits: the coarsest of one scale, a finer one that a function wants, or the coarsest of mixed ones.
bool graph_fits(CompileState& state) {
  const Precisions precisions(state);
  const GraphFit coarsest = lower_graph(state, precisions.at(precisions.last_of_one_scale));
  if (coarsest.why.empty()) return true;
  constexpr int stride = 4;
  for (int step = 0; step < precisions.last_of_one_scale && !coarsest.too_wide; step += stride) {
    if (lower_graph(state, precisions.at(step)).why.empty()) return true;
  }
  return precisions.is_mixed(precisions.last) && lower_graph(state, precisions.at(precisions.last)).why.empty();
}

// Only what was tried and helps is said.
[[noreturn]] void refuse(CompileState& state, const std::string& why, std::string remedy, const std::function<bool()>& fits) {
  const std::string options = remedies(state, fits);
  if (!remedy.empty() && !options.empty()) remedy += ", or ";
  remedy += options;
  if (remedy.empty()) remedy = "no option helps: scale the weights down";
  fail_input(why + "; " + remedy);
}

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
  GraphFit finest;
  const auto first_that_fits = [&] {
    if (fits(0)) return 0;
    finest = fit;
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
    const GraphFit& said = fit.too_wide ? fit : finest;
    refuse(state, said.why, said.remedy, [&] { return graph_fits(state); });
  }
  if (step != found) fits(found);
  Compiled compiled{std::move(state.program), std::move(state.weights), fit.noise, {}, fit.error, {}};
  if (precisions.is_mixed(found)) compiled.coarsest = coarsest_of(compiled.program);
  return compiled;
}

GraphFit chain_fit(CompileState& state, int target) {
  GraphFit fit;
  try {
    choose_scales(state, std::ldexp(1.0, -target));
  } catch (const Error& e) {  // too large for any scale
    fit.why = e.what();
    return fit;
  }
  if (!biases_fit(state, fit.why, fit.remedy)) return fit;
  quantise_weights(state);
  lower(state, fit.why);
  return fit;
}

Compiled compile_chain(CompileState& state) {
  GraphFit fit;
  for (int bits = finest_target; bits >= coarsest_target; --bits) {
    fit = chain_fit(state, bits);
    if (!fit.why.empty()) continue;
    Compiled compiled{std::move(state.program), std::move(state.weights), state.logit_error, {}, {}, {}};
    if (!state.affines.empty()) compiled.hidden_factors = std::move(state.affines.front().factors);
    return compiled;
  }
  refuse(state, fit.why, fit.remedy, [&] { return chain_fit(state, coarsest_target).why.empty(); });
}

}  // namespace

Compiled compile(Network network, const CompileOptions& options, const std::map<std::string, std::string>& metadata) {
  CompileState state;
  state.network = std::move(network);
  state.options = options;
  declare(state, metadata);
  if (!state.network.graph.nodes.empty()) return compile_graph(state);
  return compile_chain(state);
}

}  // namespace smpc
