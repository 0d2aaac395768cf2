// A grid of voxels in space: the words that a program, a scan and a model share.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace smpc {

struct Grid {
  std::array<std::uint32_t, 3> shape{};  // voxels along i, j, k
  std::array<double, 16> affine{};       // 4x4, row by row: (i, j, k, 1) to millimetres in MNI space
  std::size_t voxels() const noexcept { return std::size_t{shape[0]} * shape[1] * shape[2]; }
  friend bool operator==(const Grid&, const Grid&) = default;
};

}  // namespace smpc
