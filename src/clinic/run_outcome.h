// What every run through a client tells, whatever it asked about.
#pragma once

#include "smpc/clinic/scan_run.h"

namespace smpc {

// Of a run that has ended: who, what program, and what it cost since `before`.
inline ScanOutcome run_outcome(const ClientService& client, const Identity& identity, const Program& program, const ClientCost& before,
                               std::vector<VolumeResult> results) {
  ScanOutcome out;
  out.results = std::move(results);
  out.program = client.program_hash();
  out.mask = client.mask();
  out.server = client.server_identity();
  out.client = identity.name().uri();
  out.reveal = program.reveal;
  out.what = program.results;
  out.labels = program.labels;
  out.outputs = program.outputs;
  out.cost = client.cost() - before;
  return out;
}

}  // namespace smpc
