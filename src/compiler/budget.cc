#include "budget.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "bounds.h"
#include "smpc/base/error.h"

namespace smpc {
namespace {

constexpr int most_fraction_bits = 40;
constexpr double most_weight = 0x1p30;  // a weight at scale 0 fits 32 bits
constexpr double most_gain = 0x1p200;   // far beyond every network; variances stay finite
constexpr std::size_t units = 65536;  // of the budget
constexpr std::uint64_t never = std::numeric_limits<std::uint64_t>::max();

double rounding_variance(double gain, int bits) { return gain * gain * std::ldexp(1.0, -2 * bits) / 12; }

// So that the largest weight stays below 2^bits when it is rounded. Zeros are exact at any scale, which their biases need.
int most_weight_scale(const LayerSources& layer, int bits) {
  if (!(layer.largest_weight > 0)) return most_fraction_bits;
  return std::clamp(bits - 1 - std::ilogb(layer.largest_weight * (1 + 0x1p-14)), 0, most_fraction_bits);
}

struct Option {
  LayerScales scales;
  std::uint64_t cost = 0;  // in half bits of a price
  std::size_t units = 0;
};

// For every sum of the two scales that is of use, the split that errs least, and the one that errs least with weights
// of two bytes.
std::vector<Option> options_of(const LayerSources& layer, double budget) {
  std::vector<Option> out;
  const int low = layer.input_scale.value_or(0);
  const int high = layer.input_scale.value_or(most_fraction_bits);
  for (const bool short_weights : {true, false}) {
    const int most = most_weight_scale(layer, short_weights ? 15 : 30);
    for (int sum = low; sum <= high + most; ++sum) {
      LayerScales best;
      double least = std::numeric_limits<double>::infinity();
      for (int weights = std::max(0, sum - high); weights <= std::min(most, sum - low); ++weights) {
        LayerSources free = layer;
        if (layer.input_scale) free.input_gain = 0;
        const double variance = variance_of(free, {sum - weights, weights});
        if (variance < least) {
          least = variance;
          best = {sum - weights, weights};
        }
      }
      const double used = std::ceil(least / budget * static_cast<double>(units));
      if (!(used <= static_cast<double>(units))) continue;
      const std::uint64_t cost = 2 * layer.price * static_cast<std::uint64_t>(sum) + (short_weights ? 0 : layer.price);
      out.push_back({best, cost, static_cast<std::size_t>(used)});
      if (used <= 1) break;  // finer is of no use
    }
  }
  return out;
}

// A knapsack: least[u] is the cost of the layers so far within u units, took[k][u] the option of layer k in it.
ChosenScales within(std::span<const LayerSources> layers, double budget) {
  std::vector<std::uint64_t> least(units + 1, 0);
  std::vector<std::vector<Option>> options;
  std::vector<std::vector<std::uint8_t>> took;
  for (const LayerSources& layer : layers) {
    options.push_back(options_of(layer, budget));
    std::vector<std::uint64_t> next(units + 1, never);
    std::vector<std::uint8_t>& took_now = took.emplace_back(units + 1, 0);
    SMPC_CHECK(options.back().size() < 256);
    for (std::size_t o = 0; o < options.back().size(); ++o) {
      const Option& option = options.back()[o];
      for (std::size_t u = option.units; u <= units; ++u) {
        const std::uint64_t before = least[u - option.units];
        if (before == never || before + option.cost >= next[u]) continue;
        next[u] = before + option.cost;
        took_now[u] = static_cast<std::uint8_t>(o);
      }
    }
    least = std::move(next);
  }
  if (least[units] == never) return {};
  // Of the cheapest, the one that errs least.
  auto u = static_cast<std::size_t>(std::find(least.begin(), least.end(), least[units]) - least.begin());
  ChosenScales chosen{std::vector<LayerScales>(layers.size()), budget, least[u],
                      budget * static_cast<double>(u) / static_cast<double>(units)};
  for (std::size_t k = layers.size(); k-- > 0;) {
    const Option& option = options[k][took[k][u]];
    chosen.layers[k] = option.scales;
    u -= option.units;
  }
  return chosen;
}

// Written so that NaN fails.
void check_sizes(std::span<const LayerSources> layers) {
  for (std::size_t k = 0; k < layers.size(); ++k) {
    const LayerSources& l = layers[k];
    if (l.largest_weight < most_weight && l.input_gain < most_gain && l.weight_gain < most_gain && l.bias_gain < most_gain) continue;
    fail_input("the model: its weights, or the input range, are too large for any scale, as seen at its linear layer " +
               std::to_string(k + 1));
  }
}

// The variance that no scales can go below: those of the finest.
double least_variance(std::span<const LayerSources> layers) {
  double sum = 0;
  for (const LayerSources& layer : layers) {
    LayerSources free = layer;
    if (layer.input_scale) free.input_gain = 0;
    sum += variance_of(free, {layer.input_scale.value_or(most_fraction_bits), finest_weight_scale(layer)});
  }
  return sum;
}

}  // namespace

double variance_of(const LayerSources& layer, const LayerScales& scales) {
  return rounding_variance(layer.input_gain, scales.input) + rounding_variance(layer.weight_gain, scales.weights) +
         rounding_variance(layer.bias_gain, scales.input + scales.weights);
}

int finest_weight_scale(const LayerSources& layer) { return most_weight_scale(layer, 30); }

ChosenScales cheapest_scales(std::span<const LayerSources> layers, double budget) {
  check_sizes(layers);
  for (const double least = least_variance(layers); budget * slack < least;) budget *= 2;  // nothing is found below
  for (;; budget *= 2) {
    SMPC_CHECK(std::isfinite(budget) && budget > 0);
    ChosenScales chosen = within(layers, budget);
    if (!chosen.layers.empty()) return chosen;
  }
}

}  // namespace smpc
