// Ops that each party does on its shares alone: they add, scale and move values by public numbers, so that the shares of
// the result are the results of the shares. Nothing is sent and nothing consumed. A bias and a public offset are the server's
// to add.
#pragma once

#include <memory>
#include <vector>

#include "smpc/program/weights.h"
#include "smpc/protocol/op.h"

namespace smpc {

// What is added: an op's bias, and its public offset. A party that adds neither has none of it.
struct Added {
  bool offset = false;
  std::span<const std::int64_t> bias = {};
};

// One volume. `in`: what the op reads, in order. Values of the clear and shares alike: modulo the ring of the result.
RingVector apply_local(const OpKind& kind, const std::vector<std::span<const std::uint64_t>>& in, const Added& added,
                       const TensorType& out);

// The inputs and `kind` outlive the op, and so does the bias.
std::unique_ptr<PartyOp> local_op(const OpKind& kind, std::vector<PartyOp*> inputs, const Added& added, const TensorType& out,
                                  std::size_t volumes);

}  // namespace smpc
