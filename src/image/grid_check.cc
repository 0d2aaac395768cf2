// How a scan's grid differs from the model's, in words a clinician can act on.
#include <algorithm>
#include <cmath>
#include <numbers>
#include <sstream>

#include "smpc/base/error.h"
#include "smpc/image/scan.h"

namespace smpc {
namespace {

using Point = std::array<double, 3>;

std::string text(double x) {
  std::ostringstream out;
  out.precision(4);
  out << (std::abs(x) < 1e-9 ? 0 : x);
  return out.str();
}

std::string shape_text(const Grid& g) {
  return std::to_string(g.shape[0]) + " x " + std::to_string(g.shape[1]) + " x " + std::to_string(g.shape[2]);
}

Point to_mm(const Grid& g, const Point& voxel) {
  Point p;
  for (std::size_t r = 0; r < 3; ++r) {
    p[r] = g.affine[4 * r] * voxel[0] + g.affine[4 * r + 1] * voxel[1] + g.affine[4 * r + 2] * voxel[2] + g.affine[4 * r + 3];
  }
  return p;
}

double largest_corner_distance(const Grid& a, const Grid& b) {
  double largest = 0;
  for (unsigned corner = 0; corner < 8; ++corner) {
    Point v;
    for (unsigned axis = 0; axis < 3; ++axis) v[axis] = (corner >> axis) & 1 ? a.shape[axis] - 1.0 : 0.0;
    const Point p = to_mm(a, v);
    const Point q = to_mm(b, v);
    largest = std::max(largest, std::hypot(p[0] - q[0], p[1] - q[1], p[2] - q[2]));
  }
  return largest;
}

Point column(const Grid& g, std::size_t c) { return {g.affine[c], g.affine[4 + c], g.affine[8 + c]}; }
double length(const Point& p) { return std::hypot(p[0], p[1], p[2]); }

// Grids of one shape: what kind of difference it is.
std::string difference(const Grid& found, const Grid& expected) {
  double degrees = 0;
  bool resized = false;
  std::string flipped;
  const char* const axes[] = {"left-right", "back-front", "bottom-top"};
  for (std::size_t c = 0; c < 3; ++c) {
    const Point f = column(found, c);
    const Point e = column(expected, c);
    resized = resized || std::abs(length(f) - length(e)) > 1e-4;
    const double cosine = (f[0] * e[0] + f[1] * e[1] + f[2] * e[2]) / (length(f) * length(e));
    if (cosine < -0.999) {
      std::size_t along = 0;
      for (std::size_t r = 1; r < 3; ++r) {
        if (std::abs(e[r]) > std::abs(e[along])) along = r;
      }
      flipped += (flipped.empty() ? "" : " and ") + std::string(axes[along]);
    } else {
      degrees = std::max(degrees, std::acos(std::clamp(cosine, -1.0, 1.0)) * 180 / std::numbers::pi);
    }
  }
  if (resized) {
    return "its voxels are " + text(length(column(found, 0))) + " x " + text(length(column(found, 1))) + " x " +
           text(length(column(found, 2))) + " mm, expected " + text(length(column(expected, 0))) + " x " +
           text(length(column(expected, 1))) + " x " + text(length(column(expected, 2)));
  }
  if (!flipped.empty()) return "it is flipped " + flipped;
  if (degrees > 0.01) return "it is rotated by up to " + text(degrees) + " degrees";
  return "it is shifted by (" + text(found.affine[3] - expected.affine[3]) + ", " +
         text(found.affine[7] - expected.affine[7]) + ", " + text(found.affine[11] - expected.affine[11]) + ") mm";
}

}  // namespace

void check_grid(const ScanHeader& header, const Grid& expected, const std::string& what) {
  const Grid& found = header.grid;
  if (found.shape != expected.shape) {
    fail_input(what + ": expected a grid of " + shape_text(expected) + " voxels, found " + shape_text(found) +
               "; resample the scan to the model's grid");
  }
  const double distance = largest_corner_distance(found, expected);
  if (!(distance <= grid_tolerance)) {
    fail_input(what + ": expected the model's grid, found another: " + difference(found, expected) +
               "; corners are up to " + text(distance) + " mm apart; resample the scan to the model's grid");
  }
}

}  // namespace smpc
