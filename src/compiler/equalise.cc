#include "equalise.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace smpc {
namespace {

// What rounding may add to a row's sum and to a weight.
constexpr double room = 1 - 0x1p-9;
// A row that is smaller still is fine enough as it is; one of zeros has no size at all.
constexpr double widest_spread = 256;
// The lower limits of rows of very few or very small weights are not tried: each costs the search for scales once more.
constexpr int most_ratios = 16;

}  // namespace

SecretVector<RowSizes> row_sizes(const Affine& a, double input_range) {
  SecretVector<RowSizes> rows(a.outputs);
  for (std::size_t o = 0; o < a.outputs; ++o) {
    RowSizes& row = rows[o];
    double sum = 0;
    for (std::size_t i = 0; i < a.inputs; ++i) {
      const double w = std::abs(static_cast<double>(a.weights[o * a.inputs + i]));
      sum += w;
      row.largest = std::max(row.largest, w);
      row.squares += w * w;
    }
    row.bound = sum * input_range + std::abs(a.bias[o]);
  }
  return rows;
}

std::vector<SecretVector<double>> equalising_factors(std::span<const RowSizes> rows) {
  double largest = 0;
  int first = std::numeric_limits<int>::max();
  int last = std::numeric_limits<int>::min();
  for (const RowSizes& row : rows) {
    largest = std::max(largest, row.bound);
    if (!(row.largest > 0)) continue;
    first = std::min(first, std::ilogb(row.bound / row.largest));
    last = std::max(last, std::ilogb(row.bound / row.largest));
  }
  if (first > last) return {};
  const double limit = std::exp2(std::floor(std::log2(largest))) * room;
  // Of each row, what the inverse of its factor has to be at least.
  const auto factors = [&](double ratio) {
    SecretVector<double> out;
    for (const RowSizes& row : rows) out.push_back(std::max(row.bound, ratio * row.largest) / limit);
    const double least = *std::max_element(out.begin(), out.end()) / widest_spread;
    for (double& d : out) d = 1 / std::max(d, least);
    return out;
  };
  std::vector<SecretVector<double>> candidates{factors(0)};
  for (int ratio = std::max(first + 1, last - most_ratios); ratio <= last; ++ratio) candidates.push_back(factors(std::ldexp(1.0, ratio)));
  return candidates;
}

}  // namespace smpc
