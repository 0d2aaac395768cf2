// Products of matrices and vectors over a ring, the inner loops of every linear map. The widest vector instructions that
// the processor has are chosen at run time (Highway; the 52-bit multiplication of AVX-512 where the ring allows it);
// every choice computes the same bits. No branch or address depends on a value.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "smpc/ring/ring.h"

namespace smpc {

// Some rows and columns of a matrix: element (r, c) at data[r * stride + c].
template <class T>
struct MatrixBlock {
  const T* data = nullptr;
  std::size_t rows = 0;
  std::size_t cols = 0;
  std::size_t stride = 0;
};

// The same columns of some vectors: element c of vector v at data[v * stride + c].
struct VectorBlock {
  const std::uint64_t* data = nullptr;
  std::size_t stride = 0;
};

// y[v][r] = sum_c m[r][c] x[v][c] in a ring, for `rows` rows and `vectors` vectors, taken in block by block: a matrix
// that has to be made or unpacked first passes through the cache once, for all vectors.
class ProductSum {
 public:
  ProductSum(std::size_t rows, std::size_t vectors, Ring ring);

  // Adds the products of a block, whose row 0 is row `first_row` of the sum. T: std::int16_t, std::int32_t, std::uint64_t.
  template <class T>
  void add(std::size_t first_row, const MatrixBlock<T>& m, const VectorBlock& x);

  // y[v * rows + r] += the sum. Only the ring's low bits mean anything.
  void add_to(std::span<std::uint64_t> y) const;

  // Blocks that suit the caches: one of them and the same columns of some tens of vectors stay in the second level.
  static constexpr std::size_t block_rows = 32;
  static constexpr std::size_t block_cols = 2048;

 private:
  std::size_t rows_;
  std::size_t vectors_;
  Ring ring_;
  SecretVector<std::uint64_t> sums_;  // several partial sums for every row and vector
};

// `batch` vectors of `cols` elements, back to back, and as many of `rows` elements.
//
// y[v][first_row + r] += sum_c m[r][c] * x[v][c]   for r < block rows; the ring's low bits are right.
// m holds the block's rows back to back, `cols` elements each; y has `rows` elements a vector.
template <class T>
void accumulate_product(std::span<const T> m, std::size_t cols, std::span<const std::uint64_t> x, std::size_t batch,
                        std::span<std::uint64_t> y, std::size_t rows, std::size_t first_row, Ring ring = {});

// y += a b, modulo 2^64: `batch` products of matrices, rows x inner by inner x columns, each back to back and row by row.
void accumulate_matrices(std::size_t batch, std::size_t rows, std::size_t inner, std::size_t columns,
                         std::span<const std::uint64_t> a, std::span<const std::uint64_t> b, std::span<std::uint64_t> y);

}  // namespace smpc
