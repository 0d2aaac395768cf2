// Products modulo 2^52 with AVX512-IFMA: eight 52-bit multiplications and additions in one instruction. It reads the low
// 52 bits of both factors and adds the low 52 bits of the product to a 64-bit lane, so a sum's low 52 bits are exact, with
// signed factors in two's complement too. Highway 1.0 has no such operation, hence the intrinsics.
#include "product_tiles.h"

#if defined(__x86_64__) && defined(__GNUC__)
#include <hwy/targets.h>
#include <immintrin.h>
#endif

namespace smpc {

#if defined(__x86_64__) && defined(__GNUC__)
namespace {

#define SMPC_IFMA __attribute__((target("avx512f,avx512vl,avx512ifma")))

SMPC_IFMA inline __m512i load_wide(const std::uint64_t* p) { return _mm512_loadu_si512(p); }
// Zero-masked forms with a full mask: GCC 12 warns of its own plain ones (GCC bug 105593).
constexpr __mmask8 all_lanes = 0xff;
SMPC_IFMA inline __m512i load_wide(const std::int32_t* p) {
  return _mm512_maskz_cvtepi32_epi64(all_lanes, _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
}
SMPC_IFMA inline __m512i load_wide(const std::int16_t* p) {
  return _mm512_maskz_cvtepi16_epi64(all_lanes, _mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
}

struct Ifma {
  static constexpr std::size_t rows = 4;
  static constexpr std::size_t vectors = 5;

  template <std::size_t R, std::size_t V, class T>
  SMPC_IFMA static void run(const Tile<T>& t) {
    __m512i sum[R][V];
    for (std::size_t r = 0; r < R; ++r) {
      for (std::size_t v = 0; v < V; ++v) sum[r][v] = _mm512_loadu_si512(t.sums + r * t.row_stride + v * sum_lanes);
    }
    std::size_t c = 0;
    for (; c + sum_lanes <= t.cols; c += sum_lanes) {
      __m512i x[V];
      for (std::size_t v = 0; v < V; ++v) x[v] = load_wide(t.x + v * t.x_stride + c);
      for (std::size_t r = 0; r < R; ++r) {
        const __m512i m = load_wide(t.m + r * t.m_stride + c);
        for (std::size_t v = 0; v < V; ++v) sum[r][v] = _mm512_madd52lo_epu64(sum[r][v], m, x[v]);
      }
    }
    for (std::size_t r = 0; r < R; ++r) {
      for (std::size_t v = 0; v < V; ++v) _mm512_storeu_si512(t.sums + r * t.row_stride + v * sum_lanes, sum[r][v]);
    }
    if (c < t.cols) add_rest<R, V>(t, c);
  }
};

}  // namespace

bool can_multiply_52() noexcept {
  static const bool has = __builtin_cpu_supports("avx512ifma") != 0 && __builtin_cpu_supports("avx512vl") != 0;
  return has && (hwy::SupportedTargets() & (HWY_AVX3 | HWY_AVX3_DL)) != 0;
}

template <class T>
void add_tiles_52(const T* m, std::size_t rows, std::size_t cols, std::size_t m_stride, const std::uint64_t* x,
                  std::size_t vectors, std::size_t x_stride, std::uint64_t* sums) {
  add_tiles<Ifma>(m, rows, cols, m_stride, x, vectors, x_stride, sums);
}

#else

bool can_multiply_52() noexcept { return false; }

template <class T>
void add_tiles_52(const T*, std::size_t, std::size_t, std::size_t, const std::uint64_t*, std::size_t, std::size_t,
                  std::uint64_t*) {}

#endif

template void add_tiles_52(const std::int16_t*, std::size_t, std::size_t, std::size_t, const std::uint64_t*, std::size_t,
                           std::size_t, std::uint64_t*);
template void add_tiles_52(const std::int32_t*, std::size_t, std::size_t, std::size_t, const std::uint64_t*, std::size_t,
                           std::size_t, std::uint64_t*);
template void add_tiles_52(const std::uint64_t*, std::size_t, std::size_t, std::size_t, const std::uint64_t*, std::size_t,
                           std::size_t, std::uint64_t*);

}  // namespace smpc
