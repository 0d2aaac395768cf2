// The index of the largest of `count` values, the lowest index where several are largest; opened to the client alone.
//
// Functionality: for shared x in Z_{2^l}^count whose differences fit the ring, the client learns argmax x; nobody learns
// anything else. A tree of compare-and-select: in each round neighbours (2i, 2i+1) meet, d = [left >= right],
// max = right + ReLU(left - right), and the index bits are selected with d; the new bit is 1 ^ d.
// Source: the usual tournament, e.g. CrypTFlow2 (CCS 2020), section 5 (argmax); ReLU as in shift.h.
//
// Rounds: ceil(log2 count), each with the levels of a ReLU with shift 0; at last the server sends its index bits.
#pragma once

#include <memory>

#include "smpc/correlation/plan.h"
#include "smpc/correlation/source.h"
#include "smpc/protocol/op.h"

namespace smpc {

Known declare_arg_max(const ArgMaxPlan& plan, std::size_t volumes, Known in, HalfList& halves);

// output(): on the client's side one index a volume; on the server's nothing of use.
std::unique_ptr<PartyOp> arg_max_op(const ArgMaxPlan& plan, Ring ring, PartyOp& input,
                                    CorrelationSource& source);

}  // namespace smpc
