// The parameters of an op as numbers, in the order in which a program's canonical bytes hold them.
#pragma once

#include <cstdint>
#include <vector>

#include "smpc/program/program.h"

namespace smpc {

std::vector<std::uint64_t> fields_of(const OpKind& kind);

// Refuses (bad_input) an unknown kind, and more or fewer numbers than it has. Whether they fit the op's tensors is not
// known here.
OpKind op_of(std::uint8_t kind, const std::vector<std::uint64_t>& fields);

}  // namespace smpc
