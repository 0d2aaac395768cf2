// Limits that both sides know.
#pragma once

#include <cstdint>

namespace smpc {

constexpr std::uint32_t most_volumes = 64;  // in one inference; more are cut into batches

}  // namespace smpc
