#include "volume_view.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "smpc/base/error.h"

namespace smpc::report {
namespace {

using Affine = std::array<double, 12>;

constexpr double furthest = 1e9;  // mm: sums of places are exact to far less than a pixel

Point apply(const Affine& m, const Point& p) {
  Point out{};
  for (std::size_t row = 0; row < 3; ++row) {
    out[row] = m[row * 4] * p[0] + m[row * 4 + 1] * p[1] + m[row * 4 + 2] * p[2] + m[row * 4 + 3];
  }
  return out;
}

double edge(const Affine& m, std::size_t axis) { return std::hypot(m[axis], m[4 + axis], m[8 + axis]); }

// By the adjugate.
Affine inverse(const Affine& m) {
  const auto minor = [&](std::size_t r, std::size_t c) {
    const std::size_t r1 = (r + 1) % 3, r2 = (r + 2) % 3, c1 = (c + 1) % 3, c2 = (c + 2) % 3;
    return m[r1 * 4 + c1] * m[r2 * 4 + c2] - m[r1 * 4 + c2] * m[r2 * 4 + c1];
  };
  const double det = m[0] * minor(0, 0) + m[1] * minor(0, 1) + m[2] * minor(0, 2);
  if (!(std::abs(det) > 1e-6 * edge(m, 0) * edge(m, 1) * edge(m, 2)) || !std::isfinite(det)) {
    fail_input("report: expected a grid whose affine can be inverted, found one that is flat or not finite");
  }
  Affine out{};
  for (std::size_t row = 0; row < 3; ++row) {
    for (std::size_t column = 0; column < 3; ++column) out[row * 4 + column] = minor(column, row) / det;
  }
  const Point shift = apply(out, {m[3], m[7], m[11]});
  for (std::size_t row = 0; row < 3; ++row) out[row * 4 + 3] = -shift[row];
  return out;
}

// Which stored axis runs most nearly to the right, to the front and up: the order of the six with the largest sum of
// cosines, the first of equals.
std::array<std::size_t, 3> axis_order(const Affine& m) {
  std::array<std::size_t, 3> order{0, 1, 2};
  std::array<std::size_t, 3> best = order;
  double largest = -1;
  do {
    double sum = 0;
    for (std::size_t row = 0; row < 3; ++row) sum += std::abs(m[row * 4 + order[row]]) / edge(m, order[row]);
    if (sum > largest + 1e-9) {
      largest = sum;
      best = order;
    }
  } while (std::next_permutation(order.begin(), order.end()));
  return best;
}

}  // namespace

bool meet(const Box& a, const Box& b) noexcept {
  for (std::size_t axis = 0; axis < 3; ++axis) {
    if (a.high[axis] <= b.low[axis] || b.high[axis] <= a.low[axis]) return false;
  }
  return true;
}

Box joined(const Box& a, const Box& b) noexcept {
  Box out;
  for (std::size_t axis = 0; axis < 3; ++axis) {
    out.low[axis] = std::min(a.low[axis], b.low[axis]);
    out.high[axis] = std::max(a.high[axis], b.high[axis]);
  }
  return out;
}

VolumeView::VolumeView(std::span<const double> voxels, const Grid& grid) : voxels_(voxels) {
  SMPC_CHECK(voxels.size() == grid.voxels() && !voxels.empty());
  Affine stored{};
  std::copy_n(grid.affine.begin(), stored.size(), stored.begin());
  inverse(stored);  // refuses what the order would divide by
  const std::array<std::size_t, 3> order = axis_order(stored);
  const std::array<std::ptrdiff_t, 3> steps{static_cast<std::ptrdiff_t>(std::size_t{grid.shape[1]} * grid.shape[2]),
                                            static_cast<std::ptrdiff_t>(grid.shape[2]), 1};
  for (std::size_t row = 0; row < 3; ++row) to_mm_[row * 4 + 3] = stored[row * 4 + 3];
  for (std::size_t axis = 0; axis < 3; ++axis) {
    const std::size_t from = order[axis];
    const double last = grid.shape[from] - 1.0;
    const bool backwards = stored[axis * 4 + from] < 0;
    shape_[axis] = grid.shape[from];
    stride_[axis] = backwards ? -steps[from] : steps[from];
    if (backwards) origin_ += steps[from] * static_cast<std::ptrdiff_t>(grid.shape[from] - 1);
    for (std::size_t row = 0; row < 3; ++row) {
      const double column = stored[row * 4 + from];
      to_mm_[row * 4 + axis] = backwards ? -column : column;
      if (backwards) to_mm_[row * 4 + 3] += column * last;
    }
  }
  to_voxel_ = inverse(to_mm_);
  const Box all = box();
  for (std::size_t axis = 0; axis < 3; ++axis) {
    if (std::abs(all.low[axis]) <= furthest && std::abs(all.high[axis]) <= furthest) continue;
    fail_input(
        "report: expected a grid within 1,000 km of the origin, found one that reaches beyond; its affine is damaged");
  }
}

Point VolumeView::place(const Point& ijk) const noexcept { return apply(to_mm_, ijk); }

double VolumeView::sample(const Point& mm) const noexcept {
  const Point at_voxel = apply(to_voxel_, mm);
  std::array<std::size_t, 3> first{};
  std::array<std::size_t, 3> second{};
  Point part{};
  for (std::size_t axis = 0; axis < 3; ++axis) {
    const double last = static_cast<double>(shape_[axis]) - 1;
    if (!(at_voxel[axis] >= -0.5 && at_voxel[axis] <= last + 0.5)) return 0;
    const double inside = std::clamp(at_voxel[axis], 0.0, last);
    first[axis] = static_cast<std::size_t>(inside);
    second[axis] = std::min(first[axis] + 1, shape_[axis] - 1);
    part[axis] = inside - static_cast<double>(first[axis]);
  }
  const auto along_k = [&](std::size_t i, std::size_t j) {
    return at(i, j, first[2]) * (1 - part[2]) + at(i, j, second[2]) * part[2];
  };
  const auto along_j = [&](std::size_t i) {
    return along_k(i, first[1]) * (1 - part[1]) + along_k(i, second[1]) * part[1];
  };
  return along_j(first[0]) * (1 - part[0]) + along_j(second[0]) * part[0];
}

Box VolumeView::box(const std::array<std::size_t, 3>& first, const std::array<std::size_t, 3>& last) const noexcept {
  Box out;
  for (unsigned corner = 0; corner < 8; ++corner) {
    Point ijk{};
    for (std::size_t axis = 0; axis < 3; ++axis) {
      const bool upper = (corner >> axis & 1U) != 0;
      ijk[axis] = upper ? static_cast<double>(last[axis]) + 0.5 : static_cast<double>(first[axis]) - 0.5;
    }
    const Point mm = place(ijk);
    out = corner == 0 ? Box{mm, mm} : joined(out, {mm, mm});
  }
  return out;
}

std::optional<Box> VolumeView::box_of(double least_magnitude) const noexcept {
  std::array<std::size_t, 3> first = shape_;
  std::array<std::size_t, 3> last{};
  for (std::size_t i = 0; i < shape_[0]; ++i) {
    for (std::size_t j = 0; j < shape_[1]; ++j) {
      for (std::size_t k = 0; k < shape_[2]; ++k) {
        if (std::abs(at(i, j, k)) < least_magnitude) continue;
        const std::array<std::size_t, 3> ijk{i, j, k};
        for (std::size_t axis = 0; axis < 3; ++axis) {
          first[axis] = std::min(first[axis], ijk[axis]);
          last[axis] = std::max(last[axis], ijk[axis]);
        }
      }
    }
  }
  if (first[0] == shape_[0]) return std::nullopt;
  return box(first, last);
}

double VolumeView::smallest_voxel() const noexcept {
  return std::min({edge(to_mm_, 0), edge(to_mm_, 1), edge(to_mm_, 2)});
}

}  // namespace smpc::report
