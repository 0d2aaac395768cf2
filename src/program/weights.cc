#include "smpc/program/weights.h"

#include <algorithm>
#include <limits>

#include "smpc/base/error.h"

namespace smpc {

WeightMatrix::WeightMatrix(Wide values) {
  using Limits = std::numeric_limits<std::int16_t>;
  const auto fits = [](std::int32_t w) { return w >= Limits::min() && w <= Limits::max(); };
  if (std::all_of(values.begin(), values.end(), fits)) {
    values_.emplace<Narrow>(values.begin(), values.end());
  } else {
    values_.emplace<Wide>(std::move(values));
  }
}

std::size_t WeightMatrix::size() const noexcept {
  return std::visit([](const auto& v) { return v.size(); }, values_);
}

std::int32_t WeightMatrix::operator[](std::size_t i) const {
  SMPC_CHECK(i < size());
  return std::visit([&](const auto& v) { return std::int32_t{v[i]}; }, values_);
}

void WeightMatrix::read(std::size_t first, std::span<std::int32_t> out) const {
  SMPC_CHECK(first <= size() && out.size() <= size() - first);
  visit([&](auto all) { std::copy_n(all.begin() + static_cast<std::ptrdiff_t>(first), out.size(), out.begin()); });
}

void check_weights(const Program& program, const Weights& weights) {
  std::size_t next = 0;
  for (std::size_t i = 0; i < program.ops.size(); ++i) {
    const WeightCounts counts = weight_counts(program, i);
    if (counts.bias == 0) continue;
    SMPC_CHECK(next < weights.size());
    SMPC_CHECK(weights[next].matrix.size() == counts.matrix && weights[next].bias.size() == counts.bias);
    ++next;
  }
  SMPC_CHECK(next == weights.size());
}

}  // namespace smpc
