// A dealer, a server and a client in one process, as they are deployed, all that is secret poisoned from its root: the key K
// that server and dealer share, the server's id key, its weights, the clients' seeds, the volumes.
#pragma once

#include "smpc/correlation/dealer.h"
#include "smpc/correlation/masks.h"
#include "smpc/runtime/two_party.h"

namespace smpc::testing {

Key secret_key();
Weights secret_copy(const Weights& weights);

// Whose memory is secret; of `volumes` bundles.
struct Dealt {
  Bytes masked_weights;
  std::vector<BundleSeeds> seeds;
  std::vector<ClientMaterial> material;  // finished
};
Dealt deal(const Plan& plan, const Weights& secret_weights, std::size_t volumes);

// Runs the program on poisoned weights and volumes. Public are what passes and the result, which is the interpreter's; both
// parties' shares of every tensor are secret.
void run(const Program& program, const Weights& weights, const RingVector& input, std::size_t volumes);

}  // namespace smpc::testing
