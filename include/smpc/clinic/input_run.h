// Arrays and pictures through a client: checked against the program, then asked about, sample by sample.
#pragma once

#include "smpc/clinic/scan_run.h"
#include "smpc/input/inputs.h"

namespace smpc {

// What does not fit is refused before anything is spent, and before anybody is connected to where the program is pinned. `source` names the inputs in errors and in the outcome, whose
// volumes are the samples; it has no header and no grid.
ScanOutcome infer_inputs(ClientService& client, const Identity& identity, const Inputs& inputs, const std::string& source);

}  // namespace smpc
