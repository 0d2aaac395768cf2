// ReLU with its truncation between two parties in one process, a thread each: 44 bits, of which 15 are shifted away. What is
// compared comes out of a linear map of one input, whose bytes are left out.
#pragma once

#include <cstddef>

#include "smpc/program/program.h"

namespace smpc::bench {

struct ReluRun {
  double seconds = 0;            // both parties side by side, from inputs to results; correlations are there before
  double processor_seconds = 0;  // of both parties together
  double online_bytes = 0;       // both directions, of the ReLU alone
  double bundle_bytes = 0;
};

// `count` of them at once.
ReluRun run_relu(Suite suite, std::size_t count);

}  // namespace smpc::bench
