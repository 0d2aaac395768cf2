#include "smpc/program/weights.h"

#include "smpc/base/error.h"

namespace smpc {

void check_weights(const Program& program, const Weights& weights) {
  std::size_t next = 0;
  for (const Op& op : program.ops) {
    const auto* linear = std::get_if<LinearOp>(&op.kind);
    if (linear == nullptr) continue;
    SMPC_CHECK(next < weights.size());
    SMPC_CHECK(weights[next].matrix.size() == linear->inputs * linear->outputs);
    SMPC_CHECK(weights[next].bias.size() == linear->outputs);
    ++next;
  }
  SMPC_CHECK(next == weights.size());
}

}  // namespace smpc
