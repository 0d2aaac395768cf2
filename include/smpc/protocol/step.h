// y = 1 where x >= 0, else 0; y shared in Z_{2^l'}.
//
// The sign d of shift.h, XOR-shared, becomes arithmetic with a SharedBit (beta): e = d ^ beta is opened, and
// d = e + (1 - 2e) beta. Each sees e, uniform because beta is.
// Consumes: what the sign does, and one SharedBitDemand. Levels: those of the sign, and one. Each sends one bit more.
#pragma once

#include <memory>

#include "smpc/correlation/plan.h"
#include "smpc/correlation/source.h"
#include "smpc/protocol/op.h"

namespace smpc {

Known declare_step(const StepPlan& plan, std::size_t volumes, Known in, HalfList& halves);

// `input` gives shares in plan.compare.in; it and `plan` outlive the op.
std::unique_ptr<PartyOp> step_op(const StepPlan& plan, PartyOp& input, CorrelationSource& source);

}  // namespace smpc
