#include "summary.h"

#include <algorithm>
#include <cmath>
#include <functional>

#include "smpc/base/error.h"
#include "smpc/base/secret.h"

namespace smpc::report {
namespace {

template <class Visit>
void each_voxel(const VolumeView& volume, const Visit& visit) {
  const auto [ni, nj, nk] = volume.shape();
  for (std::size_t i = 0; i < ni; ++i) {
    for (std::size_t j = 0; j < nj; ++j) {
      for (std::size_t k = 0; k < nk; ++k) visit(i, j, k, volume.at(i, j, k));
    }
  }
}

double three_digits_down(double v) {
  const double unit = std::pow(10, std::floor(std::log10(v)) - 2);
  const double rounded = std::floor(v / unit) * unit;
  return std::isfinite(rounded) && rounded > 0 && rounded <= v ? rounded : v;
}

double threshold_of(const VolumeView& volume, std::size_t nonzero, double largest) {
  SecretVector<double> magnitudes;
  magnitudes.reserve(nonzero);
  each_voxel(volume, [&](std::size_t, std::size_t, std::size_t, double v) {
    if (v != 0) magnitudes.push_back(std::abs(v));
  });
  const auto passed = static_cast<std::size_t>(std::ceil(coloured_share * static_cast<double>(nonzero)));
  const auto at = magnitudes.begin() + static_cast<std::ptrdiff_t>(passed - 1);
  std::nth_element(magnitudes.begin(), at, magnitudes.end(), std::greater<>());
  return three_digits_down(std::min(*at, highest_threshold * largest));
}

Point middle(const VolumeView& volume) {
  const auto& shape = volume.shape();
  const auto half = [&](std::size_t axis) { return static_cast<double>((shape[axis] - 1) / 2); };
  return volume.place({half(0), half(1), half(2)});
}

}  // namespace

Summary summarise(const VolumeView& volume) {
  Summary out;
  out.least = out.most = out.peak_value = volume.at(0, 0, 0);
  std::array<std::size_t, 3> peak{};
  each_voxel(volume, [&](std::size_t i, std::size_t j, std::size_t k, double v) {
    SMPC_CHECK(std::isfinite(v));  // a scan with another voxel is refused when it is read
    out.least = std::min(out.least, v);
    out.most = std::max(out.most, v);
    if (v != 0) ++out.nonzero;
    if (std::abs(v) > std::abs(out.peak_value)) {
      out.peak_value = v;
      peak = {i, j, k};
    }
  });
  out.largest = std::abs(out.peak_value);
  if (out.flat()) {
    out.peak = middle(volume);
    return out;
  }
  out.peak = volume.place({static_cast<double>(peak[0]), static_cast<double>(peak[1]), static_cast<double>(peak[2])});
  out.threshold = threshold_of(volume, out.nonzero, out.largest);
  each_voxel(volume, [&](std::size_t, std::size_t, std::size_t, double v) {
    if (std::abs(v) < out.threshold) return;
    ++out.coloured;
    (v > 0 ? out.coloured_positive : out.coloured_negative) = true;
  });
  return out;
}

}  // namespace smpc::report
