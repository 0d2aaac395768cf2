#include "smpc/ring/conv.h"

#include <algorithm>

#include "smpc/base/error.h"
#include "smpc/ring/kernels.h"

namespace smpc {
namespace {

constexpr std::size_t block_positions = 64;  // windows that are gathered at once

// Where the windows of one channel lie: for each position and kernel element an input element, or -1.
class Windows {
 public:
  explicit Windows(const ConvShape& s) : kernel_(s.axes[0].kernel * s.axes[1].kernel * s.axes[2].kernel) {
    for (std::size_t a = 0; a < 3; ++a) {
      const ConvAxis& axis = s.axes[a];
      for (std::size_t o = 0; o < axis.output; ++o) {
        for (std::size_t k = 0; k < axis.kernel; ++k) at_[a].push_back(axis.input_at(o, k));
      }
    }
    shape_ = s;
  }

  std::size_t kernel() const noexcept { return kernel_; }

  // Calls f(kernel element, input element or -1) for the window at a position.
  template <class F>
  void each(std::size_t position, F f) const {
    const auto& [d0, d1, d2] = shape_.axes;
    const std::size_t o2 = position % d2.output;
    const std::size_t o1 = position / d2.output % d1.output;
    const std::size_t o0 = position / d2.output / d1.output;
    std::size_t element = 0;
    for (std::size_t k0 = 0; k0 < d0.kernel; ++k0) {
      const std::ptrdiff_t i0 = at_[0][o0 * d0.kernel + k0];
      for (std::size_t k1 = 0; k1 < d1.kernel; ++k1) {
        const std::ptrdiff_t i1 = at_[1][o1 * d1.kernel + k1];
        for (std::size_t k2 = 0; k2 < d2.kernel; ++k2) {
          const std::ptrdiff_t i2 = at_[2][o2 * d2.kernel + k2];
          const bool inside = i0 >= 0 && i1 >= 0 && i2 >= 0;
          f(element++, inside ? (i0 * static_cast<std::ptrdiff_t>(d1.input) + i1) * static_cast<std::ptrdiff_t>(d2.input) + i2
                              : std::ptrdiff_t{-1});
        }
      }
    }
  }

 private:
  ConvShape shape_;
  std::size_t kernel_;
  std::vector<std::ptrdiff_t> at_[3];
};

void check_sizes(const ConvShape& s, std::size_t weights, std::size_t inputs, std::size_t outputs) {
  SMPC_CHECK(weights == s.rows() * s.columns() && inputs == s.inputs() && outputs == s.outputs());
}

// One channel in, one out: nothing is gained by gathering.
template <class T>
void channel_by_channel(const ConvShape& s, std::span<const T> w, std::span<const std::uint64_t> x,
                        std::span<std::uint64_t> y) {
  const Windows windows(s);
  const std::size_t image = s.inputs() / s.groups;
  const std::size_t positions = s.positions();
  for (std::size_t p = 0; p < positions; ++p) {
    windows.each(p, [&](std::size_t k, std::ptrdiff_t i) {
      if (i < 0) return;
      for (std::size_t g = 0; g < s.groups; ++g) {
        y[g * positions + p] += static_cast<std::uint64_t>(w[g * windows.kernel() + k]) * x[g * image + static_cast<std::size_t>(i)];
      }
    });
  }
}

}  // namespace

std::ptrdiff_t ConvAxis::input_at(std::size_t o, std::size_t k) const noexcept {
  const std::int64_t place = static_cast<std::int64_t>(o * stride + k * dilation) - pad;
  if (place < 0 || place % static_cast<std::int64_t>(spread) != 0) return -1;
  const std::int64_t element = place / static_cast<std::int64_t>(spread);
  return element < static_cast<std::int64_t>(input) ? element : -1;
}

template <class T>
void accumulate_conv(const ConvShape& s, std::span<const T> w, std::span<const std::uint64_t> x,
                     std::span<std::uint64_t> y, Ring ring) {
  check_sizes(s, w.size(), x.size(), y.size());
  if (s.in_channels == 1 && s.out_channels == 1) return channel_by_channel(s, w, x, y);
  const Windows windows(s);
  const std::size_t columns = s.columns();
  const std::size_t positions = s.positions();
  const std::size_t image = s.inputs() / (s.groups * s.in_channels);
  RingVector gathered(block_positions * columns);
  RingVector sums(block_positions * s.out_channels);
  for (std::size_t g = 0; g < s.groups; ++g) {
    const std::uint64_t* group = x.data() + g * s.in_channels * image;
    const T* kernel = w.data() + g * s.out_channels * columns;
    for (std::size_t first = 0; first < positions; first += block_positions) {
      const std::size_t block = std::min(block_positions, positions - first);
      for (std::size_t p = 0; p < block; ++p) {
        std::uint64_t* out = gathered.data() + p * columns;
        windows.each(first + p, [&](std::size_t k, std::ptrdiff_t i) {
          for (std::size_t c = 0; c < s.in_channels; ++c) {
            out[c * windows.kernel() + k] = i < 0 ? 0 : group[c * image + static_cast<std::size_t>(i)];
          }
        });
      }
      std::fill(sums.begin(), sums.end(), 0);
      ProductSum product(s.out_channels, block, ring);
      for (std::size_t c = 0; c < columns; c += ProductSum::block_cols) {
        const std::size_t part = std::min(ProductSum::block_cols, columns - c);
        product.add(0, MatrixBlock<T>{kernel + c, s.out_channels, part, columns}, {gathered.data() + c, columns});
      }
      product.add_to(std::span(sums).first(block * s.out_channels));
      for (std::size_t r = 0; r < s.out_channels; ++r) {
        std::uint64_t* out = y.data() + (g * s.out_channels + r) * positions + first;
        for (std::size_t p = 0; p < block; ++p) out[p] += sums[p * s.out_channels + r];
      }
    }
  }
}
template void accumulate_conv(const ConvShape&, std::span<const std::int16_t>, std::span<const std::uint64_t>,
                              std::span<std::uint64_t>, Ring);
template void accumulate_conv(const ConvShape&, std::span<const std::int32_t>, std::span<const std::uint64_t>,
                              std::span<std::uint64_t>, Ring);
template void accumulate_conv(const ConvShape&, std::span<const std::uint64_t>, std::span<const std::uint64_t>,
                              std::span<std::uint64_t>, Ring);

void accumulate_windows(const ConvShape& s, std::span<const std::uint64_t> x, std::span<std::uint64_t> y) {
  SMPC_CHECK(s.in_channels == 1 && s.out_channels == 1 && x.size() == s.inputs() && y.size() == s.outputs());
  const Windows windows(s);
  const std::size_t image = s.inputs() / s.groups;
  const std::size_t positions = s.positions();
  for (std::size_t p = 0; p < positions; ++p) {
    windows.each(p, [&](std::size_t, std::ptrdiff_t i) {
      if (i < 0) return;
      for (std::size_t g = 0; g < s.groups; ++g) y[g * positions + p] += x[g * image + static_cast<std::size_t>(i)];
    });
  }
}

}  // namespace smpc
