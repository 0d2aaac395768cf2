#include "smpc/protocol/shift.h"

#include "cryptflow2_shift.h"
#include "masked_shift.h"

namespace smpc {

ShiftKnown declare_shift(const ShiftPlan& plan, std::size_t volumes, Known in, unsigned first_slot, HalfList& halves) {
  return plan.suite == Suite::masked ? declare_masked_shift(plan, volumes, in, first_slot, halves)
                                     : declare_cryptflow2_shift(plan, volumes, in, first_slot, halves);
}

std::unique_ptr<ShiftOp> shift_op(const ShiftPlan& plan, PartyOp& input, CorrelationSource& source) {
  return plan.suite == Suite::masked ? masked_shift_op(plan, input, source) : cryptflow2_shift_op(plan, input, source);
}

}  // namespace smpc
