// y = table[x] for public tables (LookupOp) and an index x shared in Z_{2^m}; y shared in Z_{2^l}.
//
// With r in Z_{2^m} and its one-hot vector h shared, X = x + r is opened; then table[x] = sum over v of h[v] table[X - v],
// indices modulo 2^m, which each party computes on its share of h.
// Source: one-time truth tables, Ishai et al., On the power of correlated randomness in secure computation (TCC 2013), with
// the table's row given as a one-hot vector, so that one vector serves several tables, and the table need not be known before.
// Consumes: one LookupDemand. Levels: 1. Each sends m bits an index.
// Each sees: X, uniform because r is uniform, fresh and known to neither.
#pragma once

#include <memory>

#include "smpc/correlation/plan.h"
#include "smpc/correlation/source.h"
#include "smpc/protocol/op.h"

namespace smpc {

Known declare_lookup(const LookupDemand& d, std::size_t volumes, Known in, HalfList& halves);

// The input's shares are taken modulo 2^m; it and `op` outlive the op.
std::unique_ptr<PartyOp> lookup_op(const LookupDemand& d, std::size_t demand, const LookupOp& op, PartyOp& input,
                                   CorrelationSource& source);

}  // namespace smpc
