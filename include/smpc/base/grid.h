// A grid of voxels in space: the words that a program, a scan and a model share.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace smpc {

struct Grid {
  std::array<std::uint32_t, 3> shape{};  // voxels along i, j, k
  std::array<double, 16> affine{};       // 4x4, row by row: (i, j, k, 1) to millimetres in MNI space
  // The largest number there is, which no tensor has, where the product is beyond it.
  std::size_t voxels() const noexcept {
    std::size_t product = std::size_t{shape[0]} * shape[1];
    return __builtin_mul_overflow(product, std::size_t{shape[2]}, &product) ? SIZE_MAX : product;
  }
  friend bool operator==(const Grid&, const Grid&) = default;
};

}  // namespace smpc
