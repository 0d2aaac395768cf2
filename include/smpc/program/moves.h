// Ops that only move elements, for values of any type: numbers, shares, bounds.
#pragma once

#include <algorithm>
#include <span>

#include "smpc/base/error.h"
#include "smpc/program/program.h"

namespace smpc {

// `in`: what the op reads, in order. What comes from nowhere keeps what `out` holds.
template <class T>
void move_elements(const TransposeOp& op, const std::vector<std::span<const T>>& in, std::span<T> out) {
  const std::size_t rank = op.dims.size();
  std::vector<std::size_t> stride(rank, 1);  // in x, of each dimension of x
  for (std::size_t d = rank; d-- > 1;) stride[d - 1] = stride[d] * op.dims[d];
  std::vector<std::size_t> at(rank);  // indices of y
  std::size_t from = 0;
  for (T& value : out) {
    value = in[0][from];
    for (std::size_t d = rank; d-- > 0;) {  // the next place
      const std::size_t of_x = op.order[d];
      from += stride[of_x];
      if (++at[d] < op.dims[of_x]) break;
      from -= at[d] * stride[of_x];
      at[d] = 0;
    }
  }
}

template <class T>
void move_elements(const TakeOp& op, const std::vector<std::span<const T>>& in, std::span<T> out) {
  auto to = out.begin();
  for (std::size_t o = 0; o < op.outer; ++o) {
    for (const std::int64_t slice : op.slices) {
      if (slice >= 0) {
        const auto from = in[0].subspan((o * op.size + static_cast<std::size_t>(slice)) * op.inner, op.inner);
        std::copy(from.begin(), from.end(), to);
      }
      to += static_cast<std::ptrdiff_t>(op.inner);
    }
  }
}

template <class T>
void move_elements(const ConcatOp& op, const std::vector<std::span<const T>>& in, std::span<T> out) {
  auto to = out.begin();
  for (std::size_t o = 0; o < op.outer; ++o) {
    for (const auto& x : in) {
      const std::size_t part = x.size() / op.outer;
      const auto from = x.subspan(o * part, part);
      to = std::copy(from.begin(), from.end(), to);
    }
  }
}

}  // namespace smpc
