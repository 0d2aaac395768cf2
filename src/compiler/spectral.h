// A sound upper bound of a matrix's largest singular value.
#pragma once

#include <cstddef>
#include <span>

#include "smpc/program/weights.h"

namespace smpc {

// At least sigma(W D) where D is diagonal with powers of two, 2^exponent: W is `rows` x `columns`, row by row, and
// D's exponents are `scaling` (one for each column; columns that are all zero are passed over). Rounding is accounted
// for: the result is an upper bound in exact arithmetic.
//
// The smaller Gram matrix G = W W^T or W^T W, then lambda_max(G)^(2^p) <= ||G^(2^p)||_F. A matrix whose Gram matrix
// would take too long gets its Frobenius norm instead.
double spectral_norm_bound(const WeightMatrix& matrix, std::size_t rows, std::size_t columns,
                           std::span<const int> scaling);

}  // namespace smpc
