#include "offline_work.h"

#include <algorithm>
#include <limits>

#include "machine.h"
#include "smpc/correlation/dealer.h"
#include "smpc/correlation/masks.h"

namespace smpc::bench {

OfflineWork measure_offline(const Compiled& compiled, std::size_t batch, std::size_t repetitions) {
  const Plan plan = correlation_plan(compiled.program);
  const Key mask = random_key();
  Bytes masked;
  masked.reserve(MaskedLayout(plan).bytes());
  write_masked_weights(plan, compiled.weights, mask, [&](ByteView row) { masked.insert(masked.end(), row.begin(), row.end()); });
  const double each = 1 / static_cast<double>(batch);
  OfflineWork least{std::numeric_limits<double>::max(), std::numeric_limits<double>::max()};
  for (std::size_t i = 0; i < repetitions; ++i) {
    std::vector<BundleSeeds> seeds(batch);
    for (BundleSeeds& s : seeds) s = {random_key(), random_key()};
    double start = seconds_now();
    std::vector<SecretBytes> corrections = make_corrections(plan, mask, seeds);
    least.dealer = std::min(least.dealer, (seconds_now() - start) * each);
    std::vector<ClientMaterial> bundles;
    for (std::size_t b = 0; b < batch; ++b) bundles.push_back({seeds[b].client, std::move(corrections[b])});
    start = seconds_now();
    finish_corrections(plan, masked, bundles);
    least.finish = std::min(least.finish, (seconds_now() - start) * each);
  }
  return least;
}

}  // namespace smpc::bench
