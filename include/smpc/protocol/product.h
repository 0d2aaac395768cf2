// y = a b of two shared tensors, as products of matrices or element by element; y shared in Z_{2^l}.
//
// Source: Beaver, Efficient multiparty protocols using circuit randomization (CRYPTO 1991): with u, v and u v shared, open
// d = a - u and e = b - v; a b = d e + d v + u e + u v.
// Consumes: one ProductDemand. Levels: 1. Each sends (elements of a + elements of b) * l bits.
// Each sees: d and e, uniform because u and v are uniform, fresh and known to neither.
#pragma once

#include <memory>

#include "smpc/correlation/plan.h"
#include "smpc/correlation/source.h"
#include "smpc/protocol/op.h"

namespace smpc {

Known declare_product(const ProductDemand& d, std::size_t volumes, Known in, HalfList& halves);

// The inputs' shares are taken modulo 2^l; they outlive the op.
std::unique_ptr<PartyOp> product_op(const ProductDemand& d, std::size_t demand, PartyOp& left, PartyOp& right,
                                    CorrelationSource& source);

}  // namespace smpc
