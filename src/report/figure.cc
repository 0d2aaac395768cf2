#include "figure.h"

#include <array>
#include <string_view>

#include "background.h"
#include "colour_scale.h"
#include "picture.h"
#include "smpc/report/html.h"
#include "views.h"

namespace smpc::report {
namespace {

constexpr std::array<std::string_view, 3> plane_names{"sagittal", "coronal", "axial"};
constexpr std::string_view axis_names = "xyz";
// Which side a picture's left and right edge are.
constexpr std::array<std::array<std::string_view, 2>, 3> sides{{{"P", "A"}, {"L", "R"}, {"L", "R"}}};
constexpr std::array<std::string_view, 3> side_words{
    "the back of the head at the left", "left at the left, seen from behind", "left at the left, seen from above"};

std::string letter(std::string_view text, double x, double y, const char* anchor, double size) {
  return "<text class=\"side\" x=\"" + number_text(x) + "\" y=\"" + number_text(y) + "\" text-anchor=\"" + anchor +
         "\" font-size=\"" + number_text(size) + "\">" + std::string(text) + "</text>\n";
}

// Two lines that leave the peak itself free.
std::string crosshair(Plane plane, const Frame& frame, const Point& at) {
  const double x = frame.column(plane, at);
  const double y = frame.row(plane, at);
  const double w = static_cast<double>(frame.width(plane));
  const double h = static_cast<double>(frame.height(plane));
  const double gap = (w + h) / 40;
  const auto n = [](double v) { return number_text(v, 5); };
  return "<path class=\"cross\" d=\"M0 " + n(y) + "H" + n(x - gap) + "M" + n(x + gap) + " " + n(y) + "H" + n(w) + "M" +
         n(x) + " 0V" + n(y - gap) + "M" + n(x) + " " + n(y + gap) + "V" + n(h) + "\"/>\n";
}

struct Panel {
  Plane plane;
  std::string words;    // what the picture shows, for who cannot see it
  std::string over;     // more SVG
  std::string caption;  // HTML
};

std::string panel_html(const Panel& panel, const Picture& picture) {
  const auto plane = static_cast<std::size_t>(panel.plane);
  const std::string w = std::to_string(picture.width);
  const std::string h = std::to_string(picture.height);
  const double width = static_cast<double>(picture.width);
  const double size = (width + static_cast<double>(picture.height)) / 32;
  return "<figure class=\"panel\" style=\"flex-grow:" + number_text(width / static_cast<double>(picture.height), 5) +
         "\">\n<svg viewBox=\"0 0 " + w + " " + h + "\" role=\"img\" aria-label=\"" + html_escape(panel.words) +
         "\">\n<image width=\"" + w + "\" height=\"" + h + "\" href=\"" + png_address(picture) + "\"/>\n" + panel.over +
         letter(sides[plane][0], size / 2, size * 1.25, "start", size) +
         letter(sides[plane][1], width - size / 2, size * 1.25, "end", size) + "</svg>\n<figcaption>" + panel.caption +
         "</figcaption>\n</figure>\n";
}

std::string hex(const Rgb& c) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string out = "#";
  for (const std::uint8_t v : {c.red, c.green, c.blue}) {
    out += digits[v >> 4];
    out += digits[v & 15];
  }
  return out;
}

// A row of the palette, from the threshold to the largest, or the other way round.
std::string gradient(const char* id, std::size_t begin, bool backwards) {
  constexpr std::size_t stops = 9;
  std::string out = "<linearGradient id=\"" + std::string(id) + "\">";
  for (std::size_t i = 0; i < stops; ++i) {
    const std::size_t level = i * (value_levels - 1) / (stops - 1);
    const std::size_t at = backwards ? value_levels - 1 - level : level;
    out += "<stop offset=\"" + number_text(static_cast<double>(i) / (stops - 1)) + "\" stop-color=\"" +
           hex(palette()[begin + at]) + "\"/>";
  }
  return out + "</linearGradient>";
}

std::string colour_bar(const Summary& s) {
  constexpr int half = 150, gap = 44, tall = 11, below = 25;
  const std::string low = number_text(s.threshold);
  const std::string high = number_text(s.largest);
  const auto text = [](int x, const char* anchor, const std::string& words) {
    return "<text x=\"" + std::to_string(x) + "\" y=\"" + std::to_string(below) + "\" text-anchor=\"" + anchor + "\">" +
           words + "</text>\n";
  };
  const auto bar = [](int x, const char* id) {
    return "<rect x=\"" + std::to_string(x) + "\" width=\"" + std::to_string(half) + "\" height=\"" +
           std::to_string(tall) + "\" fill=\"url(#" + id + ")\"/>\n";
  };
  int x = 0;
  std::string defs;
  std::string body;
  if (s.coloured_negative) {
    defs += gradient("cold", grey_levels + value_levels, true);
    body += bar(x, "cold") + text(x, "start", "-" + high) + text(x + half, "end", "-" + low);
    x += half;
  }
  if (s.coloured_negative && s.coloured_positive) {
    body += "<rect class=\"between\" x=\"" + std::to_string(x) + "\" width=\"" + std::to_string(gap) + "\" height=\"" +
            std::to_string(tall) + "\"/>\n";
    x += gap;
  }
  if (s.coloured_positive) {
    defs += gradient("warm", grey_levels, false);
    body += bar(x, "warm") + text(x, "start", low) + text(x + half, "end", high);
    x += half;
  }
  const std::string width = std::to_string(x);
  const std::string words =
      std::string(s.coloured_negative ? "Cold colours: from -" + low + " in blue to -" + high + " in cyan. " : "") +
      (s.coloured_positive ? "Warm colours: from " + low + " in red to " + high + " in yellow." : "");
  return "<svg class=\"scale\" viewBox=\"0 0 " + width + " 28\" width=\"" + width +
         "\" height=\"28\" role=\"img\" aria-label=\"" + words + "\">\n<defs>" + defs + "</defs>\n" + body + "</svg>\n";
}

std::string point_text(const Point& p) {
  return "x = " + millimetres_text(p[0]) + ", y = " + millimetres_text(p[1]) + ", z = " + millimetres_text(p[2]) +
         "&nbsp;mm";
}

std::string percent(std::size_t part, std::size_t whole) {
  return number_text(100.0 * static_cast<double>(part) / static_cast<double>(whole), 2) + "&nbsp;%";
}

std::string peak_words(const Summary& s) {
  if (s.flat()) {
    return (s.most == 0 ? std::string("Every voxel is zero")
                        : "Every voxel has the same value, " + number_text(s.most)) +
           ", so there is no peak and nothing to colour. The slices go through the middle of the volume.";
  }
  return "Peak: <b>" + number_text(s.peak_value) + "</b> at <b>" + point_text(s.peak) +
         "</b> (MNI), the voxel of largest "
         "magnitude" +
         (s.most <= 0    ? "; no value is above zero"
          : s.least >= 0 ? "; no value is below zero"
                         : "") +
         ".";
}

std::string colour_words(const Summary& s) {
  return "In colour: magnitudes of " + number_text(s.threshold) + " and more, as " + grouped_text(s.coloured) +
         " of the " + grouped_text(s.nonzero) + " voxels that are not zero have (" + percent(s.coloured, s.nonzero) +
         "). Glass brain: along each line through the head, the value of largest magnitude.";
}

}  // namespace

std::string figures_html(const VolumeView& volume, const Summary& summary) {
  const Background background = load_background();
  const VolumeView behind(background.voxels, background.grid);
  const Frame frame(volume, summary, behind);
  const ColourScale scale(summary);
  std::string slices;
  std::string glass;
  const std::array<Picture, 3> projections = glass_brain(frame, volume, behind, scale);
  for (const Plane plane : planes) {
    const auto p = static_cast<std::size_t>(plane);
    const std::size_t axis = axes_of(plane).through;
    const std::string where = std::string(1, axis_names[axis]) + " = " + millimetres_text(summary.peak[axis]) + " mm";
    const std::string name(plane_names[p]);
    const std::string view(side_words[p]);
    slices += panel_html({plane, "Slice, " + name + ", at " + where + "; " + view,
                          crosshair(plane, frame, summary.peak), name + ", " + where},
                         slice(plane, frame, volume, behind, scale, summary.peak));
    glass += panel_html({plane, "Glass brain, " + name + "; " + view, "", "glass brain, " + name}, projections[p]);
  }
  return "<section class=\"pictures\" aria-labelledby=\"map\">\n<h2 id=\"map\">Map</h2>\n<div class=\"row\">\n" +
         slices + "</div>\n<div class=\"row\">\n" + glass + "</div>\n" + (summary.flat() ? "" : colour_bar(summary)) +
         "<p>" + peak_words(summary) + (summary.flat() ? "" : " " + colour_words(summary)) +
         " Left is at the left in all pictures (neurological convention)." +
         (frame.over_background() ? "" : " The volume lies outside the MNI brain, which is therefore not shown.") +
         "</p>\n</section>\n";
}

}  // namespace smpc::report
