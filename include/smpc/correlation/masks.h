// The mask A of a program's weights, and the masked weights E = W - A that clients keep.
//
// One mask, one set of weights: A is derived from the server's key K, the program's hash and the mask id, and the mask id
// is a keyed digest of the very weights. Two sets of weights never meet under one A. K stays with the server: a dealer is
// given what belongs to one program and one mask, from which nothing of another follows.
#pragma once

#include <functional>

#include "smpc/base/digest.h"
#include "smpc/correlation/plan.h"
#include "smpc/correlation/source.h"
#include "smpc/crypto/random.h"
#include "smpc/program/weights.h"

namespace smpc {

using MaskId = Digest;

// Of how A is made from the server's state: part of the mask id, so that E of one version is never finished with another's A.
constexpr std::uint32_t mask_version = 2;

// HMAC(id_key, version || program hash || canonical quantised weights). id_key is the server's own.
MaskId mask_id(const Key& id_key, const Digest& program_hash, const Weights& weights);

// The key that server and dealer share, of one program and one mask: KDF(K, program hash || mask id). K is the server's own.
Key program_key(const Key& root, const Digest& program_hash, const MaskId& id);

// The key of A, from the key that server and dealer share.
Key mask_key(const Key& shared);

// The rows of A for one linear map: `columns` elements a row, the same on every call.
class MaskRows {
 public:
  MaskRows(const Key& mask_key, const LinearDemand& linear);
  // Rows first .. first + out.size() / columns, as 64-bit words; their low ring bits are A.
  void rows(std::size_t first, std::span<std::uint64_t> out) const;
  // Some columns of some rows, row by row. first_col is even, since a block of the generator holds two elements.
  void block(std::size_t first_row, std::size_t rows, std::size_t first_col, std::size_t cols,
             std::span<std::uint64_t> out) const;

 private:
  std::size_t row_blocks_;
  std::size_t columns_;
  std::vector<Key> key_;  // exactly one; a vector only so that it can be moved
};

// E as it is sent and stored: every linear map in turn, row by row, each row packed to its ring's width and padded to a
// whole byte.
struct MaskedLayout {
  explicit MaskedLayout(const Plan& plan);
  std::vector<LinearDemand> linears;
  std::vector<std::size_t> offsets;  // of each linear map, in bytes; one more for the end
  std::size_t bytes() const noexcept { return offsets.back(); }
  static std::size_t row_bytes(const LinearDemand& d) noexcept { return packed_bytes(d.columns(), d.ring.bits); }
};

// Writes E in order, row by row, from a byte offset on: the rows before it are not computed.
void write_masked_weights(const Plan& plan, const Weights& weights, const Key& mask_key,
                          const std::function<void(ByteView)>& write, std::size_t from = 0);

// The client: replaces a linear map's corrections A b - r, one field a bundle, by the finished shares E b + (A b - r), for
// all bundles in one pass over the map's rows of E. No volume is needed.
struct LinearField {
  const Key& seed;             // of the bundle
  std::span<std::byte> bytes;  // those of `demand` in its corrections
};
void finish_linear(const Plan& plan, std::size_t demand, ByteView masked_weights, std::span<const LinearField> fields);

// The same for every linear map.
void finish_corrections(const Plan& plan, ByteView masked_weights, std::span<ClientMaterial> bundles);

}  // namespace smpc
