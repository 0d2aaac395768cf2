// What one more inference costs before its volume exists, part by part and in one process, one thread.
#pragma once

#include <cstddef>

#include "smpc/compiler/compile.h"

namespace smpc::bench {

struct OfflineWork {
  double dealer = 0;  // seconds for one bundle
  double finish = 0;  // seconds of the client for one bundle
};

// Bundles made `batch` at a time; the least of `repetitions`.
OfflineWork measure_offline(const Compiled& compiled, std::size_t batch, std::size_t repetitions);

}  // namespace smpc::bench
