// The demo's network: 109350-200-200-200-58, ReLU between, logits out. Weights are [out][in], as ONNX's Gemm with
// transB = 1 takes them.
#pragma once

#include <Eigen/Core>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "random.h"

namespace smpc::demo {

using Matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using Vector = Eigen::Matrix<float, 1, Eigen::Dynamic>;

struct Layer {
  Matrix weight;  // [out][in]
  Vector bias;    // [out]
};

constexpr std::size_t layer_count = 4;
constexpr Eigen::Index hidden = 200;

// The first layer reads the brain's voxels only, in ascending order, while it is trained; elsewhere its weights are 0.
struct Mlp {
  std::array<Layer, layer_count> layers;
};

// He's initialisation (He et al., Delving deep into rectifiers, ICCV 2015), the first layer at a tenth of it: its
// inputs are larger than 1, and what is not learned should not cost L1 norm.
Mlp initial_mlp(Eigen::Index inputs, Random& random);

// Everything after the first layer, from its output before ReLU, [batch][hidden]; the inputs of each layer are kept
// in `inputs` (of layers 1 to 3).
Matrix forward_rest(const Mlp& mlp, const Matrix& first, std::array<Matrix, layer_count>& inputs);

// Rows of logits to rows of probabilities.
Matrix softmax(const Matrix& logits);

// First-layer weights over the whole grid: [200][109350], 0 outside the brain.
std::vector<float> spread_weights(const Matrix& weight, std::span<const std::uint32_t> brain);

}  // namespace smpc::demo
