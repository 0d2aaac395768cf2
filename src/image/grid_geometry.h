// Grids as geometry: their axes in space, their corners, and which order of axes brings one onto another.
#pragma once

#include <array>
#include <cstddef>
#include <optional>

#include "smpc/base/grid.h"

namespace smpc::image {

using Vec = std::array<double, 3>;
using Axes = std::array<Vec, 3>;  // one vector for each of i, j, k

double dot(const Vec& a, const Vec& b);
Vec minus(const Vec& a, const Vec& b);
double length(const Vec& v);
double determinant(const Axes& a);

// The millimetres of a place between voxels.
Vec place(const Grid& grid, const Vec& ijk);

// Of an axis of one voxel 1, as if it had two, so that its size and direction count.
double last_index(const Grid& grid, std::size_t axis);

struct Frame {
  Vec size{};        // millimetres a voxel
  Axes direction{};  // unit vectors; 0 for an axis without size
};
Frame frame_of(const Grid& grid);

// Which of x, y and z each of i, j and k runs along: a permutation, the one that leaves the least over.
std::array<std::size_t, 3> main_rows(const Frame& frame);

// Axis a of one grid is axis `axis[a]` of another, run from its end where flip[a].
struct Reorientation {
  std::array<std::size_t, 3> axis{0, 1, 2};
  std::array<bool, 3> flip{};
  friend bool operator==(const Reorientation&, const Reorientation&) = default;
};

// How far apart the corners of `to` and what `order` makes them in `from` are, at most: in millimetres. NaN where a
// place is beyond what a double holds.
double largest_corner_distance(const Grid& from, const Grid& to, const Reorientation& order = {});

// The order of axes that brings `from` onto `to` within grid_tolerance, if there is one; the identity where it does,
// else the one that comes closest.
std::optional<Reorientation> find_reorientation(const Grid& from, const Grid& to);

}  // namespace smpc::image
