// A product of blocks cut into tiles of a few rows by a few vectors, whose sums stay in registers while the columns pass.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "smpc/base/sabotage.h"

namespace smpc {

// Partial sums that ProductSum keeps for every row and vector: as many as the widest registers have lanes. Those of row
// r and vector v begin at sums[(r * vectors + v) * sum_lanes]; any way to spread a sum over them will do.
constexpr std::size_t sum_lanes = 8;

template <class T>
struct Tile {
  const T* m;
  std::size_t m_stride;
  const std::uint64_t* x;
  std::size_t x_stride;
  std::size_t cols;
  std::uint64_t* sums;
  std::size_t row_stride;  // of sums
};

// Kernel: `rows` and `vectors` of a full tile, and run<R, V>(tile) for R = rows or 1, V <= vectors.
template <class Kernel, std::size_t R, std::size_t V, class T>
void run_tile(std::size_t vectors, const Tile<T>& tile) {
  if constexpr (V > 1) {
    if (vectors < V) return run_tile<Kernel, R, V - 1>(vectors, tile);
  }
  Kernel::template run<R, V>(tile);
}

// Columns are taken in strips, so that a tile's strip of every vector stays in the first-level cache while the rows pass.
template <class Kernel, class T>
void add_tiles(const T* m, std::size_t rows, std::size_t cols, std::size_t m_stride, const std::uint64_t* x,
               std::size_t vectors, std::size_t x_stride, std::uint64_t* sums) {
  const std::size_t strip = 4096 / std::min(vectors, Kernel::vectors) / sum_lanes * sum_lanes;
  for (std::size_t c = 0; c < cols; c += strip) {
    for (std::size_t v = 0; v < vectors; v += Kernel::vectors) {
      for (std::size_t r = 0; r < rows;) {
        const std::size_t count = rows - r >= Kernel::rows ? Kernel::rows : 1;
        const Tile<T> tile{m + r * m_stride + c,
                           m_stride,
                           x + v * x_stride + c,
                           x_stride,
                           std::min(strip, cols - c),
                           sums + (r * vectors + v) * sum_lanes,
                           vectors * sum_lanes};
        if (count == 1) {
          run_tile<Kernel, 1, Kernel::vectors>(vectors - v, tile);
        } else {
          run_tile<Kernel, Kernel::rows, Kernel::vectors>(vectors - v, tile);
        }
        r += count;
      }
    }
  }
}

// What does not fill a register: the columns from `from` on, into the first lane.
template <std::size_t R, std::size_t V, class T>
void add_rest(const Tile<T>& t, std::size_t from) {
  for (std::size_t r = 0; r < R; ++r) {
    for (std::size_t v = 0; v < V; ++v) {
      std::uint64_t sum = 0;
      for (std::size_t c = from; c < t.cols; ++c) {
        if (sabotaged(Sabotage::branch_on_zeros) && t.x[v * t.x_stride + c] == 0) continue;
        sum += static_cast<std::uint64_t>(static_cast<std::int64_t>(t.m[r * t.m_stride + c])) * t.x[v * t.x_stride + c];
      }
      t.sums[r * t.row_stride + v * sum_lanes] += sum;
    }
  }
}

// In kernels_ifma.cc. Whether this processor multiplies 52 bits at once (AVX512-IFMA), and the target is not pinned lower.
bool can_multiply_52() noexcept;
// The low 52 bits of the sums are right; the others are not.
template <class T>
void add_tiles_52(const T* m, std::size_t rows, std::size_t cols, std::size_t m_stride, const std::uint64_t* x,
                  std::size_t vectors, std::size_t x_stride, std::uint64_t* sums);

}  // namespace smpc
