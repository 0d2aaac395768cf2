// The dealer, the masked weights, and what a client makes of its bundles.
#include <random>

#include "cases.h"
#include "poison.h"
#include "poisoned_run.h"
#include "support/random_program.h"

namespace smpc::testing {
namespace {

// Plans that hold every kind of correlation of a suite.
void deal_some(Suite suite) {
  for (std::uint64_t seed = 1; seed <= 6; ++seed) {
    std::mt19937_64 rng(seed);
    const RandomModel m = random_mlp(rng, suite);
    deal(correlation_plan(m.program), secret_copy(m.weights), 2);
  }
}

}  // namespace

CASE(CorrectionsOfSuiteCryptflow2) { deal_some(Suite::cryptflow2); }
CASE(CorrectionsOfSuiteMasked) { deal_some(Suite::masked); }

CASE(RowsOfTheMask) {
  const MaskRows mask(secret_key(), LinearDemand{0, 37, 5, Ring{44}});
  RingVector rows(37 * 5);
  mask.rows(0, rows);
  SMPC_CHECK(is_secret(rows));
  RingVector block(2 * 9);
  mask.block(1, 2, 4, 9, block);
  SMPC_CHECK(is_secret(block));
}

}  // namespace smpc::testing
