#include <algorithm>
#include <cmath>

#include "background.h"
#include "smpc/base/secret.h"
#include "views.h"

namespace smpc::report {
namespace {

constexpr double finest_step = 1;  // mm, of the lattice that is projected
constexpr double coarsest_step = 2;
constexpr double most_steps = 256;        // along the longest axis
constexpr double outline_smoothness = 4;  // mm, standard deviation
constexpr double outline_width = 2.2;     // pixels
constexpr double outline_brightness = 0.62;
constexpr double inside_brightness = 0.26;
constexpr double brightest_mean = 7000;  // of the background's values

// A flat field on the lattice of two axes: values at whole numbers, bilinear between them.
struct Field {
  Field(std::size_t columns, std::size_t rows) : width(columns), height(rows), values(columns * rows) {}
  double& at(std::size_t column, std::size_t row) { return values[row * width + column]; }
  double sample(double column, double row) const {
    const double x = std::clamp(column, 0.0, static_cast<double>(width - 1));
    const double y = std::clamp(row, 0.0, static_cast<double>(height - 1));
    const auto x0 = static_cast<std::size_t>(x);
    const auto y0 = static_cast<std::size_t>(y);
    const std::size_t x1 = std::min(x0 + 1, width - 1);
    const std::size_t y1 = std::min(y0 + 1, height - 1);
    const double dx = x - static_cast<double>(x0);
    const double dy = y - static_cast<double>(y0);
    const double low = values[y0 * width + x0] * (1 - dx) + values[y0 * width + x1] * dx;
    const double high = values[y1 * width + x0] * (1 - dx) + values[y1 * width + x1] * dx;
    return low * (1 - dy) + high * dy;
  }

  std::size_t width;
  std::size_t height;
  SecretVector<double> values;
};

// Along the lines through a plane.
struct Projection {
  Field peak;    // the volume's value of largest magnitude
  Field shadow;  // of the brain: 1 within, 0 outside, from the background's largest value
  Field sum;     // of the background, where there is brain
  Field count;   // of such points
};

// Points of space at equal steps, which fall on the centres of the volume's voxels where its axes are those of space.
struct Lattice {
  Lattice(const Frame& frame, const VolumeView& volume) {
    const Box& box = frame.box();
    double longest = 0;
    for (std::size_t axis = 0; axis < 3; ++axis) longest = std::max(longest, box.high[axis] - box.low[axis]);
    step = std::max(std::clamp(volume.smallest_voxel() / 2, finest_step, coarsest_step), longest / most_steps);
    const Point centre = volume.place({0, 0, 0});
    for (std::size_t axis = 0; axis < 3; ++axis) {
      first[axis] = centre[axis] - std::floor((centre[axis] - box.low[axis]) / step) * step;
      size[axis] = static_cast<std::size_t>(std::max(0.0, (box.high[axis] - first[axis]) / step)) + 1;
    }
  }
  double mm(std::size_t axis, std::size_t at) const { return first[axis] + static_cast<double>(at) * step; }

  double step = 0;
  Point first{};
  std::array<std::size_t, 3> size{};
};

std::array<Projection, 3> project(const Lattice& lattice, const VolumeView& volume, const VolumeView& background) {
  const auto empty = [&](Plane plane) {
    const PlaneAxes axes = axes_of(plane);
    const Field field(lattice.size[axes.right], lattice.size[axes.up]);
    return Projection{field, field, field, field};
  };
  std::array<Projection, 3> out{empty(planes[0]), empty(planes[1]), empty(planes[2])};
  for (std::size_t i = 0; i < lattice.size[0]; ++i) {
    for (std::size_t j = 0; j < lattice.size[1]; ++j) {
      for (std::size_t k = 0; k < lattice.size[2]; ++k) {
        const Point mm{lattice.mm(0, i), lattice.mm(1, j), lattice.mm(2, k)};
        const std::array<std::size_t, 3> at{i, j, k};
        const double value = volume.sample(mm);
        const double behind = background.sample(mm);
        for (std::size_t p = 0; p < planes.size(); ++p) {
          const PlaneAxes axes = axes_of(planes[p]);
          const std::size_t column = at[axes.right];
          const std::size_t row = at[axes.up];
          double& peak = out[p].peak.at(column, row);
          if (std::abs(value) > std::abs(peak)) peak = value;
          double& shadow = out[p].shadow.at(column, row);
          shadow = std::max(shadow, std::min(1.0, behind / (2 * brain_edge)));
          if (behind < brain_edge) continue;
          out[p].sum.at(column, row) += behind;
          out[p].count.at(column, row) += 1;
        }
      }
    }
  }
  return out;
}

// With binomial weights, which after n passes are nearly a Gaussian of variance n / 2 steps.
void smooth(Field& field, double deviation) {
  const auto passes = static_cast<int>(std::ceil(2 * deviation * deviation));
  const auto pass = [](double& v, double before, double after) { v = (before + 2 * v + after) / 4; };
  for (int n = 0; n < passes; ++n) {
    for (std::size_t row = 0; row < field.height; ++row) {
      double before = field.at(0, row);
      for (std::size_t column = 0; column < field.width; ++column) {
        const double kept = field.at(column, row);
        pass(field.at(column, row), before, field.at(std::min(column + 1, field.width - 1), row));
        before = kept;
      }
    }
    for (std::size_t column = 0; column < field.width; ++column) {
      double before = field.at(column, 0);
      for (std::size_t row = 0; row < field.height; ++row) {
        const double kept = field.at(column, row);
        pass(field.at(column, row), before, field.at(column, std::min(row + 1, field.height - 1)));
        before = kept;
      }
    }
  }
}

// How much of a pixel the line takes along which the shadow is a half: its distance to that line is, nearly, the
// difference over the gradient.
double outline(const Field& shadow, double column, double row, double pixel) {
  const double difference = shadow.sample(column, row) - 0.5;
  const double across = shadow.sample(column + 0.5, row) - shadow.sample(column - 0.5, row);
  const double along = shadow.sample(column, row + 0.5) - shadow.sample(column, row - 0.5);
  const double gradient = std::hypot(across, along);
  if (gradient == 0) return 0;
  const double pixels = std::abs(difference) / gradient / pixel;
  return std::clamp(outline_width / 2 + 0.5 - pixels, 0.0, 1.0);
}

}  // namespace

std::array<Picture, 3> glass_brain(const Frame& frame, const VolumeView& volume, const VolumeView& background,
                                   const ColourScale& scale) {
  const Lattice lattice(frame, volume);
  std::array<Projection, 3> projections = project(lattice, volume, background);
  for (Projection& p : projections) smooth(p.shadow, outline_smoothness / lattice.step);
  const auto draw = [&](std::size_t p) {
    const Plane plane = planes[p];
    const PlaneAxes axes = axes_of(plane);
    const Projection& projection = projections[p];
    Picture out(frame.width(plane), frame.height(plane));
    for (std::size_t row = 0; row < out.height; ++row) {
      for (std::size_t column = 0; column < out.width; ++column) {
        const Point mm = frame.place(plane, column, row, {});
        const double x = (mm[axes.right] - lattice.first[axes.right]) / lattice.step;
        const double y = (mm[axes.up] - lattice.first[axes.up]) / lattice.step;
        if (const auto colour = scale(projection.peak.sample(x, y))) {
          out.at(column, row) = *colour;
          continue;
        }
        const double count = projection.count.sample(x, y);
        const double mean = count >= 1 ? projection.sum.sample(x, y) / count / brightest_mean : 0;
        const double line = outline(projection.shadow, x, y, frame.pixel() / lattice.step);
        out.at(column, row) = grey(std::max(inside_brightness * mean * mean, outline_brightness * line));
      }
    }
    return out;
  };
  return {draw(0), draw(1), draw(2)};
}

}  // namespace smpc::report
