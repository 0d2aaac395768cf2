#include "smpc/compiler/compile.h"

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
constexpr int coarsest_scale = 6;

Compiled compile_graph(CompileState& state) {
  std::string why;
  const int finest = state.options.scale.value_or(finest_scale);
  for (int scale = finest; scale >= (state.options.scale ? finest : coarsest_scale); --scale) {
    double error = 0;
    if (!lower_graph(state, scale, error, why)) continue;
    Compiled compiled{std::move(state.program), std::move(state.weights), error, {}, {}};
    compiled.error_bound = error;
    return compiled;
  }
  fail_input(why);
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
