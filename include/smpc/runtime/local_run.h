// Both parties and a dealer in one process, for checks: whoever runs this holds volume and weights anyway.
#pragma once

#include <memory>
#include <vector>

#include "smpc/correlation/dealer.h"
#include "smpc/correlation/source.h"
#include "smpc/program/weights.h"
#include "smpc/runtime/schedule.h"

namespace smpc {

struct LocalSources {
  std::vector<BundleSeeds> seeds;  // one per volume
  std::unique_ptr<CorrelationSource> server;
  std::unique_ptr<CorrelationSource> client;
};

// Correlations for `volumes` inferences, as a dealer and a client make them, from fresh keys. `weights` may be empty
// where the plan has no linear op. `plan` outlives the sources.
LocalSources deal_locally(const Plan& plan, const Weights& weights, std::size_t volumes);

struct LocalRun {
  RingVector output;                // the client's result
  std::vector<RingVector> tensors;  // both shares joined, without masks, tensor by tensor; not the index of an ArgMax
  Cost measured;                    // on the client's channel
};

// `input`: quantised volumes, back to back. `tensors`: whether they are wanted; else the run takes no more memory than one
// between processes.
LocalRun run_locally(const Program& program, const Weights& weights, const RingVector& input, std::size_t volumes,
                     bool tensors = true);

}  // namespace smpc
