// ReLU with its shift inside, exact truncation, and the sign alone: one comparison each.
//
// Functionality, for x = x0 + x1 mod 2^l, n values:
//   relu      y = max(x, 0) >> f              for every x in [-2^(l-1), 2^(l-1)),  0 <= f <= l - 1
//   truncate  y = floor(x / 2^f)              for x in [-2^(l-2), 2^(l-2)),        0 <= f <= l - 2
//   sign      XOR shares of d = [x >= 0]
// y is shared in Z_{2^l'} for any l'. d of a ReLU is also available (ArgMax selects with it).
//
// Two suites compute them, the plan's: src/protocol/cryptflow2_shift.h and src/protocol/masked_shift.h, which say from
// where they are, what they consume and what they send. Both give the same bits.
#pragma once

#include <memory>

#include "smpc/correlation/plan.h"
#include "smpc/correlation/source.h"
#include "smpc/protocol/op.h"

namespace smpc {

struct ShiftKnown {
  Known sign;    // shares of d
  Known output;  // shares of y
};

// Slots first_slot .. first_slot + shift_slots - 1 are the op's.
constexpr unsigned shift_slots = 16;
ShiftKnown declare_shift(const ShiftPlan& plan, std::size_t volumes, Known in, unsigned first_slot, HalfList& halves);

class ShiftOp : public PartyOp {
 public:
  // XOR share of d; for what = relu or sign.
  virtual BitVector sign() = 0;
};

// `input` gives shares in plan.in; it and `plan` outlive the op. Slots count from 0 here.
std::unique_ptr<ShiftOp> shift_op(const ShiftPlan& plan, PartyOp& input, CorrelationSource& source);

}  // namespace smpc
