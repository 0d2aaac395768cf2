// Random MLPs as programs, with rings that their exact bounds allow.
#pragma once

#include <algorithm>
#include <random>

#include "smpc/base/wide.h"
#include "smpc/program/weights.h"

namespace smpc::testing {

// What random_mlp and random_graph make.
struct RandomModel {
  Program program;
  Weights weights;
  std::int64_t input_limit = 0;  // |input| as an integer
};

// 1 to 6 linear ops, random widths, scales, shifts and rings; ReLU or truncation between; label or logits.
inline RandomModel random_mlp(std::mt19937_64& rng, Suite suite = Suite::cryptflow2) {
  const auto pick = [&](std::uint64_t low, std::uint64_t high) { return low + rng() % (high - low + 1); };
  RandomModel m;
  m.program.suite = suite;
  const std::size_t layers = pick(1, 6);
  std::size_t width = pick(1, 40);
  m.input_limit = static_cast<std::int64_t>(pick(1, 1U << pick(1, 14)));
  i128 bound = m.input_limit;
  int scale = static_cast<int>(pick(0, 14));
  m.program.inputs = {{"x", {width}, std::ldexp(-static_cast<double>(m.input_limit), -scale), std::ldexp(static_cast<double>(m.input_limit), -scale)}};
  m.program.tensors.push_back({width, scale, Ring{}});
  for (std::size_t layer = 0; layer < layers; ++layer) {
    const std::size_t outputs = layer + 1 == layers ? pick(2, 20) : pick(1, 40);
    LinearWeights w;
    const auto weight_limit = static_cast<std::int64_t>(pick(1, 1U << pick(1, 10)));
    const int weight_scale = static_cast<int>(pick(0, 10));
    WeightMatrix::Wide matrix;
    for (std::size_t i = 0; i < width * outputs; ++i) {
      matrix.push_back(static_cast<std::int32_t>(static_cast<std::int64_t>(rng() % (2 * static_cast<std::uint64_t>(weight_limit) + 1)) - weight_limit));
    }
    i128 largest = 0;
    for (std::size_t o = 0; o < outputs; ++o) {
      w.bias.push_back(static_cast<std::int64_t>(rng() % 2001) - 1000);
      i128 row = 1000;
      for (std::size_t i = 0; i < width; ++i) row += bound * std::abs(matrix[o * width + i]);
      largest = std::max(largest, row);
    }
    w.matrix = WeightMatrix(std::move(matrix));
    scale += weight_scale;
    const bool last = layer + 1 == layers;
    // Two bits of room: a truncation needs one more than the value, and so does an ArgMax's difference.
    const unsigned needed = bits_for(0, static_cast<std::int64_t>(largest)) + 1;
    const Ring ring{static_cast<unsigned>(std::min<std::uint64_t>(64, needed + pick(0, 6)))};
    m.program.tensors.back().ring = ring;
    m.program.ops.push_back({"linear", LinearOp{width, outputs}});
    m.program.tensors.push_back({outputs, scale, ring});
    m.weights.push_back(std::move(w));
    width = outputs;
    bound = largest;
    if (last) break;
    // Enough is shifted away that the bound stays below 2^14.
    unsigned shift = static_cast<unsigned>(pick(0, static_cast<std::uint64_t>(std::min(scale, 12))));
    while ((bound >> shift) >= (1 << 14) && static_cast<int>(shift) < scale) ++shift;
    shift = std::min(shift, ring.bits - 2);
    scale -= static_cast<int>(shift);
    bound = (bound >> shift) + 1;
    const OpKind kind = pick(0, 3) == 0 ? OpKind(TruncateOp{shift}) : OpKind(ReluOp{shift});
    m.program.ops.push_back({"shift", kind});
    m.program.tensors.push_back({width, scale, Ring{}});
  }
  if (pick(0, 1) == 0) {
    m.program.reveal = Reveal::logits;
  } else {
    m.program.reveal = Reveal::label;
    m.program.ops.push_back({"argmax", ArgMaxOp{}});
    m.program.tensors.push_back({1, 0, Ring{index_bits(width)}});
  }
  m.program.results = Results::logits;
  m.program.outputs = {{"y", {width}}};
  for (std::size_t c = 0; c < width; ++c) m.program.labels.push_back("class_" + std::to_string(c));
  return m;
}

inline RingVector random_input(const RandomModel& m, std::size_t volumes, std::mt19937_64& rng) {
  RingVector input;
  for (std::size_t i = 0; i < m.program.input().count * volumes; ++i) {
    const auto span = 2 * static_cast<std::uint64_t>(m.input_limit) + 1;
    input.push_back(m.program.input().ring.from_signed(static_cast<std::int64_t>(rng() % span) - m.input_limit));
  }
  return input;
}

}  // namespace smpc::testing
