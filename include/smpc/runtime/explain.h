// What a program costs, before anything runs.
#pragma once

#include <string>
#include <vector>

#include "smpc/program/program.h"

namespace smpc {

struct ExplainRow {
  std::string name;
  std::string op;
  std::size_t count = 0;             // values it computes
  int scale = 0;                     // of what it computes, and its ring's width
  unsigned bits = 0;
  std::size_t client_to_server = 0;  // bytes for one volume, without frame headers
  std::size_t server_to_client = 0;
  std::size_t messages = 0;          // of the run, that carry a part of this op
  std::size_t bundle_bytes = 0;
};

struct Explanation {
  std::vector<ExplainRow> rows;      // the input, the ops, the opening
  std::size_t client_to_server = 0;  // for one volume, frame headers included
  std::size_t server_to_client = 0;
  std::size_t messages = 0;          // in sequence
  std::size_t bundle_bytes = 0;      // from dealer to client, with seed and headers (the longest)
  std::size_t masked_weight_bytes = 0;  // once
};

Explanation explain(const Program& program);

// Seconds on the line alone: bytes at `bandwidth` (bit/s) and messages at `latency` (s, one way).
double line_seconds(const Explanation& e, double bandwidth, double latency);

}  // namespace smpc
