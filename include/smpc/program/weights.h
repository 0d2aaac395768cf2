// The server's quantised weights, as a program's linear ops use them.
#pragma once

#include <cstdint>
#include <vector>

#include "smpc/program/program.h"

namespace smpc {

// W: outputs x inputs, row by row; bias: `outputs` values at the accumulator's scale, with what the following
// truncation needs to round to nearest already added.
struct LinearWeights {
  SecretVector<std::int32_t> matrix;
  SecretVector<std::int64_t> bias;
};

// One for each LinearOp, in order.
using Weights = std::vector<LinearWeights>;

// Refuses (as our own bug) weights whose shapes are not the program's.
void check_weights(const Program& program, const Weights& weights);

}  // namespace smpc
