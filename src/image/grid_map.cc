#include "smpc/image/grid_map.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>

#include "grid_geometry.h"
#include "smpc/base/error.h"
#include "smpc/image/grid_words.h"

namespace smpc {
namespace {

using image::Vec;

// 3 x 4, row by row: inverse(from) * to, which takes a place in `to` to one in `from`, both counted in voxels. A
// `from` that is flat gives places that are not finite, and they lie in no field.
std::array<double, 12> between(const std::array<double, 16>& from, const std::array<double, 16>& to) {
  const auto minor = [&](std::size_t row, std::size_t column) {
    const std::size_t r = (row + 1) % 3;
    const std::size_t s = (row + 2) % 3;
    const std::size_t c = (column + 1) % 3;
    const std::size_t d = (column + 2) % 3;
    return from[4 * r + c] * from[4 * s + d] - from[4 * r + d] * from[4 * s + c];
  };
  const double determinant = from[0] * minor(0, 0) + from[1] * minor(0, 1) + from[2] * minor(0, 2);
  std::array<double, 12> out{};
  for (std::size_t row = 0; row < 3; ++row) {
    for (std::size_t column = 0; column < 4; ++column) {
      double sum = 0;
      for (std::size_t n = 0; n < 3; ++n) {
        const double millimetres = to[4 * n + column] - (column == 3 ? from[4 * n + 3] : 0);
        sum += minor(n, row) * millimetres;
      }
      out[4 * row + column] = sum / determinant;
    }
  }
  return out;
}

// The cell of eight voxels around a place, and how far into it the place lies along each axis, 0 to 1.
struct Cell {
  std::size_t first = 0;  // index of the voxel that comes first
  Vec part{};
  bool inside = false;
};

class Field {
 public:
  Field(const Grid& from, const Grid& to) noexcept : shape_(from.shape), matrix_(between(from.affine, to.affine)) {}

  Cell cell(std::size_t i, std::size_t j, std::size_t k) const noexcept {
    const std::array<double, 3> at = {static_cast<double>(i), static_cast<double>(j), static_cast<double>(k)};
    Cell cell;
    for (std::size_t axis = 0; axis < 3; ++axis) {
      const double* m = matrix_.data() + 4 * axis;
      const double place = m[0] * at[0] + m[1] * at[1] + m[2] * at[2] + m[3];
      const double last = shape_[axis] - 1.0;
      // Written so that NaN is outside.
      if (!(place >= -GridMap::field_tolerance && place <= last + GridMap::field_tolerance)) return {};
      const double lower = std::clamp(std::floor(place), 0.0, last - 1);
      cell.part[axis] = std::clamp(place - lower, 0.0, 1.0);
      cell.first = cell.first * shape_[axis] + static_cast<std::size_t>(lower);
    }
    cell.inside = true;
    return cell;
  }

  // Of the centres of `to`, how many lie inside.
  std::size_t held(const Grid& to) const noexcept {
    std::size_t count = 0;
    for (std::size_t i = 0; i < to.shape[0]; ++i) {
      for (std::size_t j = 0; j < to.shape[1]; ++j) {
        for (std::size_t k = 0; k < to.shape[2]; ++k) count += cell(i, j, k).inside ? 1 : 0;
      }
    }
    return count;
  }

 private:
  std::array<std::uint32_t, 3> shape_;
  std::array<double, 12> matrix_;
};

// Exact where part is 0 or 1.
double mix(double a, double b, double part) { return (1 - part) * a + part * b; }

bool single_slice(const Grid& grid) { return std::find(grid.shape.begin(), grid.shape.end(), 1U) != grid.shape.end(); }

double share_outside(const Grid& from, const Grid& to) {
  const std::size_t all = to.voxels();
  if (single_slice(from) || all == 0) return 1;
  return static_cast<double>(all - Field(from, to).held(to)) / static_cast<double>(all);
}

std::string percent(double share) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.1f %%", 100 * share);
  return text.data();
}

std::string obstacle_of(const Grid& from, double outside) {
  if (single_slice(from)) return "it is a single slice, with nothing to interpolate between";
  if (outside == 1) return "it does not overlap the model's grid";
  if (outside <= 0.5) return "";
  // Rounded down: never to the half that would do. What is added is what the division may have lost.
  return "it covers only " + percent(std::floor(1000 * (1 - outside) + 1e-6) / 1000) + " of the model's grid";
}

}  // namespace

GridMatch match_grid(const Grid& found, const Grid& expected) {
  const auto order = image::find_reorientation(found, expected);
  if (!order) return GridMatch::other;
  return *order == image::Reorientation{} ? GridMatch::same : GridMatch::reoriented;
}

std::string resampling_obstacle(const Grid& from, const Grid& to) {
  return match_grid(from, to) == GridMatch::other ? obstacle_of(from, share_outside(from, to)) : "";
}

GridMap::GridMap(const Grid& from, const Grid& to, const std::string& what)
    : from_(from), to_(to), match_(match_grid(from, to)) {
  if (match_ == GridMatch::other) {
    outside_ = share_outside(from, to);
    const std::string obstacle = obstacle_of(from, outside_);
    if (obstacle.empty()) return;
    fail_input(what + ": expected a volume that covers at least half of the model's grid, to be resampled onto it; "
               "found that " + obstacle + "; normalise the scan to MNI space");
  }
  const auto order = image::find_reorientation(from, to).value();
  const std::array<std::size_t, 3> stride = {std::size_t{from.shape[1]} * from.shape[2], from.shape[2], 1};
  for (std::size_t axis = 0; axis < 3; ++axis) {
    const auto step = static_cast<std::ptrdiff_t>(stride[order.axis[axis]]);
    if (order.flip[axis]) first_ += step * (std::ptrdiff_t{to.shape[axis]} - 1);
    step_[axis] = order.flip[axis] ? -step : step;
  }
}

SecretVector<double> GridMap::apply(std::span<const double> volume) const {
  SMPC_CHECK(volume.size() == from_.voxels());
  return match_ == GridMatch::other ? interpolate(volume) : gather(volume);
}

SecretVector<double> GridMap::gather(std::span<const double> volume) const {
  SecretVector<double> out(to_.voxels());
  double* next = out.data();
  for (std::ptrdiff_t i = 0; i < to_.shape[0]; ++i) {
    for (std::ptrdiff_t j = 0; j < to_.shape[1]; ++j) {
      const std::ptrdiff_t row = first_ + i * step_[0] + j * step_[1];
      for (std::ptrdiff_t k = 0; k < to_.shape[2]; ++k) *next++ = volume[static_cast<std::size_t>(row + k * step_[2])];
    }
  }
  return out;
}

SecretVector<double> GridMap::interpolate(std::span<const double> volume) const {
  const Field field(from_, to_);
  const std::size_t down_j = from_.shape[2];
  const std::size_t down_i = down_j * from_.shape[1];
  SecretVector<double> out(to_.voxels());
  double* next = out.data();
  for (std::size_t i = 0; i < to_.shape[0]; ++i) {
    for (std::size_t j = 0; j < to_.shape[1]; ++j) {
      for (std::size_t k = 0; k < to_.shape[2]; ++k, ++next) {
        const Cell cell = field.cell(i, j, k);
        if (!cell.inside) continue;
        const auto along_k = [&](std::size_t at) { return mix(volume[at], volume[at + 1], cell.part[2]); };
        const auto along_j = [&](std::size_t at) { return mix(along_k(at), along_k(at + down_j), cell.part[1]); };
        *next = mix(along_j(cell.first), along_j(cell.first + down_i), cell.part[0]);
      }
    }
  }
  return out;
}

std::string GridMap::describe() const {
  if (match_ == GridMatch::same) return "";
  if (match_ == GridMatch::reoriented) {
    const std::string was = orientation_letters(from_);
    const std::string is = orientation_letters(to_);
    return "reoriented" + (was != is ? " from " + was + " to " + is : std::string()) +
           ", voxel for voxel, without interpolation";
  }
  std::string out = "resampled from " + grid_words(from_) + " by trilinear interpolation";
  if (outside_ == 0) return out;
  const std::string share = outside_ < 0.0005 ? "less than 0.1 %" : percent(outside_);
  return out + "; " + share + " of the model's grid lies outside the scan and was set to 0";
}

}  // namespace smpc
