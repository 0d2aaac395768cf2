// The dealer's generator: the corrections of bundles, many at a time, since each pass expands A once.
#pragma once

#include <span>
#include <vector>

#include "smpc/correlation/plan.h"
#include "smpc/crypto/random.h"

namespace smpc {

struct BundleSeeds {
  Key server;  // derived from the bundle's header
  Key client;  // fresh from the operating system
};

// The mask r of an opening, which neither party knows: from both parties' seeds.
RingVector opening_mask(const Plan& plan, std::size_t demand, const BundleSeeds& seeds);

// Corrections for each pair of seeds, plan.correction_bytes() long. Memory: the results, and one block of rows of A.
std::vector<SecretBytes> make_corrections(const Plan& plan, const Key& mask_key, std::span<const BundleSeeds> seeds);

}  // namespace smpc
