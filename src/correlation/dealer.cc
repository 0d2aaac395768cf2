#include "smpc/correlation/dealer.h"

#include <algorithm>

#include "expand.h"
#include "smpc/base/error.h"
#include "smpc/correlation/masks.h"
#include "smpc/ring/kernels.h"

namespace smpc {
namespace {

// The corrections A b - r of one linear op for every bundle, in one pass over A.
void correct_linear(const LinearDemand& d, std::size_t demand, const Key& mask_key, std::span<const BundleSeeds> seeds,
                    std::span<LinearClient> out) {
  const std::size_t n = seeds.size();
  RingVector b;
  b.reserve(n * d.inputs);
  for (const BundleSeeds& s : seeds) {
    const RingVector one = expand_linear_client(d, SeedReader(s.client, demand)).b;
    b.insert(b.end(), one.begin(), one.end());
  }
  RingVector y(n * d.outputs);
  MaskRows mask(mask_key, d);
  ProductSum sum(d.outputs, n, d.ring);
  RingVector block(std::min(d.outputs, ProductSum::block_rows) * std::min(d.inputs, ProductSum::block_cols));
  for (std::size_t c = 0; c < d.inputs; c += ProductSum::block_cols) {
    const std::size_t cols = std::min(ProductSum::block_cols, d.inputs - c);
    for (std::size_t r = 0; r < d.outputs; r += ProductSum::block_rows) {
      const std::size_t rows = std::min(ProductSum::block_rows, d.outputs - r);
      mask.block(r, rows, c, cols, std::span(block).first(rows * cols));
      sum.add(r, MatrixBlock<std::uint64_t>{block.data(), rows, cols, cols}, {b.data() + c, d.inputs});
    }
  }
  sum.add_to(y);
  for (std::size_t v = 0; v < n; ++v) {
    const LinearServer server = expand_linear_server(d, SeedReader(seeds[v].server, demand));
    out[v].output.resize(d.outputs);
    for (std::size_t r = 0; r < d.outputs; ++r) {
      out[v].output[r] = d.ring.reduce(y[v * d.outputs + r] - server.r[r]);
    }
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

std::vector<SecretBytes> make_corrections(const Plan& plan, const Key& mask_key, std::span<const BundleSeeds> seeds) {
  std::vector<std::vector<LinearClient>> linear(plan.demands.size());
  for (std::size_t i = 0; i < plan.demands.size(); ++i) {
    if (const auto* d = std::get_if<LinearDemand>(&plan.demands[i])) {
      linear[i].resize(seeds.size());
      correct_linear(*d, i, mask_key, seeds, linear[i]);
    }
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
