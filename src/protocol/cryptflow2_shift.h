// The ops of smpc/protocol/shift.h in suite cryptflow2: one comparison of the two shares, by OT.
//
// Source: Rathee et al., CrypTFlow2 (CCS 2020), sections 3.1 and 4 (comparison by digits, faithful truncation), with
// the sign and the carry of the truncation taken from one tree; docs/PROTOCOLS.md, section 5, derives it.
// With u_i = x_i mod 2^(l-1), m_i = msb(x_i): carry = [2^(l-1) - 1 - u0 < u1], d = 1 ^ m0 ^ m1 ^ carry,
// c = the same on the low f bits, w = m0 | m1:  y = d ((x0 >> f) + (x1 >> f) + c - 2^(l-f) w).
//
// Consumes: one OT per digit, one AND per inner node, and as needed SharedBit (c), PrivateBits (w), BitProduct (d).
// Levels: choices (client), digits (server), then T AND levels, then one for the product, both parties each.
// Bits for one value, with digits of m bits and strings of k: to the server l - 1 + wrap + A + carry + (1 + l'),
// to the client sum of (2^m - 1) k + wrap + A + carry + (1 + l'); A = inputs of all nodes, wrap = [l' > l - f],
// carry = [f > 0]; the last term for a ReLU alone.
#pragma once

#include "smpc/protocol/shift.h"

namespace smpc {

ShiftKnown declare_cryptflow2_shift(const ShiftPlan& plan, std::size_t volumes, Known in, unsigned first_slot,
                                    HalfList& halves);
std::unique_ptr<ShiftOp> cryptflow2_shift_op(const ShiftPlan& plan, PartyOp& input, CorrelationSource& source);

}  // namespace smpc
