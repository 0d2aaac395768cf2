#include "smpc/correlation/dealer.h"

#include "expand.h"
#include "mask_product.h"
#include "smpc/base/error.h"
#include "smpc/correlation/masks.h"

namespace smpc {
namespace {

// The corrections A b - r of one linear map, with the mask that its result carries, for every bundle, in one pass over A.
void correct_linear(const Plan& plan, std::size_t demand, const Key& mask_key, std::span<const BundleSeeds> seeds,
                    std::span<LinearClient> out) {
  const auto& d = std::get<LinearDemand>(plan.demands[demand]);
  const std::size_t n = seeds.size();
  std::vector<Prg> b;
  for (const BundleSeeds& s : seeds) b.push_back(SeedReader(s.client, demand).stream());
  const MaskRows mask(mask_key, d);
  const RingVector y = product_with_masks(d, std::move(b), [&](auto... where) { mask.block(where...); });
  for (std::size_t v = 0; v < n; ++v) {
    const LinearServer server = expand_linear_server(d, SeedReader(seeds[v].server, demand));
    out[v].output.resize(d.outputs);
    for (std::size_t r = 0; r < d.outputs; ++r) {
      out[v].output[r] = d.ring.reduce(y[v * d.outputs + r] - server.r[r]);
    }
    if (!d.opening) continue;
    const RingVector carried = opening_mask(plan, *d.opening, seeds[v]);
    SMPC_CHECK(carried.size() == d.outputs);
    for (std::size_t r = 0; r < d.outputs; ++r) out[v].output[r] = d.ring.reduce(out[v].output[r] + carried[r]);
  }
}

template <class D>
void correct_one(const D& d, std::size_t demand, const BundleSeeds& seeds, WriteFields& out) {
  const auto server = expand(d, Party::server, SeedReader(seeds.server, demand));
  auto client = expand(d, Party::client, SeedReader(seeds.client, demand));
  correct(d, server, client);
  corrected_fields(d, client, out);
}

void correct_one(const OtDemand& d, std::size_t demand, const BundleSeeds& seeds, WriteFields& out) {
  const OtSender server = expand_ot_sender(d, SeedReader(seeds.server, demand));
  OtReceiver client = expand_ot_receiver(d, SeedReader(seeds.client, demand));
  correct(d, server, client);
  corrected_fields(d, client, out);
}

}  // namespace

RingVector opening_mask(const Plan& plan, std::size_t demand, const BundleSeeds& seeds) {
  const auto& d = std::get<OpeningDemand>(plan.demands[demand]);
  SeedReader of_server(seeds.server, demand);
  SeedReader of_client(seeds.client, demand);
  RingVector mask = expand_opening_bits(d, of_server);
  const RingVector theirs = expand_opening_bits(d, of_client);
  for (std::size_t i = 0; i < mask.size(); ++i) mask[i] ^= theirs[i];
  return mask;
}

std::vector<SecretBytes> make_corrections(const Plan& plan, const Key& mask_key, std::span<const BundleSeeds> seeds) {
  std::vector<std::vector<LinearClient>> linear(plan.demands.size());
  for (std::size_t i = 0; i < plan.demands.size(); ++i) {
    if (!std::holds_alternative<LinearDemand>(plan.demands[i])) continue;
    linear[i].resize(seeds.size());
    correct_linear(plan, i, mask_key, seeds, linear[i]);
  }
  std::vector<SecretBytes> out;
  for (std::size_t v = 0; v < seeds.size(); ++v) {
    Bytes bytes;
    bytes.reserve(plan.correction_bytes());
    WriteFields fields(bytes);
    for (std::size_t i = 0; i < plan.demands.size(); ++i) {
      std::visit(
          [&]<class D>(const D& d) {
            if constexpr (std::is_same_v<D, LinearDemand>) {
              corrected_fields(d, linear[i][v], fields);
            } else {
              correct_one(d, i, seeds[v], fields);
            }
          },
          plan.demands[i]);
    }
    SMPC_CHECK(bytes.size() == plan.correction_bytes());
    out.emplace_back(bytes.begin(), bytes.end());
    wipe(std::span<std::byte>(bytes));
  }
  return out;
}

}  // namespace smpc
