#include "smpc/image/grid_words.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <sstream>
#include <utility>
#include <vector>

#include "grid_geometry.h"
#include "smpc/base/error.h"
#include "smpc/image/grid_map.h"

namespace smpc {
namespace {

using image::Axes;
using image::dot;
using image::Frame;
using image::frame_of;
using image::last_index;
using image::length;
using image::minus;
using image::place;
using image::Vec;

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

std::string joined(const std::vector<std::string>& words) {
  std::string out = words.front();
  for (std::size_t i = 1; i < words.size(); ++i) out += ", " + words[i];
  return out;
}

std::string letters(const Frame& frame) {
  const auto rows = image::main_rows(frame);
  std::string out;
  for (std::size_t axis = 0; axis < 3; ++axis) {
    out += frame.direction[axis][rows[axis]] >= 0 ? "RAS"[rows[axis]] : "LPI"[rows[axis]];
  }
  return out;
}

// Degrees between two frames of the same handedness, with right angles.
double angle(const Axes& from, const Axes& to) {
  double trace = 0;
  for (std::size_t axis = 0; axis < 3; ++axis) trace += dot(from[axis], to[axis]);
  return std::acos(std::clamp((trace - 1) / 2, -1.0, 1.0)) * 180 / std::numbers::pi;
}

bool same_axes(const Frame& a, const Frame& b) {
  for (std::size_t axis = 0; axis < 3; ++axis) {
    if (std::abs(dot(a.direction[axis], b.direction[axis])) < 0.7) return false;
  }
  return true;
}

bool sheared(const Frame& expected, const Frame& found) {
  double worst = 0;
  for (const auto& [a, b] : {std::pair{0U, 1U}, std::pair{0U, 2U}, std::pair{1U, 2U}}) {
    worst = std::max(worst, std::abs(dot(found.direction[a], found.direction[b]) -
                                     dot(expected.direction[a], expected.direction[b])));
  }
  return worst > 1e-4;
}

// Axes of the same line that run backwards, each named, and turned round in what is returned.
Axes describe_flips(const Frame& expected, const Frame& found, std::vector<std::string>& out) {
  constexpr std::array<const char*, 3> flips = {"flipped left-right", "flipped front-back", "flipped top-bottom"};
  const auto rows = image::main_rows(expected);
  Axes upright = found.direction;
  for (std::size_t axis = 0; axis < 3; ++axis) {
    if (dot(expected.direction[axis], found.direction[axis]) > 0) continue;
    out.emplace_back(flips[rows[axis]]);
    for (double& v : upright[axis]) v = -v;
  }
  return upright;
}

void describe_sides(const Frame& expected, const Frame& found, std::vector<std::string>& out) {
  const std::string was = letters(expected);
  const std::string is = letters(found);
  if (was != is) out.emplace_back("its axes run to " + is + " instead of " + was);
}

// Axes that point elsewhere: flips are told from rotations by taking each axis that runs backwards as flipped.
void describe_directions(const Frame& expected, const Frame& found, std::vector<std::string>& out) {
  Axes upright = found.direction;
  if (same_axes(expected, found)) {
    upright = describe_flips(expected, found, out);
  } else if (image::determinant(expected.direction) * image::determinant(found.direction) < 0) {
    out.emplace_back("mirrored, so that left and right change places");
    for (double& v : upright[0]) v = -v;
  }
  describe_sides(expected, found, out);
  const double degrees = angle(expected.direction, upright);
  if (sheared(expected, found)) {
    out.emplace_back("sheared");
  } else if (degrees >= 0.005) {
    out.emplace_back("rotated by up to " + number(degrees) + " degrees");
  }
}

// A grid turned by 45 degrees may have its axes exchanged and keep its letters: then there is no more to say.
std::string reordered(const Frame& expected, const Frame& found) {
  std::vector<std::string> words;
  if (same_axes(expected, found)) describe_flips(expected, found, words);
  describe_sides(expected, found, words);
  const std::string out = "the same voxels in another order";
  return words.empty() ? out : out + ": " + joined(words);
}

std::string reshaped(const Grid& found, const Grid& expected) {
  std::vector<std::string> words{grid_words(found) + " instead of " + grid_words(expected)};
  describe_directions(frame_of(expected), frame_of(found), words);
  return joined(words);
}

// How grids of the same dimensions differ.
std::string moved(const Grid& found, const Grid& expected) {
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
  const double distance = image::largest_corner_distance(found, expected);
  return joined(words) + "; corners are up to " + number(distance) + " mm apart";
}

std::string summary(const Grid& grid) {
  return grid_words(grid) + ", the first at " + point(place(grid, {0, 0, 0}));
}

std::string remedy(const Grid& found, const Grid& expected, GridMatch match, ResampleOption option) {
  if (option == ResampleOption::absent) return "; resample the scan to the model's grid";
  if (match == GridMatch::reoriented) return "; give --resample to bring it onto the model's grid voxel for voxel";
  const std::string obstacle = resampling_obstacle(found, expected);
  if (obstacle.empty()) return "; give --resample to interpolate, or resample the scan to the model's grid";
  return "; --resample cannot help, since " + obstacle + ": normalise the scan to MNI space";
}

std::string space_caution(const ScanHeader& header) {
  const char* found = nullptr;
  if (header.space == CoordinateSpace::scanner) found = "scanner";
  if (header.space == CoordinateSpace::talairach) found = "Talairach";
  if (found == nullptr) return "";
  return std::string("its header says ") + found +
         " coordinates, not MNI: the result holds only if it was normalised to MNI space";
}

// What a quaternion in float32 may lose at the far corner of a head, near a half turn.
constexpr double forms_tolerance = 0.5;  // mm

std::string forms_caution(const ScanHeader& header) {
  if (!header.forms_apart || *header.forms_apart <= forms_tolerance) return "";
  const std::string where = std::isfinite(*header.forms_apart)
                                ? "its qform and its sform differ, by up to " + number(*header.forms_apart) + " mm"
                                : "its qform makes no orientation";
  return where + ": the sform was taken, and a viewer that goes by the qform shows the volume in another place";
}

}  // namespace

std::array<double, 3> voxel_size(const Grid& grid) { return frame_of(grid).size; }

std::string orientation_letters(const Grid& grid) { return letters(frame_of(grid)); }

std::string grid_words(const Grid& grid) {
  std::string out = std::to_string(grid.shape[0]);
  out += " x " + std::to_string(grid.shape[1]) + " x " + std::to_string(grid.shape[2]);
  return out += " voxels of " + size_text(voxel_size(grid));
}

std::string grid_difference_words(const Grid& found, const Grid& expected) {
  switch (match_grid(found, expected)) {
    case GridMatch::same:
      return "";
    case GridMatch::reoriented:
      return reordered(frame_of(expected), frame_of(found));
    case GridMatch::other:
      break;
  }
  return found.shape == expected.shape ? moved(found, expected) : reshaped(found, expected);
}

std::string header_caution(const ScanHeader& header) {
  const std::string space = space_caution(header);
  const std::string forms = forms_caution(header);
  return space + (space.empty() || forms.empty() ? "" : "; ") + forms;
}

void check_grid(const ScanHeader& header, const Grid& expected, const std::string& what, ResampleOption option) {
  const Grid& found = header.grid;
  const GridMatch match = match_grid(found, expected);
  if (match == GridMatch::same) return;
  std::string text = grid_difference_words(found, expected);
  if (match == GridMatch::other) {
    text = found.shape == expected.shape ? "one of the same dimensions that is " + text : "one of " + summary(found);
  }
  fail_input(what + ": expected a grid of " + summary(expected) + "; found " + text +
             remedy(found, expected, match, option));
}

}  // namespace smpc
