// Factors for the outputs of the first affine map, so that its rows need alike many bits.
//
// A factor d > 0 on an output passes through a ReLU, and the next affine map takes it back: W2 relu(W1 x + b1) =
// (W2 D^-1) relu(D W1 x + D b1). In real numbers nothing changes; in fixed point a row of small sums gets finer weights
// in the ring that the row of the largest sums asks for, and a row of large weights fits two bytes a weight.
#pragma once

#include <span>
#include <vector>

#include "smpc/compiler/network.h"

namespace smpc {

struct RowSizes {
  double bound = 0;    // the largest |output| of an input within the range
  double largest = 0;  // |weight|
  double squares = 0;  // sum of the weights'
};

SecretVector<RowSizes> row_sizes(const Affine& a, double input_range);

// Candidates, a factor for each row. All share one limit T, a bit less than a power of two: factor * bound <= T. They
// differ in the limit of factor * largest, which is none, or T over a power of two: the smaller it is, the larger the
// scale of weights of two bytes can be, and the coarser are rows of few large weights. No candidate for a map whose
// weights are all zero.
std::vector<SecretVector<double>> equalising_factors(std::span<const RowSizes> rows);

}  // namespace smpc
