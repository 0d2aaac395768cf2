#include "views.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "background.h"

namespace smpc::report {
namespace {

constexpr double finest_pixel = 0.5;  // mm: eight to a voxel of 4 mm
constexpr double most_pixels = 440;   // along the longest axis
constexpr double margin = 7;          // mm, for the letters

constexpr double brightest_tissue = 8000;  // of the background's values
constexpr double tissue_contrast = 2;      // an exponent: the brain's edge fades, grey and white matter part

double tissue(double value) {
  return brightest_grey * std::pow(std::clamp(value / brightest_tissue, 0.0, 1.0), tissue_contrast);
}

}  // namespace

PlaneAxes axes_of(Plane plane) noexcept {
  switch (plane) {
    case Plane::sagittal:
      return {1, 2, 0};
    case Plane::coronal:
      return {0, 2, 1};
    case Plane::axial:
      break;
  }
  return {0, 1, 2};
}

Frame::Frame(const VolumeView& volume, const Summary& summary, const VolumeView& background) : box_(volume.box()) {
  const Box brain = background.box_of(brain_edge).value();
  over_background_ = meet(box_, brain);
  const std::optional<Box> coloured = summary.flat() ? std::nullopt : volume.box_of(summary.threshold);
  if (over_background_) box_ = coloured ? joined(brain, *coloured) : brain;
  double longest = 0;
  for (std::size_t axis = 0; axis < 3; ++axis) {
    box_.low[axis] = std::min(box_.low[axis], summary.peak[axis]) - margin;
    box_.high[axis] = std::max(box_.high[axis], summary.peak[axis]) + margin;
    longest = std::max(longest, box_.high[axis] - box_.low[axis]);
  }
  pixel_ = std::max(finest_pixel, longest / most_pixels);
  const auto to_edge = [&](double mm) { return (std::ceil(mm / pixel_) + 0.5) * pixel_; };
  for (std::size_t axis = 0; axis < 3; ++axis) {
    const double peak = summary.peak[axis];
    box_.low[axis] = peak - to_edge(peak - box_.low[axis]);
    box_.high[axis] = peak + to_edge(box_.high[axis] - peak);
  }
}

std::size_t Frame::width(Plane plane) const noexcept {
  const std::size_t axis = axes_of(plane).right;
  return static_cast<std::size_t>(std::lround((box_.high[axis] - box_.low[axis]) / pixel_));
}

std::size_t Frame::height(Plane plane) const noexcept {
  const std::size_t axis = axes_of(plane).up;
  return static_cast<std::size_t>(std::lround((box_.high[axis] - box_.low[axis]) / pixel_));
}

double Frame::column(Plane plane, const Point& mm) const noexcept {
  const std::size_t axis = axes_of(plane).right;
  return (mm[axis] - box_.low[axis]) / pixel_;
}

double Frame::row(Plane plane, const Point& mm) const noexcept {
  const std::size_t axis = axes_of(plane).up;
  return (box_.high[axis] - mm[axis]) / pixel_;
}

Point Frame::place(Plane plane, std::size_t column, std::size_t row, const Point& through) const noexcept {
  const PlaneAxes axes = axes_of(plane);
  Point mm = through;
  mm[axes.right] = box_.low[axes.right] + (static_cast<double>(column) + 0.5) * pixel_;
  mm[axes.up] = box_.high[axes.up] - (static_cast<double>(row) + 0.5) * pixel_;
  return mm;
}

Picture slice(Plane plane, const Frame& frame, const VolumeView& volume, const VolumeView& background,
              const ColourScale& scale, const Point& through) {
  Picture out(frame.width(plane), frame.height(plane));
  for (std::size_t row = 0; row < out.height; ++row) {
    for (std::size_t column = 0; column < out.width; ++column) {
      const Point mm = frame.place(plane, column, row, through);
      const auto colour = scale(volume.sample(mm));
      out.at(column, row) = colour ? *colour : grey(tissue(background.sample(mm)));
    }
  }
  return out;
}

}  // namespace smpc::report
