// The window of a convolution or a pooling at one position, for what the compiler computes of it.
#pragma once

#include <algorithm>
#include <numeric>

#include "smpc/ring/conv.h"

namespace smpc {

// How many windows an input element can lie in, along an axis, at most. Window o meets place p with kernel element k where
// o * stride + k * dilation = p + pad: modulo the stride, every (stride / gcd(stride, dilation))-th k alone can, each in one
// window.
inline std::size_t most_windows(const ConvAxis& a) noexcept {
  const std::size_t every = a.stride / std::gcd(a.stride, a.dilation);
  return std::min(a.output, a.kernel / every + (a.kernel % every != 0 ? 1 : 0));
}

// Calls f(kernel element, input element) for all that meet at output position p: what lies outside is left out.
template <class F>
void each_in_window(const ConvShape& s, std::size_t p, F f) {
  const auto& [a, b, c] = s.axes;
  const std::size_t o[3] = {p / c.output / b.output, p / c.output % b.output, p % c.output};
  std::size_t k = 0;
  for (std::size_t k0 = 0; k0 < a.kernel; ++k0) {
    const auto i0 = a.input_at(o[0], k0);
    for (std::size_t k1 = 0; k1 < b.kernel; ++k1) {
      const auto i1 = b.input_at(o[1], k1);
      for (std::size_t k2 = 0; k2 < c.kernel; ++k2, ++k) {
        const auto i2 = c.input_at(o[2], k2);
        if (i0 < 0 || i1 < 0 || i2 < 0) continue;
        f(k, (static_cast<std::size_t>(i0) * b.input + static_cast<std::size_t>(i1)) * c.input + static_cast<std::size_t>(i2));
      }
    }
  }
}

}  // namespace smpc
