#include "smpc/compiler/compile.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <functional>

#include "bounds.h"
#include "graph_lower.h"
#include "passes.h"
#include "remedies.h"
#include "smpc/base/error.h"

namespace smpc {
namespace {

// A source of rounding error may add this much to a logit, standard deviation, on average over the sources: the sum of
// their variances is one budget, that of most_sources at most (promised_logit_error). A model that does not fit gets coarser, a
// bit at a time, down to 2^-9, where its owner asks for a scale or a width.
constexpr int finest_target = 14;
constexpr int coarsest_target = 9;
constexpr int usual_scale = 16;         // what --scale is tried at

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
  const bool mixed = precisions.is_mixed(precisions.last);
  if (mixed && lower_graph(state, precisions.at(precisions.last)).why.empty()) return true;
  const GraphFit coarsest = lower_graph(state, precisions.at(precisions.last_of_one_scale));
  if (coarsest.why.empty()) return true;
  constexpr int stride = 4;
  for (int step = 0; step < precisions.last_of_one_scale && !coarsest.too_wide; step += stride) {
    if (lower_graph(state, precisions.at(step)).why.empty()) return true;
  }
  return false;
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

std::string coarse_words(double error) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1e", error);
  return std::string("the model: expected weights that some scale keeps close enough for probabilities within 1e-4, found that rounding moves "
                     "a logit by about ") +
         text;
}

// At one target for each source of rounding error. Coarser than what is promised only where the owner asks for a scale or a width.
struct ChainFit {
  GraphFit fit;
  bool coarse = false;
};

ChainFit chain_fit_at(CompileState& state, int target) {
  ChainFit out;
  GraphFit& fit = out.fit;
  try {
    choose_scales(state, std::ldexp(1.0, -target));
  } catch (const Error& e) {  // too large for any scale
    fit.why = e.what();
    return out;
  }
  out.coarse = !state.options.scale && !state.options.bits && state.logit_error > promised_logit_error * slack;
  if (!biases_fit(state, fit.why, fit.remedy)) return out;
  quantise_weights(state);
  if (lower(state, fit.why) && out.coarse) fit.why = coarse_words(state.logit_error);
  return out;
}

// The finest that fits. A coarser target that breaks the promise is not gone on to: then what the finer one lacks is said.
ChainFit chain_fit(CompileState& state) {
  ChainFit found;
  for (int bits = finest_target; bits >= coarsest_target; --bits) {
    ChainFit next = chain_fit_at(state, bits);
    if (next.coarse && bits < finest_target) break;
    found = std::move(next);
    if (found.fit.why.empty() || found.coarse) break;
  }
  return found;
}

// A scale that is given says that a coarser result is wanted; it is no remedy for one that is too coarse.
[[noreturn]] void refuse_chain(CompileState& state, const ChainFit& found) {
  const std::optional<int> given = state.options.scale;
  std::string remedy = found.fit.remedy;
  if (found.coarse) {
    state.options.scale = usual_scale;
    if (chain_fit(state).fit.why.empty()) remedy = "take it as it is by --scale " + std::to_string(usual_scale);
    state.options.scale = given;
  }
  refuse(state, found.fit.why, remedy, [&] { return (!found.coarse || state.options.scale == given) && chain_fit(state).fit.why.empty(); });
}

Compiled compile_chain(CompileState& state) {
  const ChainFit found = chain_fit(state);
  if (!found.fit.why.empty()) refuse_chain(state, found);
  Compiled compiled{std::move(state.program), std::move(state.weights), state.logit_error, {}, {}, {}};
  if (!state.affines.empty()) compiled.hidden_factors = std::move(state.affines.front().factors);
  return compiled;
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
