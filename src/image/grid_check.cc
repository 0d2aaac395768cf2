// How a scan's grid differs from the model's, in words a clinician can act on.
#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "smpc/base/error.h"
#include "smpc/image/scan.h"

namespace smpc {
namespace {

using Vec = std::array<double, 3>;
using Axes = std::array<Vec, 3>;  // one vector for each of i, j, k

double dot(const Vec& a, const Vec& b) { return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]; }
Vec minus(const Vec& a, const Vec& b) { return {a[0] - b[0], a[1] - b[1], a[2] - b[2]}; }
double length(const Vec& v) { return std::hypot(v[0], v[1], v[2]); }

Vec place(const Grid& grid, const Vec& ijk) {
  Vec out{};
  for (std::size_t row = 0; row < 3; ++row) {
    const double* m = grid.affine.data() + row * 4;
    out[row] = m[0] * ijk[0] + m[1] * ijk[1] + m[2] * ijk[2] + m[3];
  }
  return out;
}

double last_index(const Grid& grid, std::size_t axis) { return std::max(grid.shape[axis], 2U) - 1.0; }

struct Frame {
  Vec size{};        // millimetres a voxel
  Axes direction{};  // unit vectors
};

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

double determinant(const Axes& a) {
  return a[0][0] * (a[1][1] * a[2][2] - a[1][2] * a[2][1]) - a[0][1] * (a[1][0] * a[2][2] - a[1][2] * a[2][0]) +
         a[0][2] * (a[1][0] * a[2][1] - a[1][1] * a[2][0]);
}

std::string number(double v) {
  std::ostringstream out;
  out.precision(4);
  out << (std::abs(v) < 5e-4 ? 0 : v);
  return out.str();
}

std::string size_text(const Vec& v) {
  std::string out = number(v[0]);
  return out += " x " + number(v[1]) + " x " + number(v[2]) + " mm";
}

std::string point(const Vec& v) {
  std::string out = "(";
  return out += number(v[0]) + ", " + number(v[1]) + ", " + number(v[2]) + ") mm";
}

std::string shape_text(const Grid& g) {
  std::string out = std::to_string(g.shape[0]);
  return out += " x " + std::to_string(g.shape[1]) + " x " + std::to_string(g.shape[2]);
}

std::string summary(const Grid& grid) {
  return shape_text(grid) + " voxels of " + size_text(frame_of(grid).size) + ", the first at " +
         point(place(grid, {0, 0, 0}));
}

std::size_t main_row(const Vec& direction) {
  std::size_t best = 0;
  for (std::size_t row = 1; row < 3; ++row) {
    if (std::abs(direction[row]) > std::abs(direction[best])) best = row;
  }
  return best;
}

// Where i, j and k point, by the first letter of the side they run to: RAS, LAS, ...
std::string sides(const Frame& frame) {
  std::string out;
  for (const Vec& direction : frame.direction) {
    const std::size_t row = main_row(direction);
    out += direction[row] >= 0 ? "RAS"[row] : "LPI"[row];
  }
  return out;
}

// Degrees between two frames of the same handedness, with right angles.
double angle(const Axes& from, const Axes& to) {
  double trace = 0;
  for (std::size_t axis = 0; axis < 3; ++axis) trace += dot(from[axis], to[axis]);
  return std::acos(std::clamp((trace - 1) / 2, -1.0, 1.0)) * 180 / std::numbers::pi;
}

// Axes that point elsewhere: flips are told from rotations by taking each axis that runs backwards as flipped.
void describe_directions(const Frame& expected, const Frame& found, std::vector<std::string>& out) {
  const bool sheared = [&] {
    double worst = 0;
    for (const auto& [a, b] : {std::pair{0U, 1U}, std::pair{0U, 2U}, std::pair{1U, 2U}}) {
      worst = std::max(worst, std::abs(dot(found.direction[a], found.direction[b]) -
                                       dot(expected.direction[a], expected.direction[b])));
    }
    return worst > 1e-4;
  }();
  const bool same_axes = [&] {
    for (std::size_t axis = 0; axis < 3; ++axis) {
      if (std::abs(dot(expected.direction[axis], found.direction[axis])) < 0.7) return false;
    }
    return true;
  }();
  Axes upright = found.direction;
  if (same_axes) {
    constexpr std::array<const char*, 3> flips = {"flipped left-right", "flipped front-back", "flipped top-bottom"};
    for (std::size_t axis = 0; axis < 3; ++axis) {
      if (dot(expected.direction[axis], found.direction[axis]) > 0) continue;
      out.emplace_back(flips[main_row(expected.direction[axis])]);
      for (double& v : upright[axis]) v = -v;
    }
  } else if (determinant(expected.direction) * determinant(found.direction) < 0) {
    out.emplace_back("mirrored, so that left and right change places");
    for (double& v : upright[0]) v = -v;
  }
  const std::string was = sides(expected);
  const std::string is = sides(found);
  if (was != is) out.emplace_back("its axes run to " + is + " instead of " + was);
  const double degrees = angle(expected.direction, upright);
  if (sheared) {
    out.emplace_back("sheared");
  } else if (degrees >= 0.005) {
    out.emplace_back("rotated by up to " + number(degrees) + " degrees");
  }
}

std::string difference(const Grid& expected, const Grid& found) {
  std::vector<std::string> words;
  const Frame was = frame_of(expected);
  const Frame is = frame_of(found);
  describe_directions(was, is, words);
  Vec centre{};
  bool resized = false;
  for (std::size_t axis = 0; axis < 3; ++axis) {
    const double last = last_index(expected, axis);
    centre[axis] = last / 2;
    resized |= std::abs(was.size[axis] - is.size[axis]) * last > grid_tolerance / 2;
  }
  if (resized) {
    words.emplace_back("of another voxel size, " + size_text(is.size) + " instead of " + size_text(was.size));
  }
  const Vec shift = minus(place(found, centre), place(expected, centre));
  if (length(shift) > grid_tolerance / 2) words.emplace_back("shifted by " + point(shift) + " at its centre");
  if (words.empty()) words.emplace_back("slightly turned or scaled");
  std::string out = words.front();
  for (std::size_t i = 1; i < words.size(); ++i) out += ", " + words[i];
  return out;
}

// NaN where a place is beyond what a double holds.
double largest_corner_distance(const Grid& a, const Grid& b) {
  double worst = 0;
  for (unsigned corner = 0; corner < 8; ++corner) {
    Vec ijk{};
    for (std::size_t axis = 0; axis < 3; ++axis) ijk[axis] = (corner >> axis & 1U) != 0 ? last_index(a, axis) : 0;
    const double distance = length(minus(place(a, ijk), place(b, ijk)));
    if (std::isnan(distance)) return distance;
    worst = std::max(worst, distance);
  }
  return worst;
}

}  // namespace

void check_grid(const ScanHeader& header, const Grid& expected, const std::string& what) {
  const Grid& found = header.grid;
  constexpr const char* remedy = "; resample the scan to the model's grid";
  if (found.shape != expected.shape) {
    fail_input(what + ": expected a grid of " + summary(expected) + "; found one of " + summary(found) + remedy);
  }
  const double distance = largest_corner_distance(expected, found);
  if (distance <= grid_tolerance) return;
  fail_input(what + ": expected a grid of " + summary(expected) + "; found one of the same dimensions that is " +
             difference(expected, found) + "; corners are up to " + number(distance) + " mm apart" + remedy);
}

}  // namespace smpc
