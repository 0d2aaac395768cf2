// A result as a person at a terminal reads it.
#pragma once

#include <string>

#include "smpc/clinic/scan_run.h"
#include "terminal.h"

namespace smpc::tools {

// Of one volume the five likeliest classes, of several a line each, with the probability as a bar; where there is no probability the
// largest values, and where the server reveals the label alone, that. Lines end with "\n" and are no wider than the terminal.
std::string result_table(const ScanOutcome& outcome, const Terminal& terminal);

// What each party sent, and how long it took: a line a phase that took place.
std::string cost_lines(const ClientCost& cost);

}  // namespace smpc::tools
