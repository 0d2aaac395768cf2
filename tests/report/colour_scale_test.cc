// The colours can be told apart, by people with the usual colour vision and with the three dichromacies (Machado,
// Oliveira and Fernandes 2009, doi:10.1109/TVCG.2009.113, severity 1.0).
#include "src/report/colour_scale.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

namespace smpc::report {
namespace {

using Vec = std::array<double, 3>;
using Matrix = std::array<double, 9>;

struct Vision {
  const char* name;
  Matrix linear;
};
const Vision visions[] = {
    {"usual", {1, 0, 0, 0, 1, 0, 0, 0, 1}},
    {"protanopia", {0.152286, 1.052583, -0.204868, 0.114503, 0.786281, 0.099216, -0.003882, -0.048116, 1.051998}},
    {"deuteranopia", {0.367322, 0.860646, -0.227968, 0.280085, 0.672501, 0.047413, -0.011820, 0.042940, 0.968881}},
    {"tritanopia", {1.255528, -0.076749, -0.178779, -0.078411, 0.930809, 0.147602, 0.004733, 0.691367, 0.303900}},
};

Vec times(const Matrix& m, const Vec& v) {
  Vec out{};
  for (std::size_t r = 0; r < 3; ++r) out[r] = m[r * 3] * v[0] + m[r * 3 + 1] * v[1] + m[r * 3 + 2] * v[2];
  return out;
}

// CIE L*a*b*, D65.
Vec lab(const Rgb& c, const Vision& vision) {
  const auto linear = [](std::uint8_t v) {
    const double x = v / 255.0;
    return x <= 0.04045 ? x / 12.92 : std::pow((x + 0.055) / 1.055, 2.4);
  };
  Vec seen = times(vision.linear, {linear(c.red), linear(c.green), linear(c.blue)});
  for (double& v : seen) v = std::min(1.0, std::max(0.0, v));
  const Vec xyz =
      times({0.4124564, 0.3575761, 0.1804375, 0.2126729, 0.7151522, 0.0721750, 0.0193339, 0.1191920, 0.9503041}, seen);
  const auto f = [](double t) { return t > 0.008856 ? std::cbrt(t) : 7.787 * t + 16.0 / 116; };
  const double x = f(xyz[0] / 0.95047), y = f(xyz[1]), z = f(xyz[2] / 1.08883);
  return {116 * y - 16, 500 * (x - y), 200 * (y - z)};
}

double distance(const Vec& a, const Vec& b) { return std::hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]); }

Rgb warm(std::size_t level) { return palette()[grey_levels + level]; }
Rgb cold(std::size_t level) { return palette()[grey_levels + value_levels + level]; }

TEST(Palette, IsOneByteAPixel) {
  EXPECT_LE(palette().size(), 256U);
  EXPECT_EQ(palette()[grey(0)], (Rgb{0, 0, 0}));
  EXPECT_EQ(palette()[grey(1)], (Rgb{255, 255, 255}));
  EXPECT_EQ(grey(-3), grey(0));
  EXPECT_EQ(grey(7), grey(1));
}

TEST(Palette, MagnitudeIsLightnessForEveryone) {
  for (const Vision& vision : visions) {
    for (std::size_t i = 1; i < value_levels; ++i) {
      EXPECT_GT(lab(warm(i), vision)[0], lab(warm(i - 1), vision)[0]) << vision.name << " warm " << i;
      EXPECT_GT(lab(cold(i), vision)[0], lab(cold(i - 1), vision)[0]) << vision.name << " cold " << i;
    }
    EXPECT_GT(lab(warm(value_levels - 1), vision)[0] - lab(warm(0), vision)[0], 40) << vision.name;
    EXPECT_GT(lab(cold(value_levels - 1), vision)[0] - lab(cold(0), vision)[0], 40) << vision.name;
  }
}

// A difference of about 2.3 is the least that is seen at all.
TEST(Palette, SignIsTellableForEveryone) {
  for (const Vision& vision : visions) {
    for (std::size_t i = 0; i < value_levels; ++i) {
      for (std::size_t j = 0; j < value_levels; ++j) {
        EXPECT_GT(distance(lab(warm(i), vision), lab(cold(j), vision)), 25) << vision.name << " " << i << " " << j;
      }
    }
  }
}

TEST(Palette, ColoursStandOutFromTheBrainBehind) {
  for (const Vision& vision : visions) {
    for (std::size_t i = 0; i < value_levels; ++i) {
      for (std::size_t g = 0; g <= grey(brightest_grey); ++g) {
        EXPECT_GT(distance(lab(warm(i), vision), lab(palette()[g], vision)), 12)
            << vision.name << " warm " << i << " grey " << g;
        EXPECT_GT(distance(lab(cold(i), vision), lab(palette()[g], vision)), 12)
            << vision.name << " cold " << i << " grey " << g;
      }
    }
  }
}

TEST(ColourScale, GoesFromTheThresholdToTheLargest) {
  Summary s;
  s.least = -8;
  s.most = 10;
  s.threshold = 2;
  s.largest = 10;
  const ColourScale scale(s);
  EXPECT_FALSE(scale(1.999));
  EXPECT_FALSE(scale(0));
  EXPECT_EQ(scale(2), grey_levels);
  EXPECT_EQ(scale(10), grey_levels + value_levels - 1);
  EXPECT_EQ(scale(-2), grey_levels + value_levels);
  EXPECT_EQ(scale(-10), grey_levels + 2 * value_levels - 1);
  s.threshold = 10;
  EXPECT_EQ(ColourScale(s)(10), grey_levels + value_levels - 1);
  s.least = s.most;
  EXPECT_FALSE(ColourScale(s)(10)) << "nothing is coloured where all voxels are equal";
}

}  // namespace
}  // namespace smpc::report
