// The server's quantised weights, as a program's linear ops use them.
#pragma once

#include <cstdint>
#include <span>
#include <variant>
#include <vector>

#include "smpc/program/program.h"

namespace smpc {

// A matrix of integers, row by row: in two bytes each where all of them fit, else in four. A product streams the whole
// matrix from memory, so its time is that of its bytes.
class WeightMatrix {
 public:
  using Narrow = SecretVector<std::int16_t>;
  using Wide = SecretVector<std::int32_t>;

  WeightMatrix() = default;
  explicit WeightMatrix(Wide values);
  explicit WeightMatrix(Narrow values) : values_(std::move(values)) {}

  std::size_t size() const noexcept;
  std::int32_t operator[](std::size_t i) const;
  // The values first .. first + out.size().
  void read(std::size_t first, std::span<std::int32_t> out) const;
  // Calls f with a span of the values, as std::int16_t or as std::int32_t.
  template <class F>
  decltype(auto) visit(F&& f) const {
    return std::visit([&](const auto& v) -> decltype(auto) { return f(std::span(v)); }, values_);
  }

 private:
  std::variant<Narrow, Wide> values_;
};

// W: outputs x inputs, or of a convolution rows x columns (conv.h), row by row; nothing for a BiasOp. bias: one for each
// row, at the accumulator's scale, with what the following truncation needs to round to nearest already added.
struct LinearWeights {
  WeightMatrix matrix;
  SecretVector<std::int64_t> bias;
};

// One for each op that holds any (weight_counts), in order.
using Weights = std::vector<LinearWeights>;

// Refuses (as our own bug) weights whose shapes are not the program's.
void check_weights(const Program& program, const Weights& weights);

}  // namespace smpc
