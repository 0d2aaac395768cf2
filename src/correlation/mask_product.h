// M b for the b of several bundles of one linear map. A dense M is made block by block, and b expanded with it: both pass
// the cache once, and neither is ever there as a whole.
#pragma once

#include <algorithm>
#include <vector>

#include "expand.h"
#include "smpc/correlation/plan.h"
#include "smpc/crypto/prg.h"
#include "smpc/ring/conv.h"
#include "smpc/ring/kernels.h"

namespace smpc {

// `b`: the stream of every bundle's b (expand_linear_client), at its beginning. fill(first_row, rows, first_col, cols,
// out) writes a block of M, row by row. Returns `outputs` sums a bundle, of which the ring's bits count.
// Of a convolution, whose matrix is small, matrix and b are there as a whole.
template <class Fill>
RingVector product_with_masks(const LinearDemand& d, std::vector<Prg> b, Fill fill) {
  if (d.conv) {
    RingVector matrix(d.rows() * d.columns());
    for (std::size_t r = 0; r < d.rows(); ++r) {
      fill(r, std::size_t{1}, std::size_t{0}, d.columns(), std::span(matrix).subspan(r * d.columns(), d.columns()));
    }
    RingVector y(d.outputs * b.size());
    RingVector x(d.inputs);
    for (std::size_t v = 0; v < b.size(); ++v) {
      b[v].fill(std::span<std::uint64_t>(x));
      reduce_all(drawn_from(d.ring), x);
      accumulate_conv(*d.conv, std::span<const std::uint64_t>(matrix), x, std::span(y).subspan(v * d.outputs, d.outputs),
                      d.ring);
    }
    return y;
  }
  ProductSum sum(d.outputs, b.size(), d.ring);
  const std::size_t widest = std::min(d.inputs, ProductSum::block_cols);
  RingVector vectors(b.size() * widest);
  RingVector block(std::min(d.outputs, ProductSum::block_rows) * widest);
  for (std::size_t c = 0; c < d.inputs; c += widest) {
    const std::size_t cols = std::min(widest, d.inputs - c);
    for (std::size_t v = 0; v < b.size(); ++v) {
      const auto part = std::span(vectors).subspan(v * widest, cols);
      b[v].fill(part);
      reduce_all(drawn_from(d.ring), part);
    }
    for (std::size_t r = 0; r < d.outputs; r += ProductSum::block_rows) {
      const std::size_t rows = std::min(ProductSum::block_rows, d.outputs - r);
      fill(r, rows, c, cols, std::span(block).first(rows * cols));
      sum.add(r, MatrixBlock<std::uint64_t>{block.data(), rows, cols, cols}, {vectors.data(), widest});
    }
  }
  RingVector y(d.outputs * b.size());
  sum.add_to(y);
  return y;
}

}  // namespace smpc
