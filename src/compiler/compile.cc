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

Compiled compile_graph(CompileState& state) {
  std::string why;
  const auto& nodes = state.network.graph.nodes;
  const bool powers = std::any_of(nodes.begin(), nodes.end(), [](const GraphNode& n) {
    return std::holds_alternative<PowerNode>(n.op) || std::holds_alternative<NormalizeNode>(n.op);
  });
  const int finest = state.options.scale.value_or(powers ? finest_scale_of_powers : finest_scale);
  // Scales first, a bit at a time, then weights: what does not fit gets coarser. The finest that fits is looked for in strides
  // and then by halves, since a large network takes seconds each.
  const int coarsest = state.options.scale ? finest : std::min(finest, coarsest_scale);
  const int last = finest - coarsest + finest_weights - coarsest_weights;
  double error = 0;
  const auto fits = [&](int step) {
    const int coarser = std::max(0, step - (finest - coarsest));
    return lower_graph(state, std::max(coarsest, finest - step), finest_weights - coarser, error, why);
  };
  if (!fits(0)) {
    const std::string reason = why;
    constexpr int stride = 4;
    int too_fine = 0;
    int step = 0;
    do {
      if (step == last) fail_input(reason);
      too_fine = step;
      step = std::min(step + stride, last);
    } while (!fits(step));
    bool current = true;  // whether the program is that of `step`
    while (step - too_fine > 1) {
      const int middle = (step + too_fine) / 2;
      current = fits(middle);
      (current ? step : too_fine) = middle;
    }
    if (!current) fits(step);
  }
  Compiled compiled{std::move(state.program), std::move(state.weights), error, {}, {}};
  compiled.error_bound = error;
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
    Compiled compiled{std::move(state.program), std::move(state.weights), state.logit_error, {}, {}};
    if (!state.affines.empty()) compiled.hidden_factors = std::move(state.affines.front().factors);
    return compiled;
  }
  fail_input(why);
}

}  // namespace smpc
