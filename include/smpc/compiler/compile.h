// From a trained network to a program and its quantised weights: scales, bounds, rings, ops.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "smpc/compiler/network.h"
#include "smpc/program/weights.h"

namespace smpc {

// The elements of an image that may be other than zero: public. A bit for each voxel, in model order (see Program).
struct InputMask {
  Bytes inside;
  std::size_t voxels = 0;
};

struct Range {
  double low = 0;
  double high = 0;
};
// "R" for -R to R, or "LOW:HIGH". None where the text says no range.
std::optional<Range> range_of(const std::string& text);

// What the owner may say on the command line; it overrides what the model's metadata says.
struct CompileOptions {
  std::optional<int> scale;            // fractional bits of activations
  bool mixed_scales = false;           // a graph that fits at no one scale: each value has its own, as fine as its bound lets it
  std::optional<unsigned> bits;        // no ring is wider
  std::optional<double> input_range;   // largest |value| of the inputs that input_ranges does not name
  std::map<std::string, Range> input_ranges;  // by name; "": of all that have none of their own
  std::map<std::string, PictureRule> pictures;  // by the name of the input; of the only one, ""
  std::optional<double> input_norm;    // largest Euclidean norm of the input
  std::optional<double> input_rms;     // usual root mean square of an input element: a hint for scales, no limit
  std::vector<std::string> labels;
  std::optional<Grid> grid;
  std::optional<InputMask> input_mask;
  Reveal reveal = Reveal::label;
  Suite suite = Suite::cryptflow2;
};

// How a picture becomes an input, from JSON: {"height": H, "width": W, "channels": "grey" or "rgb", "layout": "CHW" or "HWC",
// "factor": F, "mean": [...], "deviation": [...]}, a number for each channel in the lists. Nothing may be missing.
PictureRule picture_rule(const std::string& text);

// Canonical JSON, and back: stored with the weights, so that program and weights can be made again.
std::string to_json(const CompileOptions& options);
CompileOptions compile_options_from_json(const std::string& json);

// Of a chain, rounding moves no logit by more, standard deviation, as it is estimated; that keeps probabilities within 1e-4, which
// move by at most a quarter of the difference of two logits' errors. More is taken where the owner gives a scale or the widest ring.
constexpr double promised_logit_error = 0x1p-14 * 2.8284271247461903;  // of eight sources of 2^-14

struct Compiled {
  Program program;
  Weights weights;
  double logit_error = 0;  // estimated standard deviation of an output's error against float, for inputs of the usual size
  // What the program computes between the first and the second linear layer are the model's values times these, one an
  // output of the first; empty: 1. They depend on the weights, and stay with them.
  SecretVector<double> hidden_factors;
  // Of a graph: no output is further than this from exact arithmetic on the model's weights. None where there is
  // no such limit, and where the graph has an ArgMax that is not its end: the index is that of the fixed-point values.
  std::optional<double> error_bound;
  // Of a graph with mixed scales: the value that keeps the fewest fractional bits, and how many.
  struct Coarsest {
    std::string layer;
    int scale = 0;
  };
  std::optional<Coarsest> coarsest;
};

// `metadata`: the model's smpc.labels, smpc.grid, smpc.input-range, smpc.input-norm, smpc.input-rms, where it has them.
// Refuses (bad_input) a model that does not fit, naming the layer, and a mask that is empty or has not the grid's voxels;
// that mask and grid lie alike, whoever read the mask has to check.
Compiled compile(Network network, const CompileOptions& options, const std::map<std::string, std::string>& metadata);

// Where neither the options nor the metadata say otherwise.
constexpr double default_input_range = 128;
Grid default_grid();  // MNI, 4 mm, 45 x 54 x 45

}  // namespace smpc
