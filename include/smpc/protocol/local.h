// Ops that each party does on its shares alone: they add, scale and move values by public numbers, so that the shares of
// the result are the results of the shares. Nothing is sent and nothing consumed. A bias is the server's alone to add.
#pragma once

#include <memory>
#include <vector>

#include "smpc/program/weights.h"
#include "smpc/protocol/op.h"

namespace smpc {

// One volume. `in`: what the op reads, in order; `bias`: a BiasOp's, empty for a party that adds none. Values of the
// clear and shares alike: modulo the ring of the result.
RingVector apply_local(const OpKind& kind, const std::vector<std::span<const std::uint64_t>>& in,
                       std::span<const std::int64_t> bias, const TensorType& out);

// The inputs and `kind` outlive the op, and so does `bias`, which is the server's.
std::unique_ptr<PartyOp> local_op(const OpKind& kind, std::vector<PartyOp*> inputs, std::span<const std::int64_t> bias,
                                  const TensorType& out, std::size_t volumes);

}  // namespace smpc
