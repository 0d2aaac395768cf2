// A kernel that slides over an image of one to three dimensions: convolutions, their transposes, and pooling.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "smpc/ring/ring.h"

namespace smpc {

// Along one axis. At output o, element k of the kernel meets the place p = o * stride + k * dilation - pad of the
// spread input, where p = i * spread holds input element i and everything else is zero.
struct ConvAxis {
  std::size_t input = 1;
  std::size_t output = 1;
  std::size_t kernel = 1;
  std::size_t stride = 1;
  std::size_t dilation = 1;
  std::size_t spread = 1;  // above 1 for a transposed convolution
  std::int64_t pad = 0;    // zeros before the first element; negative: places left out

  // The input element that output o and kernel element k meet; -1 where it is zero.
  std::ptrdiff_t input_at(std::size_t o, std::size_t k) const noexcept;
  friend bool operator==(const ConvAxis&, const ConvAxis&) = default;
};

// y[g, r, o] = sum over c, k of w[g, r, c, k] x[g, c, input(o, k)], tensors being row-major in that order, o and k having
// three indices. The axes that an image lacks have one element.
struct ConvShape {
  std::size_t groups = 1;
  std::size_t in_channels = 1;   // of each group
  std::size_t out_channels = 1;  // of each group
  std::array<ConvAxis, 3> axes{};

  std::size_t positions() const noexcept { return axes[0].output * axes[1].output * axes[2].output; }
  std::size_t inputs() const noexcept {
    return groups * in_channels * axes[0].input * axes[1].input * axes[2].input;
  }
  std::size_t outputs() const noexcept { return rows() * positions(); }
  // The kernel as a matrix: a row for each output channel of all groups.
  std::size_t rows() const noexcept { return groups * out_channels; }
  std::size_t columns() const noexcept { return in_channels * axes[0].kernel * axes[1].kernel * axes[2].kernel; }
  friend bool operator==(const ConvShape&, const ConvShape&) = default;
};

// y += w * x, modulo 2^64: the ring's low bits are right. w: rows x columns; x: inputs; y: outputs. T: std::int16_t,
// std::int32_t, std::uint64_t. Memory: a few hundred windows of x. No branch or address depends on a value.
template <class T>
void accumulate_conv(const ConvShape& shape, std::span<const T> w, std::span<const std::uint64_t> x,
                     std::span<std::uint64_t> y, Ring ring = {});

// y += the sums of the windows of each channel by itself: a kernel of ones. One channel in, one out, for each group.
void accumulate_windows(const ConvShape& shape, std::span<const std::uint64_t> x, std::span<std::uint64_t> y);

}  // namespace smpc
