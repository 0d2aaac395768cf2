// Brings volumes from the grid of a scan onto the model's.
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string>

#include "smpc/base/grid.h"
#include "smpc/base/secret.h"

namespace smpc {

enum class GridMatch {
  same,        // what check_grid accepts
  reoriented,  // the same voxel centres, each within grid_tolerance, after permuting and flipping axes
  other,
};

GridMatch match_grid(const Grid& found, const Grid& expected);

// Why a GridMap from one grid onto another is refused, in words to be read after "since": "" where it is not.
std::string resampling_obstacle(const Grid& from, const Grid& to);

// A grid is taken voxel for voxel where that is possible: as it is (same), or gathered in another order (reoriented);
// neither does arithmetic. From any other grid the value at each centre of the target is trilinear interpolation
// between the eight voxels around it, in double, through inverse(from.affine) * to.affine.
//
// The field of the source is the box between its outermost voxel centres. A centre of the target outside it is 0, also
// within the outer half of a border voxel: nothing is extrapolated and nothing fades out, as scipy.ndimage's
// affine_transform(order=1, mode='constant', cval=0), and with it nibabel.processing.resample_from_to(order=1). Unlike
// there, a centre outside by no more than field_tolerance counts as on the border, so that the rounding of a header
// does not empty a whole face. As there, nothing is smoothed before a step to larger voxels.
//
// Which voxels are read, and all branches, follow from the two grids alone, never from a voxel's value.
class GridMap {
 public:
  static constexpr double field_tolerance = 0.01;  // of a source voxel, along each of its axes

  // bad_input, in words that begin with `what`, where a grid must be interpolated and cannot: the scan has an axis of a
  // single voxel; the grids do not overlap; the field of the scan holds less than half of the target's centres, so that
  // most of the result would be made up (a whole brain, cut out tightly, fills more than half of the MNI grids).
  GridMap(const Grid& from, const Grid& to, const std::string& what = "the scan");

  GridMatch match() const noexcept { return match_; }

  // volume: from.voxels() values, laid out as Scan::volumes (i slowest). Returns to.voxels() values, laid out alike.
  SecretVector<double> apply(std::span<const double> volume) const;

  // What apply does, in a plain sentence for a result or a report; "" where it only copies.
  //   reoriented from LAS to RAS, voxel for voxel, without interpolation
  //   resampled from 91 x 109 x 91 voxels of 2 x 2 x 2 mm by trilinear interpolation; 1.2 % of the model's grid lies
  //   outside the scan and was set to 0
  std::string describe() const;

  // The share of the target's centres that lie outside the field, 0 to 1.
  double outside() const noexcept { return outside_; }

 private:
  SecretVector<double> gather(std::span<const double> volume) const;
  SecretVector<double> interpolate(std::span<const double> volume) const;

  Grid from_;
  Grid to_;
  GridMatch match_;
  // Gathered: the index in a source volume is first_ + i step_[0] + j step_[1] + k step_[2].
  std::ptrdiff_t first_ = 0;
  std::array<std::ptrdiff_t, 3> step_{};
  double outside_ = 0;
};

}  // namespace smpc
