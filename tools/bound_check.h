// Whether fixed point is as close to float as the compiler states.
#pragma once

#include <cmath>
#include <cstdio>
#include <optional>
#include <string>

namespace smpc::tools {

// The bound is of exact arithmetic. Float is computed in double, whose own rounding is far less than this part of the values.
constexpr double rounding_of_double = 0x1p-30;

struct BoundCheck {
  std::optional<double> bound;  // Compiled::error_bound; none: nothing is stated
  double error = 0;             // the largest |fixed point - float| of an output
  double value = 0;             // the largest |float| of an output

  bool holds() const noexcept { return !bound || error <= *bound + rounding_of_double * (*bound + value); }

  std::string text() const {
    if (!bound) return "no bound of the error is stated";
    char line[160];
    if (holds()) {
      std::snprintf(line, sizeof line, "within %.3g of float, as the compiler states", *bound);
    } else {
      std::snprintf(line, sizeof line, "expected within %.3g of float, as the compiler states, found %.3g: do not use this program, and report it", *bound, error);
    }
    return line;
  }
};

}  // namespace smpc::tools
