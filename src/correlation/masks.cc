#include "smpc/correlation/masks.h"

#include <algorithm>

#include "expand.h"
#include "mask_product.h"
#include "smpc/base/declassify.h"
#include "smpc/base/error.h"
#include "smpc/crypto/kdf.h"
#include "smpc/crypto/prg.h"

namespace smpc {
namespace {

void update(Sha256& digest, const WeightMatrix& matrix) {
  WeightMatrix::Wide part(std::min<std::size_t>(matrix.size(), std::size_t{1} << 14));
  for (std::size_t at = 0; at < matrix.size(); at += part.size()) {
    const auto values = std::span(part).first(std::min(part.size(), matrix.size() - at));
    matrix.read(at, values);
    digest.update(std::as_bytes(values));
  }
}

}  // namespace

MaskId mask_id(const Key& id_key, const Digest& program_hash, const Weights& weights) {
  // A digest first, so that the weights are read once and not joined: HMAC(id_key, version || hash || SHA-256(weights)). Every
  // weight counts with four bytes, however it is held.
  Sha256 digest;
  for (const LinearWeights& w : weights) {
    ByteWriter sizes;
    sizes.u64(w.matrix.size());
    sizes.u64(w.bias.size());
    digest.update(sizes.data());
    update(digest, w.matrix);
    digest.update(std::as_bytes(std::span(w.bias)));
  }
  Digest of_weights = digest.finish();
  ByteWriter message;
  message.bytes(as_bytes("mask id"));
  message.u32(mask_version);
  message.bytes(program_hash);
  message.bytes(of_weights);
  wipe(std::span<std::byte>(of_weights));
  const MaskId id = hmac_sha256(id_key, message.data());
  declassify(Declassified::mask_id, id);
  return id;
}

Key program_key(const Key& root, const Digest& program_hash, const MaskId& id) {
  ByteWriter context;
  context.bytes(program_hash);
  context.bytes(id);
  return derive_key(root, "program and mask", context.data());
}

Key mask_key(const Key& shared) { return derive_key(shared, "A"); }

MaskRows::MaskRows(const Key& mask_key, const LinearDemand& linear)
    : row_blocks_((linear.columns() * 8 + 15) / 16), columns_(linear.columns()) {
  ByteWriter context;
  context.u64(linear.linear);
  key_.push_back(derive_key(mask_key, "A of a linear op", context.data()));
}

void MaskRows::block(std::size_t first_row, std::size_t rows, std::size_t first_col, std::size_t cols,
                     std::span<std::uint64_t> out) const {
  SMPC_CHECK(first_col % 2 == 0 && first_col + cols <= columns_ && out.size() == rows * cols);
  Prg prg(key_.front());
  for (std::size_t r = 0; r < rows; ++r) {
    prg.seek((first_row + r) * row_blocks_ + first_col / 2);
    prg.fill(out.subspan(r * cols, cols));
  }
}

void MaskRows::rows(std::size_t first, std::span<std::uint64_t> out) const {
  block(first, out.size() / columns_, 0, columns_, out);
}

MaskedLayout::MaskedLayout(const Plan& plan) {
  offsets.push_back(0);
  for (const Demand& d : plan.demands) {
    const auto* linear = std::get_if<LinearDemand>(&d);
    if (linear == nullptr) continue;
    linears.push_back(*linear);
    offsets.push_back(offsets.back() + linear->rows() * row_bytes(*linear));
  }
}

void write_masked_weights(const Plan& plan, const Weights& weights, const Key& mask_key,
                          const std::function<void(ByteView)>& write, std::size_t from) {
  const MaskedLayout layout(plan);
  for (std::size_t i = 0; i < layout.linears.size(); ++i) {
    if (layout.offsets[i + 1] <= from) continue;
    const LinearDemand& d = layout.linears[i];
    SMPC_CHECK(d.linear + d.biases_before < weights.size());
    const WeightMatrix& matrix = weights[d.linear + d.biases_before].matrix;
    const MaskRows mask(mask_key, d);
    RingVector row(d.columns());
    WeightMatrix::Wide w(d.columns());
    Bytes packed(MaskedLayout::row_bytes(d));
    const std::size_t skipped = std::max(from, layout.offsets[i]) - layout.offsets[i];
    for (std::size_t r = skipped / packed.size(); r < d.rows(); ++r) {
      mask.rows(r, row);
      matrix.read(r * d.columns(), w);
      for (std::size_t c = 0; c < d.columns(); ++c) row[c] = d.ring.reduce(d.ring.from_signed(w[c]) - row[c]);
      pack_bits(row, d.ring.bits, packed);
      declassify(Declassified::masked_weights, packed);
      const std::size_t begin = r * packed.size();
      write(ByteView(packed).subspan(skipped > begin ? skipped - begin : 0));
    }
  }
}

void finish_linear(const Plan& plan, std::size_t demand, ByteView masked_weights, std::span<const LinearField> fields) {
  const MaskedLayout layout(plan);
  SMPC_CHECK(masked_weights.size() == layout.bytes());
  const auto& d = std::get<LinearDemand>(plan.demands[demand]);
  std::vector<Prg> b;
  for (const LinearField& f : fields) b.push_back(SeedReader(f.seed, demand).stream());
  const std::size_t row_bytes = MaskedLayout::row_bytes(d);
  const RingVector y = product_with_masks(
      d, std::move(b),
      [&](std::size_t row, std::size_t rows, std::size_t col, std::size_t cols, std::span<std::uint64_t> out) {
        for (std::size_t r = 0; r < rows; ++r) {
          unpack_range(masked_weights.subspan(layout.offsets[d.linear] + (row + r) * row_bytes, row_bytes), d.ring.bits, col,
                       out.subspan(r * cols, cols));
        }
      });
  for (std::size_t v = 0; v < fields.size(); ++v) {
    RingVector share(d.outputs);
    unpack_bits(fields[v].bytes, d.ring.bits, share);
    for (std::size_t r = 0; r < d.outputs; ++r) share[r] = d.ring.reduce(share[r] + y[v * d.outputs + r]);
    pack_bits(share, d.ring.bits, fields[v].bytes);
  }
}

void finish_corrections(const Plan& plan, ByteView masked_weights, std::span<ClientMaterial> bundles) {
  for (std::size_t i = 0; i < plan.demands.size(); ++i) {
    if (!std::holds_alternative<LinearDemand>(plan.demands[i])) continue;
    std::vector<LinearField> fields;
    for (ClientMaterial& m : bundles) {
      fields.push_back({m.seed, std::span(m.corrections).subspan(plan.offsets[i], plan.offsets[i + 1] - plan.offsets[i])});
    }
    finish_linear(plan, i, masked_weights, fields);
  }
}

}  // namespace smpc
