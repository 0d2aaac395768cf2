// The colours of the pictures: greys for the brain behind, two warm and cold rows for values above and below zero.
//
// Warm runs from red to yellow and cold from blue to cyan, each getting lighter all the way. So the sign shows in the
// hue between blue and yellow, which the common colour blindnesses keep, and the magnitude in the lightness, which all
// of them keep. Every colour of a picture is one of 256, which makes it a small PNG.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "summary.h"

namespace smpc::report {

struct Rgb {
  std::uint8_t red = 0;
  std::uint8_t green = 0;
  std::uint8_t blue = 0;
  friend bool operator==(const Rgb&, const Rgb&) = default;
};

constexpr std::size_t grey_levels = 112;
constexpr std::size_t value_levels = 72;  // of each sign
using Palette = std::array<Rgb, grey_levels + 2 * value_levels>;

// Greys from black to white, then the warm row, then the cold one.
const Palette& palette();

// What is drawn in grey is no brighter, so that the lightest colours stand out from it.
constexpr double brightest_grey = 0.78;

// 0: black, 1: white. Others are taken for the nearer of the two.
std::uint8_t grey(double brightness) noexcept;

// From a volume's values to colours.
class ColourScale {
 public:
  explicit ColourScale(const Summary& summary) noexcept;
  // Nothing for a value below the threshold.
  std::optional<std::uint8_t> operator()(double value) const noexcept;

 private:
  bool none_;
  double threshold_;
  double largest_;
};

}  // namespace smpc::report
