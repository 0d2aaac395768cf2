// Curves as an SVG file: panels side by side, both axes logarithmic, legible on light and dark ground.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace smpc::bench {

struct Series {
  std::string name;
  std::vector<std::pair<double, double>> points;  // both positive
};
struct Panel {
  std::string y_label;
  std::vector<Series> series;  // at most four
};

std::string chart(const std::string& title, const std::string& x_label, const std::vector<Panel>& panels);

}  // namespace smpc::bench
