// How much memory a run takes, before it runs.
#pragma once

#include "smpc/runtime/schedule.h"

namespace smpc {

// Bytes that a run of one party holds at its largest: shares and correlations of the layers in progress, results that are still
// to be read, the messages, and of the client its volumes and a piece of each bundle. Not the server's weights.
struct RunMemory {
  std::size_t server = 0;
  std::size_t client = 0;
};

// A function of the program and the schedule alone, as PartyRun makes and gives back its ops. Small things are left out: what
// is found is right within a quarter for programs whose runs take megabytes.
RunMemory predicted_memory(const Program& program, const Plan& plan, const Schedule& schedule);

// Bytes that a dealer holds at its largest while it makes one bundle, and the bundle. A bound, not an estimate to a quarter.
std::uint64_t predicted_dealing_memory(const Plan& plan);

// Whether linear maps alone read the input: then the server's share of it, which is zero, takes no memory.
bool linear_maps_alone_read_the_input(const Program& program, const Plan& plan);

// Corrections of fewer bytes than these, for all volumes, are expanded before the run: that takes no memory that counts, and
// no time of the run.
constexpr std::size_t most_prepared = std::size_t{4} << 20;

}  // namespace smpc
