// The six pictures of a volume: three slices through its peak over the background, and three projections of it through
// the whole brain. Left is at the left in all of them (the neurological convention).
#pragma once

#include <array>
#include <cstddef>

#include "colour_scale.h"
#include "picture.h"
#include "volume_view.h"

namespace smpc::report {

enum class Plane { sagittal, coronal, axial };
constexpr std::array<Plane, 3> planes{Plane::sagittal, Plane::coronal, Plane::axial};

// Axes of space (0: to the right, 1: to the front, 2: up) along a picture's rows, up its columns, and through it.
struct PlaneAxes {
  std::size_t right;
  std::size_t up;
  std::size_t through;
};
PlaneAxes axes_of(Plane plane) noexcept;

// What all pictures of a volume show: the brain behind and every voxel that is coloured, or where the volume lies
// elsewhere in space, the volume alone. The peak is in the centre of a pixel, so it is seen however small it is.
class Frame {
 public:
  Frame(const VolumeView& volume, const Summary& summary, const VolumeView& background);

  const Box& box() const noexcept { return box_; }
  bool over_background() const noexcept { return over_background_; }
  double pixel() const noexcept { return pixel_; }  // mm
  std::size_t width(Plane plane) const noexcept;    // pixels
  std::size_t height(Plane plane) const noexcept;
  // The pixel coordinates, from the top left corner, of a place; whole numbers are the edges of pixels.
  double column(Plane plane, const Point& mm) const noexcept;
  double row(Plane plane, const Point& mm) const noexcept;
  // The place of a pixel's centre, in the plane through `through`.
  Point place(Plane plane, std::size_t column, std::size_t row, const Point& through) const noexcept;

 private:
  Box box_;
  bool over_background_ = false;
  double pixel_ = 0;
};

Picture slice(Plane plane, const Frame& frame, const VolumeView& volume, const VolumeView& background,
              const ColourScale& scale, const Point& through);

// The value of largest magnitude along each line through the volume, over the brain's mean and outline.
std::array<Picture, 3> glass_brain(const Frame& frame, const VolumeView& volume, const VolumeView& background,
                                   const ColourScale& scale);

}  // namespace smpc::report
