// ReLU with its shift inside, exact truncation, and the sign alone: one comparison each.
//
// Functionality, for x = x0 + x1 mod 2^l, n values:
//   relu      y = max(x, 0) >> f              for every x in [-2^(l-1), 2^(l-1)),  0 <= f <= l - 1
//   truncate  y = floor(x / 2^f)              for x in [-2^(l-2), 2^(l-2)),        0 <= f <= l - 2
//   sign      XOR shares of d = [x >= 0]
// y is shared in Z_{2^l'} for any l'. d of a ReLU is also available (ArgMax selects with it).
//
// Source: Rathee et al., CrypTFlow2 (CCS 2020), sections 3.1 and 4 (comparison by digits, faithful truncation), with the
// sign and the carry of the truncation taken from one tree; docs/PROTOCOLS.md derives it.
// With u_i = x_i mod 2^(l-1), m_i = msb(x_i): carry = [2^(l-1) - 1 - u0 < u1], d = 1 ^ m0 ^ m1 ^ carry,
// c = the same on the low f bits, w = m0 | m1:  y = d ((x0 >> f) + (x1 >> f) + c - 2^(l-f) w).
//
// Consumes: one OT per digit, one AND per inner node, and as needed SharedBit (c), PrivateBits (w), BitProduct (d).
// Levels: choices (client), digits (server), then T AND levels, then one for the product, both parties each.
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
