// Takes bundles as the dealer sends them, finishes their linear maps' corrections and seals them, to be stored. A large one is
// never whole in memory: it is finished and sealed as it comes, and waits in a file without a name.
#pragma once

#include <filesystem>
#include <functional>
#include <vector>

#include "client_state.h"
#include "smpc/correlation/plan.h"
#include "smpc/net/channel.h"

namespace smpc {

// So many bytes of bundles are taken into memory, and finished together in one pass over the masked weights. One that has
// more by itself is taken piece by piece.
constexpr std::size_t finished_together = std::size_t{8} << 20;

// `count` bundles of the program that `plan` is of. `accept` throws for a header that is not what was asked for. `folder`: for
// the file. The files of all are gone when the bundles are.
std::vector<SealedBundle> take_bundles(Channel& dealer, std::size_t count, const Plan& plan, ByteView masked_weights,
                                       const std::function<void(const BundleHeader&)>& accept, const std::filesystem::path& folder);

}  // namespace smpc
