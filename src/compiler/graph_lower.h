// A graph as a program: scales, bounds, rings, ops.
#pragma once

#include "passes.h"

namespace smpc {

// Compiles state.network.graph with `scale` fractional bits for every value that is multiplied, and weights of `weight_bits`
// bits and a sign. False when 64 bits (or
// --bits) do not suffice; `why` then names the op. `error`: no element of the output is further from what the graph
// computes in exact arithmetic, for any input within the declared range.
bool lower_graph(CompileState& state, int scale, int weight_bits, double& error, std::string& why);

}  // namespace smpc
