// Products modulo 2^64, the inner loops of every linear map. The widest vector instructions that the processor has are
// chosen at run time (Highway); every target computes the same bits. No branch or address depends on a value.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "smpc/base/bytes.h"

namespace smpc {

// `batch` vectors of `cols` elements, back to back, and as many of `rows` elements.
//
// y[v][first_row + r] += sum_c m[r][c] * x[v][c]   for r < block rows, all modulo 2^64.
// m holds the block's rows back to back, `cols` elements each; y has `rows` elements a vector.
void accumulate_product(std::span<const std::int16_t> m, std::size_t cols, std::span<const std::uint64_t> x,
                        std::size_t batch, std::span<std::uint64_t> y, std::size_t rows, std::size_t first_row);
void accumulate_product(std::span<const std::int32_t> m, std::size_t cols, std::span<const std::uint64_t> x,
                        std::size_t batch, std::span<std::uint64_t> y, std::size_t rows, std::size_t first_row);
void accumulate_product(std::span<const std::uint64_t> m, std::size_t cols, std::span<const std::uint64_t> x,
                        std::size_t batch, std::span<std::uint64_t> y, std::size_t rows, std::size_t first_row);

// The same for a whole matrix whose elements are packed to `bits` bits each, every row padded to a whole byte.
void accumulate_packed_product(ByteView packed, unsigned bits, std::size_t rows, std::size_t cols,
                               std::span<const std::uint64_t> x, std::size_t batch, std::span<std::uint64_t> y);

}  // namespace smpc
