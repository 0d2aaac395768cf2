// What a program costs, before anything runs.
#pragma once

#include <string>
#include <vector>

#include "smpc/correlation/comparison.h"
#include "smpc/program/program.h"
#include "smpc/runtime/memory.h"

namespace smpc {

struct ExplainRow {
  std::string name;
  std::string op;
  std::size_t count = 0;             // values it computes
  int scale = 0;                     // of what it computes, and its ring's width
  unsigned bits = 0;
  std::size_t client_to_server = 0;  // bytes for all volumes, without frame headers
  std::size_t server_to_client = 0;
  std::size_t messages = 0;          // of the run, that carry a part of this op
  std::size_t bundle_bytes = 0;
  std::string comparison;            // how it compares (comparison_text), empty where it does not
};

struct Explanation {
  std::vector<ExplainRow> rows;      // the input, the ops, the opening
  std::size_t volumes = 1;           // in one run
  std::size_t client_to_server = 0;  // for all of them, frame headers included
  std::size_t server_to_client = 0;
  std::size_t messages = 0;          // in sequence
  std::size_t bundle_bytes = 0;      // from dealer to client for each volume, with seed and headers (the longest)
  std::size_t masked_weight_bytes = 0;  // once
  RunMemory memory;                     // of one run, of all volumes
};

Explanation explain(const Program& program, std::size_t volumes = 1);

// What a layer of the model costs: the rows of one name together, where what stands in brackets behind it does not count.
struct LayerCost {
  std::string name;
  std::size_t online = 0;  // bytes, both ways
  std::size_t bundle = 0;
};

// The layers that cost most bytes, online and bundle together, most first; at most `most`, and none that costs nothing.
std::vector<LayerCost> costliest(const Explanation& e, std::size_t most);

// The shape of a comparison: runs of digits from the lowest bit up, WIDTHxCOUNT; the digits joined below each child of the
// root, the node of the low bits before the bar; the AND levels. "digits 3x5+4x7, tree 5|4,3, 2 levels".
std::string comparison_text(const ComparisonLayout& layout);

// Seconds on the line alone: bytes at `bandwidth` (bit/s) and messages at `latency` (s, one way).
double line_seconds(const Explanation& e, double bandwidth, double latency);

}  // namespace smpc
