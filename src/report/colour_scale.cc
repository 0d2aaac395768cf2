#include "colour_scale.h"

#include <algorithm>
#include <cmath>
#include <span>

namespace smpc::report {
namespace {

constexpr std::array<Rgb, 4> warm{{{0xc4, 0x1c, 0x00}, {0xf4, 0x50, 0x00}, {0xff, 0xa0, 0x0c}, {0xff, 0xf0, 0x60}}};
constexpr std::array<Rgb, 4> cold{{{0x2a, 0x48, 0xe0}, {0x2b, 0x7e, 0xff}, {0x30, 0xba, 0xff}, {0x80, 0xf4, 0xff}}};

Rgb between(std::span<const Rgb> stops, double part) {
  const double at = part * static_cast<double>(stops.size() - 1);
  const std::size_t first = std::min(static_cast<std::size_t>(at), stops.size() - 2);
  const double rest = at - static_cast<double>(first);
  const auto mix = [&](std::uint8_t a, std::uint8_t b) {
    return static_cast<std::uint8_t>(std::lround(a + (b - a) * rest));
  };
  const Rgb& a = stops[first];
  const Rgb& b = stops[first + 1];
  return {mix(a.red, b.red), mix(a.green, b.green), mix(a.blue, b.blue)};
}

std::size_t level(double part, std::size_t levels) {
  return static_cast<std::size_t>(std::lround(std::clamp(part, 0.0, 1.0) * static_cast<double>(levels - 1)));
}

Palette make_palette() {
  Palette out;
  for (std::size_t i = 0; i < grey_levels; ++i) {
    const auto v = static_cast<std::uint8_t>(std::lround(255.0 * static_cast<double>(i) / (grey_levels - 1)));
    out[i] = {v, v, v};
  }
  for (std::size_t i = 0; i < value_levels; ++i) {
    const double part = static_cast<double>(i) / (value_levels - 1);
    out[grey_levels + i] = between(warm, part);
    out[grey_levels + value_levels + i] = between(cold, part);
  }
  return out;
}

}  // namespace

const Palette& palette() {
  static const Palette made = make_palette();
  return made;
}

std::uint8_t grey(double brightness) noexcept { return static_cast<std::uint8_t>(level(brightness, grey_levels)); }

ColourScale::ColourScale(const Summary& summary) noexcept
    : none_(summary.flat()), threshold_(summary.threshold), largest_(summary.largest) {}

std::optional<std::uint8_t> ColourScale::operator()(double value) const noexcept {
  const double magnitude = std::abs(value);
  if (none_ || magnitude < threshold_) return std::nullopt;
  const double part = largest_ > threshold_ ? (magnitude - threshold_) / (largest_ - threshold_) : 1;
  const std::size_t row = value > 0 ? grey_levels : grey_levels + value_levels;
  return static_cast<std::uint8_t>(row + level(part, value_levels));
}

}  // namespace smpc::report
