#include "grid_geometry.h"

#include <algorithm>
#include <cmath>

#include "smpc/image/scan.h"

namespace smpc::image {
namespace {

using Permutation = std::array<std::size_t, 3>;
constexpr std::array<Permutation, 6> permutations{
    {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}}};

}  // namespace

double dot(const Vec& a, const Vec& b) { return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]; }
Vec minus(const Vec& a, const Vec& b) { return {a[0] - b[0], a[1] - b[1], a[2] - b[2]}; }
// Not std::hypot of three: that of libstdc++ loses a NaN beside zeros.
double length(const Vec& v) { return std::hypot(std::hypot(v[0], v[1]), v[2]); }

double determinant(const Axes& a) {
  return a[0][0] * (a[1][1] * a[2][2] - a[1][2] * a[2][1]) - a[0][1] * (a[1][0] * a[2][2] - a[1][2] * a[2][0]) +
         a[0][2] * (a[1][0] * a[2][1] - a[1][1] * a[2][0]);
}

Vec place(const Grid& grid, const Vec& ijk) {
  Vec out{};
  for (std::size_t row = 0; row < 3; ++row) {
    const double* m = grid.affine.data() + row * 4;
    out[row] = m[0] * ijk[0] + m[1] * ijk[1] + m[2] * ijk[2] + m[3];
  }
  return out;
}

double last_index(const Grid& grid, std::size_t axis) { return std::max(grid.shape[axis], 2U) - 1.0; }

Frame frame_of(const Grid& grid) {
  Frame frame;
  for (std::size_t axis = 0; axis < 3; ++axis) {
    const Vec column = {grid.affine[axis], grid.affine[4 + axis], grid.affine[8 + axis]};
    frame.size[axis] = length(column);
    for (std::size_t row = 0; row < 3; ++row) {
      frame.direction[axis][row] = frame.size[axis] > 0 ? column[row] / frame.size[axis] : 0;
    }
  }
  return frame;
}

std::array<std::size_t, 3> main_rows(const Frame& frame) {
  const auto along = [&](const Permutation& rows) {
    double sum = 0;
    for (std::size_t axis = 0; axis < 3; ++axis) sum += std::abs(frame.direction[axis][rows[axis]]);
    return sum;
  };
  return *std::max_element(permutations.begin(), permutations.end(),
                           [&](const Permutation& a, const Permutation& b) { return along(a) < along(b); });
}

double largest_corner_distance(const Grid& from, const Grid& to, const Reorientation& order) {
  double worst = 0;
  for (unsigned corner = 0; corner < 8; ++corner) {
    Vec in_to{};
    Vec in_from{};
    for (std::size_t axis = 0; axis < 3; ++axis) {
      in_to[axis] = (corner >> axis & 1U) != 0 ? last_index(to, axis) : 0;
      in_from[order.axis[axis]] = order.flip[axis] ? to.shape[axis] - 1.0 - in_to[axis] : in_to[axis];
    }
    const double distance = length(minus(place(to, in_to), place(from, in_from)));
    if (std::isnan(distance)) return distance;
    worst = std::max(worst, distance);
  }
  return worst;
}

std::optional<Reorientation> find_reorientation(const Grid& from, const Grid& to) {
  std::optional<Reorientation> best;
  double least = grid_tolerance;
  for (const Permutation& axis : permutations) {
    if (to.shape != std::array{from.shape[axis[0]], from.shape[axis[1]], from.shape[axis[2]]}) continue;
    for (unsigned flips = 0; flips < 8; ++flips) {
      const Reorientation order{axis, {(flips & 1U) != 0, (flips & 2U) != 0, (flips & 4U) != 0}};
      const double distance = largest_corner_distance(from, to, order);
      if (!(distance <= least)) continue;
      if (order == Reorientation{}) return order;
      least = distance;
      best = order;
    }
  }
  return best;
}

}  // namespace smpc::image
