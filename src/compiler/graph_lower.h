// A graph as a program: scales, bounds, rings, ops.
#pragma once

#include "passes.h"

namespace smpc {

// How finely a graph is computed.
struct GraphPrecision {
  int scale = 0;        // fractional bits of a value that is multiplied
  int weight_bits = 0;  // of a weight, beside its sign
  // 0, or the bits of a value that is multiplied: what can be larger keeps fewer fractional bits, even less than none.
  int room = 0;
};

struct GraphFit {
  std::string why;        // it does not fit, naming the op; empty: it does
  std::string remedy;     // what helps beside options, if anything does
  bool too_wide = false;  // since 64 bits (or --bits) do not suffice: what is finer will not fit either
  double noise = 0;       // estimated root mean square of an output's error, for inputs of the usual size
  // No element of the output is further from what the graph computes in exact arithmetic, for any input within the declared
  // range. None where there is no such limit, and where the graph compares values that are not exact: of two that are close, either
  // may be the larger.
  std::optional<double> error;
};

// Compiles state.network.graph.
GraphFit lower_graph(CompileState& state, const GraphPrecision& precision);

}  // namespace smpc
