#include "smpc/ring/kernels.h"

#include <algorithm>

#include "product_tiles.h"
#include "smpc/base/error.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels.cc"
#include <hwy/foreach_target.h>

#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace smpc {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

#if HWY_TARGET == HWY_SCALAR

struct Wide {
  static constexpr std::size_t rows = 2;
  static constexpr std::size_t vectors = 1;
  template <std::size_t R, std::size_t V, class T>
  static void run(const Tile<T>& t) {
    add_rest<R, V>(t, 0);
  }
};

#else

using Words = hn::ScalableTag<std::uint64_t>;
using Vector = hn::Vec<Words>;
using Halves = hn::Repartition<std::uint32_t, Words>;
using SignedHalves = hn::Repartition<std::int32_t, Words>;

HWY_INLINE Vector load_wide(const std::uint64_t* p) { return hn::LoadU(Words(), p); }
HWY_INLINE Vector load_wide(const std::int32_t* p) {
  const hn::RebindToSigned<Words> wide;
  const hn::Rebind<std::int32_t, Words> narrow;
  return hn::BitCast(Words(), hn::PromoteTo(wide, hn::LoadU(narrow, p)));
}
HWY_INLINE Vector load_wide(const std::int16_t* p) {
  const hn::RebindToSigned<Words> wide;
  const hn::Rebind<std::int32_t, Words> half;
  const hn::Rebind<std::int16_t, Words> narrow;
  return hn::BitCast(Words(), hn::PromoteTo(wide, hn::PromoteTo(half, hn::LoadU(narrow, p))));
}

// A 64-bit product modulo 2^64 from products of 32-bit halves: AVX2 has no wider one. The low parts and those that count
// 2^32 are summed apart. A weight of 32 bits is its own low half, signed; then x is cut into a signed low half and a
// high half that makes up for it, and two products do instead of three.
template <class T>
struct Factor {
  Vector low;
  Vector high;
};

template <class T>
HWY_INLINE Factor<T> cut_vector(Vector x) {
  if constexpr (sizeof(T) == 8) {
    return {x, hn::ShiftRight<32>(x)};
  } else {
    return {x, hn::ShiftRight<32>(hn::Add(x, hn::Set(Words(), std::uint64_t{1} << 31)))};
  }
}

HWY_INLINE Vector multiply(Vector a, Vector b) {
  return hn::MulEven(hn::BitCast(Halves(), a), hn::BitCast(Halves(), b));
}
HWY_INLINE Vector multiply_signed(Vector a, Vector b) {
  return hn::BitCast(Words(), hn::MulEven(hn::BitCast(SignedHalves(), a), hn::BitCast(SignedHalves(), b)));
}

template <class T>
HWY_INLINE void multiply_add(Vector m, const Factor<T>& x, Vector& low, Vector& high) {
  if constexpr (sizeof(T) == 8) {
    low = hn::Add(low, multiply(m, x.low));
    high = hn::Add(high, hn::Add(multiply(m, x.high), multiply(hn::ShiftRight<32>(m), x.low)));
  } else {
    low = hn::Add(low, multiply_signed(m, x.low));
    high = hn::Add(high, multiply_signed(m, x.high));
  }
}

struct Wide {
  static constexpr std::size_t rows = 2;
  static constexpr std::size_t vectors = 2;

  template <std::size_t R, std::size_t V, class T>
  static void run(const Tile<T>& t) {
    const Words d;
    const std::size_t lanes = hn::Lanes(d);
    Vector low[R][V];
    Vector high[R][V];
    for (std::size_t r = 0; r < R; ++r) {
      for (std::size_t v = 0; v < V; ++v) {
        low[r][v] = hn::LoadU(d, t.sums + r * t.row_stride + v * sum_lanes);
        high[r][v] = hn::Zero(d);
      }
    }
    std::size_t c = 0;
    for (; c + lanes <= t.cols; c += lanes) {
      Factor<T> x[V];
      for (std::size_t v = 0; v < V; ++v) x[v] = cut_vector<T>(hn::LoadU(d, t.x + v * t.x_stride + c));
      for (std::size_t r = 0; r < R; ++r) {
        const Vector m = load_wide(t.m + r * t.m_stride + c);
        for (std::size_t v = 0; v < V; ++v) multiply_add<T>(m, x[v], low[r][v], high[r][v]);
      }
    }
    for (std::size_t r = 0; r < R; ++r) {
      for (std::size_t v = 0; v < V; ++v) {
        hn::StoreU(hn::Add(low[r][v], hn::ShiftLeft<32>(high[r][v])), d, t.sums + r * t.row_stride + v * sum_lanes);
      }
    }
    if (c < t.cols) add_rest<R, V>(t, c);
  }
};

#endif

void add_i16(const std::int16_t* m, std::size_t rows, std::size_t cols, std::size_t m_stride, const std::uint64_t* x,
             std::size_t vectors, std::size_t x_stride, std::uint64_t* sums) {
  add_tiles<Wide>(m, rows, cols, m_stride, x, vectors, x_stride, sums);
}
void add_i32(const std::int32_t* m, std::size_t rows, std::size_t cols, std::size_t m_stride, const std::uint64_t* x,
             std::size_t vectors, std::size_t x_stride, std::uint64_t* sums) {
  add_tiles<Wide>(m, rows, cols, m_stride, x, vectors, x_stride, sums);
}
void add_u64(const std::uint64_t* m, std::size_t rows, std::size_t cols, std::size_t m_stride, const std::uint64_t* x,
             std::size_t vectors, std::size_t x_stride, std::uint64_t* sums) {
  add_tiles<Wide>(m, rows, cols, m_stride, x, vectors, x_stride, sums);
}

}  // namespace HWY_NAMESPACE
}  // namespace smpc
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace smpc {
HWY_EXPORT(add_i16);
HWY_EXPORT(add_i32);
HWY_EXPORT(add_u64);

namespace {

constexpr unsigned bits_of_ifma = 52;

template <class T>
void add_on_target(const MatrixBlock<T>& m, const VectorBlock& x, std::size_t vectors, std::uint64_t* sums) {
  if constexpr (sizeof(T) == 2) {
    HWY_DYNAMIC_DISPATCH(add_i16)(m.data, m.rows, m.cols, m.stride, x.data, vectors, x.stride, sums);
  } else if constexpr (sizeof(T) == 4) {
    HWY_DYNAMIC_DISPATCH(add_i32)(m.data, m.rows, m.cols, m.stride, x.data, vectors, x.stride, sums);
  } else {
    HWY_DYNAMIC_DISPATCH(add_u64)(m.data, m.rows, m.cols, m.stride, x.data, vectors, x.stride, sums);
  }
}

}  // namespace

ProductSum::ProductSum(std::size_t rows, std::size_t vectors, Ring ring)
    : rows_(rows), vectors_(vectors), ring_(ring), sums_(rows * vectors * sum_lanes) {
  SMPC_CHECK(vectors > 0);
}

template <class T>
void ProductSum::add(std::size_t first_row, const MatrixBlock<T>& m, const VectorBlock& x) {
  SMPC_CHECK(first_row <= rows_ && m.rows <= rows_ - first_row && m.cols <= m.stride && m.cols <= x.stride);
  std::uint64_t* sums = sums_.data() + first_row * vectors_ * sum_lanes;
  if (ring_.bits <= bits_of_ifma && can_multiply_52()) {
    add_tiles_52(m.data, m.rows, m.cols, m.stride, x.data, vectors_, x.stride, sums);
  } else {
    add_on_target(m, x, vectors_, sums);
  }
}
template void ProductSum::add(std::size_t, const MatrixBlock<std::int16_t>&, const VectorBlock&);
template void ProductSum::add(std::size_t, const MatrixBlock<std::int32_t>&, const VectorBlock&);
template void ProductSum::add(std::size_t, const MatrixBlock<std::uint64_t>&, const VectorBlock&);

void ProductSum::add_to(std::span<std::uint64_t> y) const {
  SMPC_CHECK(y.size() == rows_ * vectors_);
  for (std::size_t r = 0; r < rows_; ++r) {
    for (std::size_t v = 0; v < vectors_; ++v) {
      const std::uint64_t* lane = sums_.data() + (r * vectors_ + v) * sum_lanes;
      for (std::size_t i = 0; i < sum_lanes; ++i) y[v * rows_ + r] += lane[i];
    }
  }
}

template <class T>
void accumulate_product(std::span<const T> m, std::size_t cols, std::span<const std::uint64_t> x, std::size_t batch,
                        std::span<std::uint64_t> y, std::size_t rows, std::size_t first_row, Ring ring) {
  SMPC_CHECK(cols > 0 && m.size() % cols == 0);
  const std::size_t block_rows = m.size() / cols;
  SMPC_CHECK(x.size() == batch * cols && y.size() == batch * rows && first_row + block_rows <= rows);
  ProductSum sum(rows, batch, ring);
  sum.add(first_row, MatrixBlock<T>{m.data(), block_rows, cols, cols}, {x.data(), cols});
  sum.add_to(y);
}
template void accumulate_product(std::span<const std::int16_t>, std::size_t, std::span<const std::uint64_t>, std::size_t,
                                 std::span<std::uint64_t>, std::size_t, std::size_t, Ring);
template void accumulate_product(std::span<const std::int32_t>, std::size_t, std::span<const std::uint64_t>, std::size_t,
                                 std::span<std::uint64_t>, std::size_t, std::size_t, Ring);
template void accumulate_product(std::span<const std::uint64_t>, std::size_t, std::span<const std::uint64_t>,
                                 std::size_t, std::span<std::uint64_t>, std::size_t, std::size_t, Ring);

void accumulate_matrices(std::size_t batch, std::size_t rows, std::size_t inner, std::size_t columns,
                         std::span<const std::uint64_t> a, std::span<const std::uint64_t> b,
                         std::span<std::uint64_t> y) {
  SMPC_CHECK(a.size() == batch * rows * inner && b.size() == batch * inner * columns && y.size() == batch * rows * columns);
  for (std::size_t n = 0; n < batch; ++n) {
    for (std::size_t r = 0; r < rows; ++r) {
      std::uint64_t* out = y.data() + (n * rows + r) * columns;
      for (std::size_t k = 0; k < inner; ++k) {
        const std::uint64_t factor = a[(n * rows + r) * inner + k];
        const std::uint64_t* row = b.data() + (n * inner + k) * columns;
        for (std::size_t c = 0; c < columns; ++c) out[c] += factor * row[c];
      }
    }
  }
}

}  // namespace smpc
#endif  // HWY_ONCE
