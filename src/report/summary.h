// What of a volume is worth colouring, and where its peak is.
#pragma once

#include <cstddef>

#include "volume_view.h"

namespace smpc::report {

// The share of the voxels that are not zero which the threshold lets through: the 5 % of largest magnitude.
constexpr double coloured_share = 0.05;
// But the threshold is no higher than this part of the largest magnitude. Pictures are interpolated, so a lone voxel,
// or the edge of a region of one value, would else shrink to a point.
constexpr double highest_threshold = 0.6;

struct Summary {
  double least = 0;
  double most = 0;
  std::size_t nonzero = 0;   // voxels
  std::size_t coloured = 0;  // voxels of |value| >= threshold
  // The magnitude from which values are coloured; three significant digits, rounded down, so that the number shown is
  // the number used.
  double threshold = 0;
  double largest = 0;  // magnitude
  bool coloured_positive = false;
  bool coloured_negative = false;
  // The voxel of largest magnitude; of equals the one furthest to the left, to the back and down, in this order. The
  // middle of the volume where all voxels are equal.
  Point peak{};  // mm
  double peak_value = 0;

  // Every voxel has the same value: there is no peak, and nothing is coloured.
  bool flat() const noexcept { return least == most; }
};

Summary summarise(const VolumeView& volume);

}  // namespace smpc::report
