#include "smpc/ring/kernels.h"

#include <algorithm>
#include <vector>

#include "smpc/base/bits.h"
#include "smpc/base/error.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels.cc"
#include <hwy/foreach_target.h>

#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace smpc {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// The low 64 bits of a product, from three 32x32 products: AVX2 has no 64-bit one.
template <class V>
HWY_INLINE V mul64(V a, V b) {
  const hn::DFromV<V> d;
#if HWY_TARGET == HWY_SCALAR
  return hn::Set(d, hn::GetLane(a) * hn::GetLane(b));
#else
  const hn::Repartition<std::uint32_t, decltype(d)> half;
  const auto a_high = hn::BitCast(half, hn::ShiftRight<32>(a));
  const auto b_high = hn::BitCast(half, hn::ShiftRight<32>(b));
  const auto a_low = hn::BitCast(half, a);
  const auto b_low = hn::BitCast(half, b);
  const auto cross = hn::Add(hn::MulEven(a_high, b_low), hn::MulEven(a_low, b_high));
  return hn::Add(hn::MulEven(a_low, b_low), hn::ShiftLeft<32>(cross));
#endif
}

template <class D>
HWY_INLINE hn::Vec<D> load_wide(D d, const std::uint64_t* p) {
  return hn::LoadU(d, p);
}

template <class D>
HWY_INLINE hn::Vec<D> load_wide(D d, const std::int32_t* p) {
  const hn::RebindToSigned<D> signed_wide;
  const hn::Rebind<std::int32_t, D> narrow;
  return hn::BitCast(d, hn::PromoteTo(signed_wide, hn::LoadU(narrow, p)));
}

template <class D>
HWY_INLINE hn::Vec<D> load_wide(D d, const std::int16_t* p) {
  const hn::RebindToSigned<D> signed_wide;
  const hn::Rebind<std::int32_t, D> half;
  const hn::Rebind<std::int16_t, D> narrow;
  return hn::BitCast(d, hn::PromoteTo(signed_wide, hn::PromoteTo(half, hn::LoadU(narrow, p))));
}

// sum_c m[c] * x[c] modulo 2^64.
template <class T>
std::uint64_t dot(const T* m, const std::uint64_t* x, std::size_t count) {
  const hn::ScalableTag<std::uint64_t> d;
  const std::size_t lanes = hn::Lanes(d);
  auto sum0 = hn::Zero(d);
  auto sum1 = hn::Zero(d);
  std::size_t c = 0;
  for (; c + 2 * lanes <= count; c += 2 * lanes) {
    sum0 = hn::Add(sum0, mul64(load_wide(d, m + c), hn::LoadU(d, x + c)));
    sum1 = hn::Add(sum1, mul64(load_wide(d, m + c + lanes), hn::LoadU(d, x + c + lanes)));
  }
  // Lane by lane: GCC's reduction for AVX-512 adds signed words, whose overflow is undefined.
  HWY_ALIGN std::uint64_t lane[hn::MaxLanes(d)];
  hn::Store(hn::Add(sum0, sum1), d, lane);
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < lanes; ++i) sum += lane[i];
  for (; c < count; ++c) sum += static_cast<std::uint64_t>(static_cast<std::int64_t>(m[c])) * x[c];
  return sum;
}

// Columns are taken in blocks, so that one block of every vector stays in the second-level cache while the rows pass.
template <class T>
void product(const T* m, std::size_t block_rows, std::size_t cols, const std::uint64_t* x, std::size_t batch,
             std::uint64_t* y, std::size_t rows, std::size_t first_row) {
  constexpr std::size_t block = 4096;
  for (std::size_t from = 0; from < cols; from += block) {
    const std::size_t count = std::min(block, cols - from);
    for (std::size_t r = 0; r < block_rows; ++r) {
      for (std::size_t v = 0; v < batch; ++v) {
        y[v * rows + first_row + r] += dot(m + r * cols + from, x + v * cols + from, count);
      }
    }
  }
}

void product_i16(const std::int16_t* m, std::size_t block_rows, std::size_t cols, const std::uint64_t* x,
                 std::size_t batch, std::uint64_t* y, std::size_t rows, std::size_t first_row) {
  product(m, block_rows, cols, x, batch, y, rows, first_row);
}

void product_i32(const std::int32_t* m, std::size_t block_rows, std::size_t cols, const std::uint64_t* x,
                 std::size_t batch, std::uint64_t* y, std::size_t rows, std::size_t first_row) {
  product(m, block_rows, cols, x, batch, y, rows, first_row);
}

void product_u64(const std::uint64_t* m, std::size_t block_rows, std::size_t cols, const std::uint64_t* x,
                 std::size_t batch, std::uint64_t* y, std::size_t rows, std::size_t first_row) {
  product(m, block_rows, cols, x, batch, y, rows, first_row);
}

}  // namespace HWY_NAMESPACE
}  // namespace smpc
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace smpc {
HWY_EXPORT(product_i16);
HWY_EXPORT(product_i32);
HWY_EXPORT(product_u64);

namespace {
void check_shapes(std::size_t m, std::size_t cols, std::size_t x, std::size_t batch, std::size_t y, std::size_t rows,
                  std::size_t first_row) {
  SMPC_CHECK(cols > 0 && m % cols == 0);
  SMPC_CHECK(x == batch * cols && y == batch * rows && first_row + m / cols <= rows);
}
}  // namespace

void accumulate_product(std::span<const std::int16_t> m, std::size_t cols, std::span<const std::uint64_t> x,
                        std::size_t batch, std::span<std::uint64_t> y, std::size_t rows, std::size_t first_row) {
  check_shapes(m.size(), cols, x.size(), batch, y.size(), rows, first_row);
  HWY_DYNAMIC_DISPATCH(product_i16)(m.data(), m.size() / cols, cols, x.data(), batch, y.data(), rows, first_row);
}

void accumulate_product(std::span<const std::int32_t> m, std::size_t cols, std::span<const std::uint64_t> x,
                        std::size_t batch, std::span<std::uint64_t> y, std::size_t rows, std::size_t first_row) {
  check_shapes(m.size(), cols, x.size(), batch, y.size(), rows, first_row);
  HWY_DYNAMIC_DISPATCH(product_i32)(m.data(), m.size() / cols, cols, x.data(), batch, y.data(), rows, first_row);
}

void accumulate_product(std::span<const std::uint64_t> m, std::size_t cols, std::span<const std::uint64_t> x,
                        std::size_t batch, std::span<std::uint64_t> y, std::size_t rows, std::size_t first_row) {
  check_shapes(m.size(), cols, x.size(), batch, y.size(), rows, first_row);
  HWY_DYNAMIC_DISPATCH(product_u64)(m.data(), m.size() / cols, cols, x.data(), batch, y.data(), rows, first_row);
}

void accumulate_packed_product(ByteView packed, unsigned bits, std::size_t rows, std::size_t cols,
                               std::span<const std::uint64_t> x, std::size_t batch, std::span<std::uint64_t> y) {
  const std::size_t row_bytes = packed_bytes(cols, bits);
  SMPC_CHECK(packed.size() == rows * row_bytes);
  std::vector<std::uint64_t> row(cols);
  for (std::size_t r = 0; r < rows; ++r) {
    unpack_range(packed.subspan(r * row_bytes, row_bytes), bits, 0, row);
    accumulate_product(std::span<const std::uint64_t>(row), cols, x, batch, y, rows, r);
  }
}

}  // namespace smpc
#endif  // HWY_ONCE
