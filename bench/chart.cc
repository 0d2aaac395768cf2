#include "chart.h"

#include <algorithm>
#include <cmath>

#include "machine.h"

namespace smpc::bench {
namespace {

constexpr double width = 340;   // of a panel's frame
constexpr double height = 260;
constexpr double left = 70;     // of a frame, for labels
constexpr double top = 70;

constexpr const char* style = R"(<style>
text { font: 12px sans-serif; fill: #1f2328 } .title { font-size: 15px; font-weight: bold } .ground { fill: #ffffff }
.grid { stroke: #d0d7de; stroke-width: 1 } .frame { fill: none; stroke: #6e7781 }
.line { fill: none; stroke-width: 2 } .s0 { stroke: #0550ae } .s1 { stroke: #bc4c00 } .s2 { stroke: #1a7f37 } .s3 { stroke: #8250df }
.d0 { fill: #0550ae } .d1 { fill: #bc4c00 } .d2 { fill: #1a7f37 } .d3 { fill: #8250df }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3 } .ground { fill: #0d1117 } .grid { stroke: #30363d } .frame { stroke: #8b949e }
.s0 { stroke: #79c0ff } .s1 { stroke: #ffa657 } .s2 { stroke: #7ee787 } .s3 { stroke: #d2a8ff }
.d0 { fill: #79c0ff } .d1 { fill: #ffa657 } .d2 { fill: #7ee787 } .d3 { fill: #d2a8ff } }
</style>
)";

// A logarithmic axis from a whole power of ten to another, or from 1, 2 or 5 times one where it is short.
struct Axis {
  double low;
  double high;
  double at(double v) const { return std::log(v / low) / std::log(high / low); }
};

double step_down(double v) {
  const double decade = std::pow(10, std::floor(std::log10(v)));
  return decade * (v / decade >= 5 ? 5 : v / decade >= 2 ? 2 : 1);
}
double step_up(double v) {
  const double decade = std::pow(10, std::floor(std::log10(v)));
  const double m = v / decade;
  return decade * (m <= 1 ? 1 : m <= 2 ? 2 : m <= 5 ? 5 : 10);
}

std::string number(double v) {
  if (v >= 1e9) return text_of("%.4gG", v / 1e9);
  if (v >= 1e6) return text_of("%.4gM", v / 1e6);
  if (v >= 1e3) return text_of("%.4gk", v / 1e3);
  return text_of("%.4g", v);
}

std::string f(double v) { return text_of("%.1f", v); }

std::string text(double x, double y, const std::string& anchor, const std::string& content, const std::string& more = "") {
  return "<text x=\"" + f(x) + "\" y=\"" + f(y) + "\" text-anchor=\"" + anchor + "\"" + more + ">" + content + "</text>\n";
}

std::string line(double x1, double y1, double x2, double y2) {
  return "<line class=\"grid\" x1=\"" + f(x1) + "\" y1=\"" + f(y1) + "\" x2=\"" + f(x2) + "\" y2=\"" + f(y2) + "\"/>\n";
}

// Where an axis is marked: 1, 2 and 5 times powers of ten; powers alone where there are many.
std::vector<double> marks(const Axis& a) {
  std::vector<double> out;
  const bool sparse = a.high / a.low > 200;
  for (double decade = std::pow(10, std::floor(std::log10(a.low))); decade <= a.high * 1.001; decade *= 10) {
    for (const double m : {1.0, 2.0, 5.0}) {
      const double v = decade * m;
      if ((m == 1 || !sparse) && v >= a.low * 0.999 && v <= a.high * 1.001) out.push_back(v);
    }
  }
  return out;
}

std::string draw(const Panel& p, double x0, const std::string& x_label) {
  Axis x{1e300, 0};
  Axis y{1e300, 0};
  for (const Series& s : p.series) {
    for (const auto& [px, py] : s.points) {
      x = {std::min(x.low, px), std::max(x.high, px)};
      y = {std::min(y.low, py), std::max(y.high, py)};
    }
  }
  x = {step_down(x.low), step_up(x.high)};
  y = {step_down(y.low / 1.2), step_up(y.high * 1.2)};
  const auto px = [&](double v) { return x0 + width * x.at(v); };
  const auto py = [&](double v) { return top + height * (1 - y.at(v)); };
  std::string out;
  for (const double v : marks(x)) {
    out += line(px(v), top, px(v), top + height) + text(px(v), top + height + 16, "middle", number(v));
  }
  for (const double v : marks(y)) out += line(x0, py(v), x0 + width, py(v)) + text(x0 - 6, py(v) + 4, "end", number(v));
  out += "<rect class=\"frame\" x=\"" + f(x0) + "\" y=\"" + f(top) + "\" width=\"" + f(width) + "\" height=\"" + f(height) + "\"/>\n";
  out += text(x0 + width / 2, top + height + 36, "middle", x_label) + text(x0, top - 26, "start", p.y_label);
  double name_x = x0;
  for (std::size_t i = 0; i < p.series.size(); ++i) {
    const std::string k = std::to_string(i);
    std::string points;
    std::string dots;
    for (const auto& [vx, vy] : p.series[i].points) {
      points += f(px(vx)) + "," + f(py(vy)) + " ";
      dots += "<circle class=\"d" + k + "\" cx=\"" + f(px(vx)) + "\" cy=\"" + f(py(vy)) + "\" r=\"3\"/>\n";
    }
    out += "<polyline class=\"line s" + k + "\" points=\"" + points + "\"/>\n" + dots;
    out += "<circle class=\"d" + k + "\" cx=\"" + f(name_x + 4) + "\" cy=\"" + f(top - 12) + "\" r=\"4\"/>\n";
    out += text(name_x + 12, top - 8, "start", p.series[i].name);
    name_x += 26 + 6.5 * static_cast<double>(p.series[i].name.size());
  }
  return out;
}

}  // namespace

std::string chart(const std::string& title, const std::string& x_label, const std::vector<Panel>& panels) {
  const double whole = static_cast<double>(panels.size()) * (width + left) + 30;
  const double high = top + height + 50;
  std::string out = "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"" + f(whole) + "\" height=\"" + f(high) +
                    "\" viewBox=\"0 0 " + f(whole) + " " + f(high) + "\">\n" + style +
                    "<rect class=\"ground\" width=\"100%\" height=\"100%\"/>\n" + text(16, 24, "start", title, " class=\"title\"");
  for (std::size_t i = 0; i < panels.size(); ++i) out += draw(panels[i], left + static_cast<double>(i) * (width + left), x_label);
  return out + "</svg>\n";
}

}  // namespace smpc::bench
