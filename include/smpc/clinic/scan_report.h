// The report of one result of a scan, as report/report.h lays it out.
#pragma once

#include <chrono>
#include <span>
#include <string>

#include "smpc/clinic/scan_run.h"

namespace smpc {

// Result i of an outcome and its volume, on the model's grid (ScanRun::volume). `dealer`: its address. `time`: when the
// result was learned.
std::string scan_report(const ScanOutcome& outcome, std::size_t i, std::span<const double> volume,
                        const std::string& dealer, std::chrono::system_clock::time_point time);

// In local time with its zone, to the second: "2026-11-25T00:08:26+01:00".
std::string iso_8601(std::chrono::system_clock::time_point time);

}  // namespace smpc
