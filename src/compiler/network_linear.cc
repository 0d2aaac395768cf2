// Gemm, MatMul and Add: affine maps.
#include <cmath>
#include <utility>

#include "network_builder.h"
#include "smpc/base/error.h"

namespace smpc {
namespace {

// rows x columns to columns x rows, in blocks that fit the cache.
SecretVector<float> transposed(const SecretVector<float>& in, std::size_t rows, std::size_t columns) {
  constexpr std::size_t block = 64;
  SecretVector<float> out(in.size());
  for (std::size_t r0 = 0; r0 < rows; r0 += block) {
    for (std::size_t c0 = 0; c0 < columns; c0 += block) {
      for (std::size_t c = c0; c < std::min(columns, c0 + block); ++c) {
        for (std::size_t r = r0; r < std::min(rows, r0 + block); ++r) out[c * rows + r] = in[r * columns + c];
      }
    }
  }
  return out;
}

}  // namespace

// Moved out of the model where this is its only use.
SecretVector<float> NetworkBuilder::take_weights(const Node& node, std::size_t index) {
  const std::string& name = std::get<Constant>(value(node, index)).name;
  Tensor& t = model_.constants.at(name);
  if (auto* f = std::get_if<SecretVector<float>>(&t.values)) {
    const bool last = uses_[name] == 1 && name == node.inputs[index];
    return last ? std::move(*f) : *f;
  }
  SecretVector<float> out;
  out.reserve(t.size());
  for (const double v : std::get<SecretVector<double>>(t.values)) out.push_back(static_cast<float>(v));
  return out;
}

void NetworkBuilder::push_affine(Node& node, std::size_t index, bool row_per_output, float alpha,
                                 SecretVector<double> bias) {
  const Dims dims = constant_dims(node, index);
  Affine a;
  a.name = node.name.empty() ? node.outputs.front() : node.name;
  a.outputs = static_cast<std::size_t>(dims[row_per_output ? 0 : 1]);
  a.inputs = static_cast<std::size_t>(dims[row_per_output ? 1 : 0]);
  a.weights = take_weights(node, index);
  if (!row_per_output) a.weights = transposed(a.weights, a.inputs, a.outputs);
  for (std::size_t i = 0; i < a.weights.size(); ++i) {
    if (alpha != 1) a.weights[i] = static_cast<float>(static_cast<double>(alpha) * static_cast<double>(a.weights[i]));
    if (!std::isfinite(a.weights[i])) fail(node, "weight element " + std::to_string(i) + " is too large for float32");
  }
  a.bias = std::move(bias);
  a.bias.resize(a.outputs, 0);
  // What was added before goes through the weights: W (x + c) + b = W x + (W c + b).
  for (std::size_t o = 0; o < a.outputs && !pending_bias_.empty(); ++o) {
    for (std::size_t i = 0; i < a.inputs; ++i) {
      a.bias[o] += static_cast<double>(a.weights[o * a.inputs + i]) * pending_bias_[i];
    }
  }
  pending_bias_.clear();
  for (std::size_t o = 0; o < a.outputs; ++o) {
    if (!std::isfinite(a.bias[o])) fail(node, "bias element " + std::to_string(o) + " is not finite");
  }
  per_sample_ = static_cast<std::int64_t>(a.outputs);
  network_.layers.emplace_back(std::move(a));
  ++version_;
}

// Y = alpha A' B' + beta C, with A the data and B, C constants.
void NetworkBuilder::gemm(Node& node) {
  if (is_constant(node, 0)) {
    fail(node, "its left factor is a constant, so the batch would be its columns; put the weights on the right");
  }
  const Dims dims = data(node, 0).dims;
  const float alpha = take_float(node, "alpha", 1);
  const float beta = take_float(node, "beta", 1);
  if (take_flag(node, "transA", false)) fail(node, "attribute 'transA': expected 0, found 1: it would turn the batch");
  const bool row_per_output = take_flag(node, "transB", false);
  const bool broadcast = model_.opset >= 7 || take_flag(node, "broadcast", false);
  float_constant(node, 1, "weight");
  const Dims w = constant_dims(node, 1);
  if (dims.size() != 2 || dims[0] != batch_.dim) {
    fail(node, "expected an input of shape [batch, features], found " + to_text(dims) + "; flatten it before");
  }
  if (w.size() != 2 || w[row_per_output ? 1 : 0] != dims[1] || w[row_per_output ? 0 : 1] == 0) {
    fail(node, "weight " + quote_name(node.inputs[1]) + ": expected " + std::to_string(dims[1]) +
                   " inputs, found shape " + to_text(w));
  }
  const Dims out = {dims[0], w[row_per_output ? 0 : 1]};
  SecretVector<double> bias;
  if (has_input(node, 2)) {
    const SecretVector<double> values = doubles(node, 2, "bias");
    const Dims& c = constant_dims(node, 2);
    auto spread_bias = spread(c, values, out, batch_);
    if (!spread_bias || (!broadcast && c != out)) {
      fail(node, "bias " + quote_name(node.inputs[2]) + ": expected one that broadcasts to " + to_text(out) +
                     ", the same for each sample, found shape " + to_text(c));
    }
    bias = std::move(*spread_bias);
    for (double& b : bias) b *= static_cast<double>(beta);
  }
  push_affine(node, 1, row_per_output, alpha, std::move(bias));
  set(node, Data{out, version_});
}

void NetworkBuilder::mat_mul(Node& node) {
  if (is_constant(node, 0)) {
    fail(node, "its left factor is a constant, so the batch would be its columns; put the weights on the right");
  }
  Dims dims = data(node, 0).dims;
  float_constant(node, 1, "weight");
  const Dims w = constant_dims(node, 1);
  if (w.size() != 2) {
    fail(node, "weight " + quote_name(node.inputs[1]) + ": expected a matrix, found shape " + to_text(w));
  }
  if (dims.empty() || dims.back() != w[0] || w[0] != per_sample_ || w[1] == 0) {
    fail(node, "expected an input of shape [batch, " + std::to_string(w[0]) + "], found " + to_text(dims) +
                   "; flatten it before");
  }
  dims.back() = w[1];
  push_affine(node, 1, false, 1, {});
  set(node, Data{std::move(dims), version_});
}

// Opset 6: no broadcasting unless `broadcast` is 1; then B's shape is a run of A's, from `axis` or at its end.
// The constant's shape `from` becomes one that numpy's rule aligns with `to`.
void NetworkBuilder::add_broadcast_6(Node& node, const Dims& to, Dims& from) {
  const bool right = is_constant(node, 1);
  const bool broadcast = take_flag(node, "broadcast", false);
  const bool has_axis = node.attributes.count("axis") != 0;
  const std::int64_t axis = take_int(node, "axis", 0);
  const Dims shape = from;
  const auto refuse = [&] {
    fail(node, "constant of shape " + to_text(shape) + " does not fit " + to_text(to) + " by the rules of opset 6");
  };
  if (!broadcast || !right) {
    if (has_axis || from != to) refuse();
    return;
  }
  if (product(from, 0, from.size()) == 1) {
    from.clear();
    return;
  }
  if (from.size() > to.size()) refuse();
  const std::int64_t last = static_cast<std::int64_t>(to.size() - from.size());
  const std::int64_t at = has_axis ? axis : last;
  if (at < 0 || at > last) refuse();
  for (std::size_t i = 0; i < from.size(); ++i) {
    if (from[i] != to[static_cast<std::size_t>(at) + i]) refuse();
  }
  from.resize(to.size() - static_cast<std::size_t>(at), 1);
}

void NetworkBuilder::add_bias(const SecretVector<double>& bias) {
  auto* affine = network_.layers.empty() ? nullptr : std::get_if<Affine>(&network_.layers.back());
  SecretVector<double>& into = affine != nullptr ? affine->bias : pending_bias_;
  if (into.empty()) into.assign(bias.size(), 0);
  SMPC_CHECK(into.size() == bias.size());
  for (std::size_t i = 0; i < bias.size(); ++i) into[i] += bias[i];
  ++version_;
}

void NetworkBuilder::add(Node& node) {
  const bool left = is_constant(node, 0);
  const bool right = is_constant(node, 1);
  if (left == right) {
    fail(node, left ? "adds two constants; export the model with constant folding"
                    : "adds two computed tensors; only a chain without branches is supported");
  }
  const std::size_t at = right ? 1 : 0;
  const Dims dims = data(node, 1 - at).dims;
  const SecretVector<double> values = doubles(node, at, "bias");
  const Dims shape = constant_dims(node, at);
  Dims from = shape;
  if (model_.opset < 7) add_broadcast_6(node, dims, from);
  const auto bias = spread(from, values, dims, batch_);
  if (!bias) {
    fail(node, "bias " + quote_name(node.inputs[at]) + ": expected one that broadcasts to " + to_text(dims) +
                   ", the same for each sample, found shape " + to_text(shape));
  }
  add_bias(*bias);
  if (!pending_bias_.empty()) pending_from_ = describe(node);
  set(node, Data{dims, version_});
}

}  // namespace smpc
