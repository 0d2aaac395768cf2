// What each op of a graph becomes in the program, with its bounds; graph_smooth.cc has the smooth ones.
#include <algorithm>
#include <cmath>

#include "graph_lowering.h"
#include "graph_windows.h"
#include "map_norm.h"
#include "smpc/base/error.h"
#include "smpc/program/moves.h"

namespace smpc {
namespace {

constexpr int most_fraction_bits_of_a_row = 30;
constexpr int factor_bits = 15;  // of public factors that are not whole
constexpr int most_factor_bits = 45;
constexpr double largest_whole = 0x1p20;

bool has_padding(const ConvShape& s) {
  for (const ConvAxis& a : s.axes) {
    for (std::size_t o = 0; o < a.output; ++o) {
      for (std::size_t k = 0; k < a.kernel; ++k) {
        if (a.input_at(o, k) < 0) return true;
      }
    }
  }
  return false;
}

double largest_size(std::span<const double> factors) {
  double largest = 0;
  for (const double f : factors) largest = std::max(largest, std::abs(f));
  return largest;
}

// Fractional bits of public factors: small ones have as many bits as others.
int factor_scale(double largest) {
  return largest > 0 ? std::clamp(factor_bits - 1 - std::ilogb(largest), factor_bits, most_factor_bits) : factor_bits;
}

// How often the slice that is taken most often is taken.
double most_copies(const TakeOp& op) {
  std::vector<std::size_t> copies(op.size);
  std::size_t most = 1;
  for (const std::int64_t s : op.slices) {
    if (s >= 0) most = std::max(most, ++copies[static_cast<std::size_t>(s)]);
  }
  return static_cast<double>(most);
}

}  // namespace

GraphLowering::Value GraphLowering::lower(const ConstantNode& op) {
  // Zeros, to which the server adds the values.
  const std::size_t inputs = s_.program.input().count;
  Value zero = emit(name() + " (zeros)", TakeOp{1, inputs, 1, std::vector<std::int64_t>(op.values.size(), -1)}, {&values_[0]},
                    scale_, SecretVector<Interval>(op.values.size()), 0);
  zero.rms = zero.noise = 0;
  return biased(zero, op.values);
}

GraphLowering::Value GraphLowering::lower(const MapNode& op) {
  const Value& x = narrow(0);
  const ConvShape& shape = op.shape;
  const std::size_t rows = shape.rows();
  const std::size_t columns = shape.columns();
  double largest_weight = 0;
  for (const float w : op.weights) largest_weight = std::max(largest_weight, std::abs(static_cast<double>(w)));
  const int weight_scale =
      largest_weight > 0 ? std::clamp(weight_bits_ - 1 - std::ilogb(largest_weight * (1 + 0x1p-14)), 0, most_fraction_bits_of_a_row) : 0;
  if (std::ldexp(largest_weight, weight_scale) >= 0x1p30) {
    fail_input("layer '" + name() + "': its weights are too large; scale them down");
  }
  const int scale = x.scale + weight_scale;
  WeightMatrix::Wide matrix(op.weights.size());
  SecretVector<float> quantised(op.weights.size());
  for (std::size_t i = 0; i < matrix.size(); ++i) {
    matrix[i] = static_cast<std::int32_t>(std::nearbyint(std::ldexp(static_cast<double>(op.weights[i]), weight_scale)));
    quantised[i] = std::ldexp(static_cast<float>(matrix[i]), -weight_scale);
  }
  // Of each input channel, what its elements have in common.
  const std::size_t image = x.bounds.size() / (shape.groups * shape.in_channels);
  const bool padded = has_padding(shape);
  SecretVector<Interval> channels;
  for (std::size_t c = 0; c < shape.groups * shape.in_channels; ++c) {
    const Interval all = hull(std::span(x.bounds).subspan(c * image, image));
    channels.push_back(padded ? joined(all, {0, 0}) : all);
  }
  LinearWeights w;
  SecretVector<Interval> bounds(shape.outputs());
  double largest_row = 0;
  double bias_squares = 0;
  const std::size_t kernel = columns / shape.in_channels;
  for (std::size_t r = 0; r < rows; ++r) {
    const double b = std::ldexp(op.bias[r], scale);
    if (!(std::abs(b) < 0x1p62)) too_large(op.bias[r], scale);
    if (!why_.empty()) return {};
    w.bias.push_back(static_cast<std::int64_t>(std::nearbyint(b)));
    Interval sum{};
    double row = 0;
    double squares = 0;
    for (std::size_t c = 0; c < columns; ++c) {
      const Interval part = times(channels[r / shape.out_channels * shape.in_channels + c / kernel], matrix[r * columns + c]);
      sum = {sum.low + part.low, sum.high + part.high};
      row += std::abs(static_cast<double>(op.weights[r * columns + c]));
      squares += std::pow(static_cast<double>(quantised[r * columns + c]), 2);
    }
    // Cauchy and Schwarz.
    const double limit = std::ldexp(std::sqrt(squares) * x.norm * slack, scale) + 1;
    if (limit < largest_value) {
      const auto most = static_cast<i128>(limit);
      sum = {std::max(sum.low, -most), std::min(sum.high, most)};
    }
    sum = {sum.low + w.bias.back(), sum.high + w.bias.back()};
    std::fill_n(bounds.begin() + static_cast<std::ptrdiff_t>(r * shape.positions()), shape.positions(), sum);
    largest_row = std::max(largest_row, row);
  }
  Value sums;
  sums.scale = scale;
  sums.bounds = std::move(bounds);
  const int later = scale_of(sums);
  // Where a ReLU alone shifts the result, half a unit of what it shifts away makes it round to nearest.
  const auto& readers = readers_[static_cast<std::size_t>(node_ - graph_.nodes.data()) + 1];
  if (readers.size() == 1 && std::holds_alternative<ReluNode>(readers.front()->op) && scale > later && scale - later < 63) {
    const std::int64_t half = std::int64_t{1} << (scale - later - 1);
    for (std::int64_t& b : w.bias) b += half;
    for (Interval& b : sums.bounds) b = {b.low + half, b.high + half};
  }
  for (const std::int64_t b : w.bias) bias_squares += std::pow(std::ldexp(static_cast<double>(b), -scale), 2);
  const auto [norm, fresh] = s_.map_norms.try_emplace({static_cast<std::size_t>(node_ - graph_.nodes.data()), weight_bits_});
  if (fresh) norm->second = map_norm_bound(shape, quantised);
  const double stretch = norm->second;
  const double outputs = std::sqrt(static_cast<double>(shape.outputs()));
  // Of the weights' own rounding, in any element.
  const double exact_norm = x.norm + x.error_norm;
  const double of_weights = unit(weight_scale + 1) * std::min(static_cast<double>(columns) * largest(x),
                                                              std::sqrt(static_cast<double>(columns)) * exact_norm);
  const double of_bias = unit(scale + 1);
  const double error = largest_row * x.error + of_weights + of_bias;
  const Norms norms{stretch * x.norm + std::sqrt(bias_squares * static_cast<double>(shape.positions())),
                    stretch * x.error_norm + (of_weights + of_bias) * outputs};
  w.matrix = WeightMatrix(std::move(matrix));
  const auto trivial = [](const ConvAxis& a) { return a == ConvAxis{}; };
  const bool is_dense = shape.groups == 1 && std::all_of(shape.axes.begin(), shape.axes.end(), trivial);
  OpKind kind = is_dense ? OpKind(LinearOp{columns, rows}) : OpKind(ConvOp{shape});
  Value out = emit(name(), std::move(kind), {&x}, scale, std::move(sums.bounds), error, norms);
  out.multiplied_at = later;
  // Of rows as large as they are on average; the weights' own rounding is that of their last bit.
  double squares = 0;
  for (const float q : quantised) squares += static_cast<double>(q) * static_cast<double>(q);
  const double row = std::sqrt(squares / static_cast<double>(rows));
  out.rms = std::hypot(row * x.rms, std::sqrt(bias_squares / static_cast<double>(rows)));
  out.noise = std::hypot(row * x.noise, unit(weight_scale) * rounding_deviation * std::sqrt(static_cast<double>(columns)) * x.rms);
  if (bias_squares > 0) out.noise = std::hypot(out.noise, unit(scale) * rounding_deviation);
  s_.weights.push_back(std::move(w));
  return out;
}

// A factor that is no larger than a lift may be.
void GraphLowering::expect_small(double factor, const Value& v) {
  if (factor <= std::ldexp(1.0, largest_lift)) return;
  constexpr int beyond = 1 << 16;  // of what is not finite
  too_wide(wide_bits(hull(v.bounds)) + static_cast<unsigned>(std::min(std::ilogb(factor), beyond)));
}

GraphLowering::Value GraphLowering::lower(const SumNode& op) {
  const bool whole = std::all_of(op.factors.begin(), op.factors.end(),
                                 [](double f) { return std::nearbyint(f) == f && std::abs(f) <= largest_whole; });
  std::vector<const Value*> inputs;
  for (std::size_t k = 0; k < node_->inputs.size(); ++k) inputs.push_back(whole ? &in(k) : &narrow(k));
  const int more = whole ? 0 : factor_scale(largest_size(op.factors));
  const int finest = common_scale(inputs, more);
  std::vector<Value> cuts;
  cuts.reserve(inputs.size());
  for (const Value*& v : inputs) {
    if (v->scale > finest) v = &cuts.emplace_back(coarser(*v, finest));
  }
  SumOp sum;
  SecretVector<Interval> bounds(inputs.front()->bounds.size());
  double error = 0;
  double exact_low = 0;
  Norms norms{0, 0};
  for (std::size_t k = 0; k < inputs.size(); ++k) {
    const Value& v = *inputs[k];
    exact_low += op.factors[k] > 0 ? op.factors[k] * v.exact_low : op.factors[k] < 0 ? -unknown : 0;
    const double exact = std::ldexp(op.factors[k], more);
    const double lift = std::ldexp(1.0, finest - v.scale);
    const double factor = std::nearbyint(exact);
    expect_small(std::abs(factor) * lift, v);
    if (!why_.empty()) return {};
    sum.factors.push_back(static_cast<std::int64_t>(factor * lift));
    for (std::size_t i = 0; i < bounds.size(); ++i) {
      const Interval part = times(v.bounds[i], sum.factors.back());
      bounds[i] = {bounds[i].low + part.low, bounds[i].high + part.high};
    }
    const double used = std::ldexp(std::abs(factor), -more);
    const double off = std::abs(std::ldexp(factor, -more) - op.factors[k]);
    error += used * v.error + off * largest(v);
    norms.norm += used * v.norm;
    norms.error += used * v.error_norm + off * (v.norm + v.error_norm);
  }
  Value out = emit(name(), std::move(sum), inputs, finest + more, std::move(bounds), error, norms);
  out.exact_low = exact_low;
  return out;
}

GraphLowering::Value GraphLowering::lower(const ScaleNode& op) {
  // Of several in a row, the last alone is shifted.
  const bool again = node_->inputs[0] > 0 && std::holds_alternative<ScaleNode>(graph_.nodes[node_->inputs[0] - 1].op);
  const Value& x = again ? in(0) : narrow(0);
  ScaleOp scale{op.outer, op.inner, {}};
  const double largest_factor = largest_size(op.factors);
  const int bits = factor_scale(largest_factor);
  expect_small(std::ldexp(largest_factor, bits), x);
  if (!why_.empty()) return {};
  double off = 0;
  for (const double f : op.factors) {
    const double q = std::nearbyint(std::ldexp(f, bits));
    scale.factors.push_back(static_cast<std::int64_t>(q));
    off = std::max(off, std::abs(std::ldexp(q, -bits) - f));
  }
  SecretVector<Interval> bounds = x.bounds;
  for (std::size_t i = 0; i < bounds.size(); ++i) bounds[i] = times(bounds[i], scale.factors[i / op.inner % op.factors.size()]);
  const double used = largest_factor + off;
  return emit(name(), std::move(scale), {&x}, x.scale + bits, std::move(bounds), used * x.error + off * largest(x),
              {used * x.norm, used * x.error_norm + off * (x.norm + x.error_norm)});
}

GraphLowering::Value GraphLowering::lower(const WindowSumOp& op) {
  const Value& x = in(0);
  const ConvShape& s = op.shape;
  const std::size_t positions = s.positions();
  const std::size_t image = s.inputs() / s.groups;
  SecretVector<Interval> bounds(s.outputs());
  for (std::size_t i = 0; i < bounds.size(); ++i) {
    each_in_window(s, i % positions, [&](std::size_t, std::size_t at) {
      const Interval& v = x.bounds[i / positions * image + at];
      bounds[i] = {bounds[i].low + v.low, bounds[i].high + v.high};
    });
  }
  // A window's sum is at most sqrt(elements) times its norm, and an element lies in so many windows.
  double windows = static_cast<double>(s.columns());
  for (const ConvAxis& a : s.axes) windows *= static_cast<double>(most_windows(a));
  const double stretch = std::sqrt(windows);
  Value out = emit(name(), op, {&x}, x.scale, std::move(bounds), static_cast<double>(s.columns()) * x.error,
                   {stretch * x.norm, stretch * x.error_norm});
  if (x.exact_low >= 0) out.exact_low = 0;
  return out;
}

template <class Move>
GraphLowering::Value GraphLowering::moved(const Move& op, const std::vector<Value>& all, double copies) {
  std::vector<std::span<const Interval>> from;
  std::vector<const Value*> inputs;
  double error = 0;
  double exact_low = unknown;
  if constexpr (std::is_same_v<Move, TakeOp>) {
    if (std::find(op.slices.begin(), op.slices.end(), -1) != op.slices.end()) exact_low = 0;
  }
  Norms squares{0, 0};
  for (const Value& v : all) {
    exact_low = std::min(exact_low, v.exact_low);
    from.emplace_back(v.bounds);
    inputs.push_back(&v);
    error = std::max(error, v.error);
    squares.norm += copies * v.norm * v.norm;
    squares.error += copies * v.error_norm * v.error_norm;
  }
  SecretVector<Interval> bounds(node_->count);
  move_elements<Interval>(op, from, bounds);
  Value out = emit(name(), op, inputs, all.front().scale, std::move(bounds), error, {std::sqrt(squares.norm), std::sqrt(squares.error)});
  out.exact_low = exact_low;
  return out;
}

GraphLowering::Value GraphLowering::lower(const TransposeOp& op) { return moved(op, {in(0)}, 1); }
GraphLowering::Value GraphLowering::lower(const TakeOp& op) { return moved(op, {in(0)}, most_copies(op)); }
GraphLowering::Value GraphLowering::lower(const ConcatOp& op) {
  std::vector<Value> all;
  for (std::size_t k = 0; k < node_->inputs.size(); ++k) all.push_back(in(k));
  return moved(op, alike(std::move(all)), 1);
}

GraphLowering::Value GraphLowering::lower(const ProductOp& op) {
  // What is 0 or 1, or an index, has no fractional bits: nothing needs to be shifted away.
  const bool plain = room_ == 0 && (in(0).scale == 0 || in(1).scale == 0);
  const Value& a = plain ? in(0) : narrow(0);
  const Value& b = plain ? in(1) : narrow(1);
  if (magnitude(hull(a.bounds)) * magnitude(hull(b.bounds)) * static_cast<double>(op.inner) > 0x1p100) too_wide(100);
  if (!why_.empty()) return {};
  SecretVector<Interval> bounds(op.outputs());
  const auto product = [](const Interval& x, const Interval& y) {
    const Interval low = times(x, y.low);
    return joined(low, times(x, y.high));
  };
  const bool elements = op.inner == 1 && op.rows == 1 && op.columns == 1;
  const bool square = elements && node_->inputs[0] == node_->inputs[1];
  if (elements) {
    for (std::size_t i = 0; i < bounds.size(); ++i) {
      bounds[i] = product(a.bounds[i], b.bounds[i]);
      if (square) bounds[i].low = std::max<i128>(bounds[i].low, 0);
    }
  } else {
    const Interval one = product(hull(a.bounds), hull(b.bounds));
    std::fill(bounds.begin(), bounds.end(), times(one, static_cast<i128>(op.inner)));
  }
  const double error = static_cast<double>(op.inner) * (largest(a) * b.error + largest(b) * a.error + a.error * b.error);
  Norms norms{a.norm * b.norm, (a.norm + a.error_norm) * b.error_norm + a.error_norm * (b.norm + b.error_norm)};
  if (elements) {
    norms.norm = std::min(a.norm * largest(b), largest(a) * b.norm);
    norms.error = largest(a) * b.error_norm + a.error_norm * (largest(b) + b.error);
  }
  Value out = multiplied(name(), op, a, b, std::move(bounds), error, norms);
  if (square) out.exact_low = 0;
  return out;
}

GraphLowering::Value GraphLowering::lower(const ReluNode&) {
  const Value& x = in(0);
  return relu(name(), x, static_cast<unsigned>(std::max(0, x.scale - scale_of(x))));
}

// max(a, b) = b + relu(a - b), without a shift.
GraphLowering::Value GraphLowering::lower(const MaxNode&) {
  const std::vector<Value> all = alike({in(0), in(1)});
  if (!why_.empty()) return {};
  const Value& a = all[0];
  const Value& b = all[1];
  SecretVector<Interval> difference(a.bounds.size());
  SecretVector<Interval> bounds(a.bounds.size());
  for (std::size_t i = 0; i < bounds.size(); ++i) {
    difference[i] = {a.bounds[i].low - b.bounds[i].high, a.bounds[i].high - b.bounds[i].low};
    bounds[i] = {std::max(a.bounds[i].low, b.bounds[i].low), std::max(a.bounds[i].high, b.bounds[i].high)};
  }
  const double error = std::max(a.error, b.error);
  const Norms norms{std::hypot(a.norm, b.norm), std::hypot(a.error_norm, b.error_norm)};
  const Value d = emit(name() + " (difference)", SumOp{{1, -1}}, {&a, &b}, a.scale, std::move(difference), a.error + b.error,
                       {a.norm + b.norm, a.error_norm + b.error_norm});
  const Value r = relu(name() + " (positive)", d, 0);
  return emit(name(), SumOp{{1, 1}}, {&b, &r}, a.scale, std::move(bounds), error, norms);
}

// |x| = 2 relu(x) - x
GraphLowering::Value GraphLowering::lower(const AbsNode&) {
  const Value& x = in(0);
  const Value r = relu(name() + " (positive)", x, 0);
  SecretVector<Interval> bounds = x.bounds;
  for (Interval& b : bounds) b = {b.low > 0 ? b.low : b.high < 0 ? -b.high : 0, std::max(-b.low, b.high)};
  return emit(name(), SumOp{{2, -1}}, {&r, &x}, x.scale, std::move(bounds), x.error, {x.norm, x.error_norm});
}

// Of values that are closer to 0 than their error, either may come out: an index is that of the fixed-point values.
GraphLowering::Value GraphLowering::lower(const StepNode&) {
  const Value& x = in(0);
  compares_ = compares_ || x.error > 0;
  return emit(name(), StepOp{}, {&x}, 0, SecretVector<Interval>(x.bounds.size(), {0, 1}), 0);
}

}  // namespace smpc
