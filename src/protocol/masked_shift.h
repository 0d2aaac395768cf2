// The ops of smpc/protocol/shift.h in suite masked: x is opened under a mask that neither party knows.
//
// Source: Escudero et al., Improved Primitives for MPC over Mixed Arithmetic-Binary Circuits (edaBits, CRYPTO 2020),
// section 5; Makri et al., Rabbit (FC 2021), section 4; the product of a public and a masked value as in Patra et al.,
// ABY2.0 (USENIX Security 2021), section 3; docs/PROTOCOLS.md, section 6, derives it.
// X = x + r is opened. With X', r' mod 2^(l-1): borrow = [X' < r'], d = 1 ^ msb X ^ msb r ^ borrow,
// c = [X mod 2^f < r mod 2^f], P = X >> f, R = (r >> f) - (1 - msb X) 2^(l-f) msb r: for x >= 0,
// x >> f = P - R - c. With e = d ^ delta and G = dc ^ gamma open,
// y = d (P - R) - d c = e (P - R) + (1 - 2e)(delta P - delta R) - G - (1 - 2G) gamma.
//
// After a linear map x comes with r added already; elsewhere each party adds its share of r.
// Consumes: one Opening (r, its thermometers, r >> f, msb r, delta and its products), one AND per inner node, one
// SharedBit (gamma) when f > 0. Nothing when a truncation by 0 does not widen the ring.
// Levels: the opening, T AND levels, then one for e and G, both parties each.
// Bits for one value, each way alike: l + A + e + G; A = inputs of all nodes, e = 1 for a ReLU, G = [f > 0]; a sign is
// l + A, and so is a ReLU with f = l - 1, which is 0.
#pragma once

#include "smpc/protocol/shift.h"

namespace smpc {

ShiftKnown declare_masked_shift(const ShiftPlan& plan, std::size_t volumes, Known in, unsigned first_slot,
                                HalfList& halves);
std::unique_ptr<ShiftOp> masked_shift_op(const ShiftPlan& plan, PartyOp& input, CorrelationSource& source);

}  // namespace smpc
