// The compiler as a list of passes over one state. Each says what is true after it; compile.cc runs them in order.
#pragma once

#include <map>
#include <optional>

#include "budget.h"
#include "smpc/compiler/compile.h"

namespace smpc {

struct AffinePlan {
  std::size_t layer = 0;      // index in Network::layers
  int input_scale = 0;        // fractional bits of what it reads
  int weight_scale = 0;       // of its weights
  int output_scale() const noexcept { return input_scale + weight_scale; }
  unsigned shift = 0;         // what the op after it shifts away; 0 for the last
  double largest_weight = 0;     // |weight|, factors included
  SecretVector<double> factors;  // its outputs are these times the model's, which the next map takes back; empty: 1
};

struct CompileState {
  Network network;
  CompileOptions options;
  std::vector<ProgramInput> inputs;
  double input_range = 0;  // no input has a larger |value|
  double input_norm = 0;  // 0: none declared
  std::optional<double> given_rms;  // of the input, as options or metadata have it
  double input_rms = 0;
  std::vector<std::string> labels;
  Results results = Results::values;
  std::optional<Grid> grid;
  Bytes input_mask;  // empty: none

  std::map<std::pair<std::size_t, int>, double> map_norms;  // of a graph's maps, by node and bits of a weight

  std::vector<AffinePlan> affines;  // pass 2
  int input_scale = 0;
  double logit_error = 0;

  Weights weights;                  // pass 3
  Program program;                  // pass 4
};

// 1. What the model and the options declare is read, checked, and agreed: range, norm, rms, labels, grid, mask; the first
// affine map reads the elements inside the mask only.
void declare(CompileState& state, const std::map<std::string, std::string>& metadata);
// The root mean square of an input element that scales are chosen for, at the state's range.
double usual_rms(const CompileState& state, bool range_is_declared);
// 2. Every tensor has a scale, and the first affine map's outputs have factors (equalise.h). `target` is the standard deviation that each source of error may add to a logit on
// average: the sum of their variances is shared out by what bits cost.
void choose_scales(CompileState& state, double target);
// Whether the biases fit 64 bits at these scales; else `why` says which does not, and `remedy` what helps.
bool biases_fit(const CompileState& state, std::string& why, std::string& remedy);
// 3. Weights and biases, which fit, are integers, with what rounding to nearest needs already in the bias. In front of images each
// weight's rounding error is handed on to its neighbours (quantise.cc).
void quantise_weights(CompileState& state);
// Whether the first affine map's rounding errors are handed on: where the model declares a grid.
bool diffuses(const CompileState& state);
// 4. Every tensor has a ring that provably holds it, and the program stands. False when 64 bits (or --bits) do not
// suffice; `why` then names the layer.
bool lower(CompileState& state, std::string& why);

// The elements of an input as it comes, mask or not.
std::size_t input_count(const CompileState& state);

std::vector<ProgramOutput> outputs_of(const Network& network);

}  // namespace smpc
