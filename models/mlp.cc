#include "mlp.h"

#include <algorithm>
#include <cmath>

#include "networks.h"
#include "smpc/base/error.h"
#include "volume.h"

namespace smpc::demo {

Mlp initial_mlp(Eigen::Index inputs, Random& random) {
  Mlp mlp;
  Eigen::Index in = inputs;
  for (std::size_t n = 0; n < layer_count; ++n) {
    const Eigen::Index out = n + 1 == layer_count ? Eigen::Index{class_count} : hidden;
    const float sd = (n == 0 ? 0.1F : 1.0F) * std::sqrt(2.0F / static_cast<float>(in));
    Layer& layer = mlp.layers[n];
    layer.weight.resize(out, in);
    for (Eigen::Index w = 0; w < layer.weight.size(); ++w) layer.weight.data()[w] = sd * random.rough_normal();
    layer.bias.setZero(out);
    in = out;
  }
  return mlp;
}

Matrix forward_rest(const Mlp& mlp, const Matrix& first, std::array<Matrix, layer_count>& inputs) {
  Matrix values = first;
  for (std::size_t n = 1; n < layer_count; ++n) {
    inputs[n] = values.cwiseMax(0.0F);
    values.noalias() = inputs[n] * mlp.layers[n].weight.transpose();
    values.rowwise() += mlp.layers[n].bias;
  }
  return values;
}

Matrix softmax(const Matrix& logits) {
  Matrix out = logits;
  for (Eigen::Index row = 0; row < out.rows(); ++row) {
    const float top = out.row(row).maxCoeff();
    float sum = 0;
    for (Eigen::Index c = 0; c < out.cols(); ++c) {
      out(row, c) = plain_exp(std::max(out(row, c) - top, -80.0F));
      sum += out(row, c);
    }
    out.row(row) /= sum;
  }
  return out;
}

std::vector<float> spread_weights(const Matrix& weight, std::span<const std::uint32_t> brain) {
  SMPC_CHECK(static_cast<std::size_t>(weight.cols()) == brain.size());
  std::vector<float> whole(static_cast<std::size_t>(weight.rows()) * voxel_count, 0.0F);
  for (Eigen::Index row = 0; row < weight.rows(); ++row) {
    float* to = whole.data() + static_cast<std::size_t>(row) * voxel_count;
    for (std::size_t n = 0; n < brain.size(); ++n) to[brain[n]] = weight(row, static_cast<Eigen::Index>(n));
  }
  return whole;
}

}  // namespace smpc::demo
