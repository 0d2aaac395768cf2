// A graph in double.
#include <cmath>

#include "graph_windows.h"
#include "smpc/base/error.h"
#include "smpc/compiler/graph.h"
#include "smpc/program/moves.h"

namespace smpc {
namespace {

using Inputs = std::vector<std::span<const double>>;

// y is zero at first.
struct Evaluate {
  const Inputs& in;
  SecretVector<double>& y;

  void operator()(const ConstantNode& op) const { y = op.values; }
  void operator()(const MapNode& op) const {
    const ConvShape& s = op.shape;
    const std::size_t positions = s.positions();
    const std::size_t kernel = s.columns() / s.in_channels;
    const std::size_t image = s.inputs() / (s.groups * s.in_channels);
    for (std::size_t r = 0; r < s.rows(); ++r) {
      const std::size_t first = r / s.out_channels * s.in_channels;  // channel
      for (std::size_t p = 0; p < positions; ++p) {
        double sum = op.bias[r];
        each_in_window(s, p, [&](std::size_t k, std::size_t i) {
          for (std::size_t c = 0; c < s.in_channels; ++c) {
            sum += static_cast<double>(op.weights[r * s.columns() + c * kernel + k]) * in[0][(first + c) * image + i];
          }
        });
        y[r * positions + p] = sum;
      }
    }
  }
  void operator()(const OffsetNode& op) const {
    for (std::size_t i = 0; i < y.size(); ++i) y[i] = in[0][i] + op.values[i];
  }
  void operator()(const SumNode& op) const {
    for (std::size_t k = 0; k < in.size(); ++k) {
      for (std::size_t i = 0; i < y.size(); ++i) y[i] += op.factors[k] * in[k][i];
    }
  }
  void operator()(const ScaleNode& op) const {
    for (std::size_t i = 0; i < y.size(); ++i) y[i] = op.factors[i / op.inner % op.factors.size()] * in[0][i];
  }
  void operator()(const WindowSumOp& op) const {
    const std::size_t positions = op.shape.positions();
    const std::size_t image = op.shape.inputs() / op.shape.groups;
    for (std::size_t i = 0; i < y.size(); ++i) {
      each_in_window(op.shape, i % positions, [&](std::size_t, std::size_t at) { y[i] += in[0][i / positions * image + at]; });
    }
  }
  void operator()(const TransposeOp& op) const { move_elements<double>(op, in, y); }
  void operator()(const TakeOp& op) const { move_elements<double>(op, in, y); }
  void operator()(const ConcatOp& op) const { move_elements<double>(op, in, y); }
  void operator()(const ProductOp& op) const {
    for (std::size_t i = 0; i < y.size(); ++i) {
      const std::size_t row = i / op.columns;
      const std::size_t batch = row / op.rows;
      for (std::size_t k = 0; k < op.inner; ++k) {
        y[i] += in[0][row * op.inner + k] * in[1][(batch * op.inner + k) * op.columns + i % op.columns];
      }
    }
  }
  void operator()(const ReluNode&) const {
    for (std::size_t i = 0; i < y.size(); ++i) y[i] = std::max(in[0][i], 0.0);
  }
  void operator()(const MaxNode&) const {
    for (std::size_t i = 0; i < y.size(); ++i) y[i] = std::max(in[0][i], in[1][i]);
  }
  void operator()(const AbsNode&) const {
    for (std::size_t i = 0; i < y.size(); ++i) y[i] = std::abs(in[0][i]);
  }
  void operator()(const StepNode&) const {
    for (std::size_t i = 0; i < y.size(); ++i) y[i] = in[0][i] >= 0 ? 1 : 0;
  }
  void operator()(const SmoothNode& op) const {
    for (std::size_t i = 0; i < y.size(); ++i) y[i] = value_of(op, in[0][i]);
  }
  void operator()(const PowerNode& op) const {
    for (std::size_t i = 0; i < y.size(); ++i) y[i] = std::pow(in[0][i], op.exponent);
  }
  void operator()(const SoftmaxNode& op) const {
    for (std::size_t r = 0; r < op.rows; ++r) {
      double sum = 0;
      for (std::size_t i = 0; i < op.size; ++i) sum += std::exp(in[0][r * op.size + i]);
      for (std::size_t i = 0; i < op.size; ++i) y[r * op.size + i] = std::exp(in[0][r * op.size + i]) / sum;
    }
  }
  void operator()(const NormalizeNode& op) const {
    for (std::size_t r = 0; r < op.rows; ++r) {
      double squares = 0;
      for (std::size_t i = 0; i < op.size; ++i) squares += in[0][r * op.size + i] * in[0][r * op.size + i];
      const double factor = 1 / std::sqrt(squares / static_cast<double>(op.size) + op.epsilon);
      if (op.factor) {
        y[r] = factor;
        continue;
      }
      for (std::size_t i = 0; i < op.size; ++i) y[r * op.size + i] = in[0][r * op.size + i] * factor;
    }
  }
};

}  // namespace

double value_of(const SmoothNode& op, double x) noexcept {
  switch (op.function) {
    case Smooth::sigmoid: return 1 / (1 + std::exp(-x));
    case Smooth::tanh: return std::tanh(x);
    case Smooth::erf: return std::erf(x);
    case Smooth::exp: return std::exp(x);
    case Smooth::softplus: return x > 30 ? x : std::log1p(std::exp(x));
    case Smooth::elu: return x > 0 ? x : op.alpha * std::expm1(x);
  }
  return x;
}

SecretVector<double> evaluate(const GraphOp& op, const Inputs& in, std::size_t count) {
  SecretVector<double> y(count);
  std::visit(Evaluate{in, y}, op);
  SMPC_CHECK(y.size() == count);
  return y;
}

std::vector<SecretVector<double>> graph_values(const Graph& graph, std::span<const double> input) {
  std::vector<SecretVector<double>> values;
  values.emplace_back(input.begin(), input.end());
  for (const GraphNode& node : graph.nodes) {
    Inputs in;
    for (const std::size_t v : node.inputs) in.emplace_back(values[v]);
    values.push_back(evaluate(node.op, in, node.count));
  }
  return values;
}

}  // namespace smpc
