// The error budget shared out among the scales, so that what is sent is least.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace smpc {

// What rounds in front of one accumulator: the elements that an affine map reads, its weights, and its biases.
struct LayerSources {
  std::uint64_t price = 0;         // bits sent for each bit that the accumulator is wider
  double input_gain = 0;           // how far an error of unit variance in every element moves a logit
  double weight_gain = 0;          // the same of every weight; 0: there are none
  double largest_weight = 0;
  std::optional<int> input_scale;  // where it is not free to choose; then it takes nothing from the budget
  double bias_gain = 0;            // the same of every bias, which has the fractional bits of both together; 0: there are none
};

struct LayerScales {
  int input = 0;    // fractional bits of what is read
  int weights = 0;  // and of the weights
};

// What all add to the variance of a logit: rounding to f bits errs by 2^-f / sqrt(12), root mean square.
double variance_of(const LayerSources& layer, const LayerScales& scales);

// The most fractional bits that weights may have.
int finest_weight_scale(const LayerSources& layer);

struct ChosenScales {
  std::vector<LayerScales> layers;
  double budget = 0;       // the one that was reached
  std::uint64_t cost = 0;  // in half bits
  double spent = 0;        // of the budget, at most
};

// The scales that cost least, sum of price * (input + weights), with at most `budget` of variance in all. Exact over the
// integers, but for variance counted in units of budget / 65536, rounded up. Weights stay below 2^30; and below 2^15,
// so that they take two bytes each, where that costs less than half a bit of the layer's price. Where no scales within
// the formats reach the budget, it is doubled until some do. Refuses (bad_input) weights of 2^30 and more, and gains
// beyond 2^200.
ChosenScales cheapest_scales(std::span<const LayerSources> layers, double budget);

}  // namespace smpc
