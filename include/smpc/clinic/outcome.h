// An outcome in the forms that people and programs read.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "smpc/base/text.h"  // human_bytes, for who prints a cost
#include "smpc/clinic/scan_run.h"

namespace smpc {

struct RankedClass {
  std::size_t index = 0;
  std::string label;
  std::optional<double> probability;  // where the results say so (Results)
  double value = 0;                   // as it was opened
};

// The probabilities of result i, the softmax of its logits or what it is already; empty where there are none.
std::vector<double> probabilities_of(const ScanOutcome& outcome, std::size_t i);

// What the model's outputs are, back to back: of logits that are no classes, their softmax, which the model ends in.
std::vector<double> output_values(const ScanOutcome& outcome, std::size_t i);

// The `count` classes of result i that are likeliest, or largest, the first of equals first. Empty where the server reveals the
// label alone.
std::vector<RankedClass> ranked(const ScanOutcome& outcome, std::size_t i, std::size_t count);

// The label of result i.
const std::string& label_of(const ScanOutcome& outcome, std::size_t i);

// How many voxels were NaN and taken as 0, in words; "" where that was not asked for. Of all volumes, or of result i alone.
std::string nan_words(const ScanOutcome& outcome);
std::string nan_words(const ScanOutcome& outcome, std::size_t i);

// The object that smpc-client --json prints. Beyond what every result has: "resampling" and "caution", where there is any;
// "nan_as_zero", how many voxels were, of each volume and of all, where that was asked for.
nlohmann::json to_json(const ScanOutcome& outcome);
nlohmann::json to_json(const ClientCost& cost);

// A line for each volume under a line of names: volume, index, label and, where they are revealed, the probability, if there is
// one, and the logits or values; last, where NaN was to be taken as 0, how many voxels were. RFC 4180, with line feeds; no text
// begins as a spreadsheet's formula does (cell_text.h).
std::string to_csv(const ScanOutcome& outcome);

// Who learned what in this run: a sentence each.
struct Learned {
  std::string client;
  std::string server;
  std::string dealer;
};
Learned who_learned_what(const ScanOutcome& outcome);

}  // namespace smpc
