// A volume as the pictures see it: where its voxels are in space, whichever way the file stores them.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <span>

#include "smpc/base/grid.h"

namespace smpc::report {

// Millimetres in MNI space: to the right, to the front, up.
using Point = std::array<double, 3>;

// A box along the axes of space, from its lowest to its highest corner.
struct Box {
  Point low{};
  Point high{};
};

bool meet(const Box& a, const Box& b) noexcept;
Box joined(const Box& a, const Box& b) noexcept;

// Axes are put in order and turned so that axis 0 runs most nearly to the right, 1 to the front and 2 up. So two files
// that store the same volume another way round are the same view, to the last bit of what is computed from it.
class VolumeView {
 public:
  // `voxels` as load_scan gives them (i slowest, k fastest); they must outlive the view. An affine that cannot be
  // inverted, or that reaches further than 1,000 km, is bad_input.
  VolumeView(std::span<const double> voxels, const Grid& grid);

  const std::array<std::size_t, 3>& shape() const noexcept { return shape_; }
  double at(std::size_t i, std::size_t j, std::size_t k) const noexcept {
    return voxels_[static_cast<std::size_t>(origin_ + stride_[0] * static_cast<std::ptrdiff_t>(i) +
                                            stride_[1] * static_cast<std::ptrdiff_t>(j) +
                                            stride_[2] * static_cast<std::ptrdiff_t>(k))];
  }
  // The centre of the voxel (i, j, k), which need not be whole numbers.
  Point place(const Point& ijk) const noexcept;
  // Trilinear; a voxel's value reaches to its faces at the edge of the volume, and beyond them all is 0.
  double sample(const Point& mm) const noexcept;

  // Of the faces of the voxels from `first` to `last`, both included; and of all.
  Box box(const std::array<std::size_t, 3>& first, const std::array<std::size_t, 3>& last) const noexcept;
  Box box() const noexcept { return box({0, 0, 0}, {shape_[0] - 1, shape_[1] - 1, shape_[2] - 1}); }
  // Of the voxels of this magnitude and more; nothing where there is none.
  std::optional<Box> box_of(double least_magnitude) const noexcept;
  double smallest_voxel() const noexcept;  // the shortest edge of a voxel, in mm

 private:
  std::span<const double> voxels_;
  std::array<std::size_t, 3> shape_{};
  std::array<std::ptrdiff_t, 3> stride_{};
  std::ptrdiff_t origin_ = 0;
  std::array<double, 12> to_mm_{};     // 3 x 4, row by row: (i, j, k, 1) to mm
  std::array<double, 12> to_voxel_{};  // and back
};

}  // namespace smpc::report
