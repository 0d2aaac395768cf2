// The report of one result: a page of HTML that needs nothing but itself.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "smpc/base/grid.h"

namespace smpc {

struct ReportClass {
  std::size_t index = 0;
  std::string label;
  std::optional<double> probability;  // none where the model's owner reveals the label alone, or the values are none
  std::optional<double> value = {};   // shown where there is no probability
};

struct ReportPhase {
  std::string name;  // "inference"
  std::uint64_t sent = 0;
  std::uint64_t received = 0;
  std::optional<double> seconds;  // none: not measured apart
};

// Texts are plain and are escaped. What is empty is left out.
struct ReportContent {
  // The scan. Values are the scan's own, before quantisation.
  std::string scan;                   // the file's name, without its folder
  std::size_t volume = 0;             // counted from 0
  std::size_t volumes = 1;            // in the file
  Grid grid;                          // of `voxels`; its affine can be inverted
  std::span<const double> voxels;     // as load_scan gives them (i slowest, k fastest), finite
  std::string orientation;            // of the file, in words
  std::string voxel_size;             // of the file, in words, where it is not the grid's
  std::string resampling;             // how the volume was brought onto the model's grid
  std::vector<std::string> cautions;  // each a sentence

  // The result.
  std::string label;
  std::vector<ReportClass> top;  // the likeliest first, or the largest; five are shown at most
  bool softmax = true;           // probabilities are the softmax of what was opened; else the model gives them itself

  // The computation.
  std::string program;  // SHA-256, in hexadecimal
  std::string mask;     // id
  std::string server;   // identities
  std::string client;
  std::string dealer;  // address
  std::vector<ReportPhase> phases;
  std::uint64_t messages = 0;  // of the inference, in sequence
  std::string client_learned;  // a sentence each
  std::string server_learned;
  std::string dealer_learned;

  std::string time;     // ISO 8601 with zone: "2026-11-25T00:08:26+01:00"
  std::string version;  // of the tool: "smpc 0.1.0"
};

// The document. It shows the volume, so it belongs to who may see that. The same content gives the same bytes. A grid
// that is flat, or further away than 1,000 km, is bad_input.
std::string report_html(const ReportContent& content);

}  // namespace smpc
