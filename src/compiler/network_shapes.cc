// Shapes with at most one unknown dimension, the batch.
#include "network_builder.h"
#include "smpc/base/wide.h"

namespace smpc {
namespace {

struct Count {
  std::int64_t known = 1;
  int batches = 0;
  bool overflow = false;
};

Count count_of(const Dims& dims, std::size_t first, std::size_t last) {
  Count c;
  for (std::size_t i = first; i < last; ++i) {
    if (dims[i] == batch_dim) {
      ++c.batches;
      continue;
    }
    const i128 next = static_cast<i128>(c.known) * dims[i];
    if (next > std::numeric_limits<std::int32_t>::max()) c.overflow = true;
    if (!c.overflow) c.known = static_cast<std::int64_t>(next);
  }
  return c;
}

}  // namespace

bool Batch::keeps(const Dims& dims, std::int64_t per_sample) const {
  const std::size_t first = dim == 1 ? 0 : 1;
  if (first == 1 && (dims.empty() || dims[0] != dim)) return false;
  const Count c = count_of(dims, first, dims.size());
  return !c.overflow && c.batches == 0 && c.known == per_sample;
}

std::optional<std::int64_t> product(const Dims& dims, std::size_t first, std::size_t last) {
  const Count c = count_of(dims, first, last);
  if (c.overflow || c.batches > 1) return std::nullopt;
  if (c.batches == 0) return c.known;
  if (c.known != 1) return std::nullopt;
  return batch_dim;
}

std::optional<Dims> reshape(const Dims& from, const Dims& to, bool allow_zero, std::string& why) {
  Dims out = to;
  std::optional<std::size_t> inferred;
  for (std::size_t i = 0; i < out.size(); ++i) {
    if (out[i] == batch_dim || out[i] > 0) continue;
    if (out[i] == 0 && !allow_zero && i < from.size()) {
      out[i] = from[i];
    } else if (out[i] == -1 && !inferred) {
      inferred = i;
      out[i] = 1;
    } else {
      why = out[i] == -1
                ? "more than one dimension is -1"
                : "dimension " + std::to_string(i) + " is " + std::to_string(out[i]) + ", which has no meaning here";
      return std::nullopt;
    }
  }
  const Count all = count_of(from, 0, from.size());
  const Count given = count_of(out, 0, out.size());
  if (inferred && !given.overflow && given.known > 0 && all.known % given.known == 0) {
    const std::int64_t rest = all.known / given.known;
    if (all.batches == given.batches) out[*inferred] = rest;
    if (all.batches == given.batches + 1 && rest == 1) out[*inferred] = batch_dim;
  }
  const Count result = count_of(out, 0, out.size());
  if (result.overflow || result.known != all.known || result.batches != all.batches) {
    why = "it does not fit the input of shape " + to_text(from);
    return std::nullopt;
  }
  return out;
}

std::string to_text(const Dims& dims) {
  std::string out(1, '[');
  for (std::size_t i = 0; i < dims.size(); ++i) {
    if (i > 0) out.append(", ");
    out.append(dims[i] == batch_dim ? "batch" : std::to_string(dims[i]));
  }
  return out.append("]");
}

std::optional<SecretVector<double>> spread(const Dims& from, const SecretVector<double>& values, const Dims& to,
                                           const Batch& batch) {
  if (from.size() > to.size()) return std::nullopt;
  const std::size_t skipped = to.size() - from.size();
  std::vector<std::size_t> stride(to.size(), 0);
  std::size_t next = 1;
  for (std::size_t i = from.size(); i-- > 0;) {
    if (from[i] == 1) continue;
    if (from[i] != to[i + skipped]) return std::nullopt;
    if (i + skipped == 0 && batch.dim != 1) return std::nullopt;  // would differ from sample to sample
    stride[i + skipped] = next;
    next *= static_cast<std::size_t>(from[i]);
  }
  std::size_t count = 1;
  for (std::size_t i = batch.dim == 1 ? 0 : 1; i < to.size(); ++i) count *= static_cast<std::size_t>(to[i]);
  SecretVector<double> out(count);
  for (std::size_t flat = 0; flat < count; ++flat) {
    std::size_t rest = flat;
    std::size_t at = 0;
    for (std::size_t i = to.size(); i-- > 0 && rest > 0;) {
      const auto dim = static_cast<std::size_t>(to[i]);
      at += rest % dim * stride[i];
      rest /= dim;
    }
    out[flat] = values[at];
  }
  return out;
}

}  // namespace smpc
