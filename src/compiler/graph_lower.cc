// Every value that is multiplied has the same number of fractional bits, or, with a limited room, as many as fit there. What a
// product gives has more of them; they are shifted away where somebody multiplies it again, inside a ReLU where one follows,
// and not before. Sums, moves and comparisons take values as they are.
#include <algorithm>
#include <cmath>

#include "graph_lowering.h"
#include "graph_windows.h"
#include "map_norm.h"
#include "smpc/base/error.h"
#include "smpc/program/moves.h"

namespace smpc {
namespace {

constexpr int finest_weights = 30;
constexpr int factor_bits = 15;  // of public factors that are not whole
constexpr int most_factor_bits = 45;
constexpr double largest_whole = 0x1p20;
// Of bounds, and of what they are multiplied by: so their products fit 128 bits.
constexpr double largest_value = 0x1p63;
constexpr int largest_lift = 50;
constexpr int room_of_sums = 56;  // bits of a sum, where values that are multiplied have a limited room
constexpr double slack = 1 + 1e-6;  // sums of up to 2^32 positive terms in double err by less

Interval joined(const Interval& a, const Interval& b) { return {std::min(a.low, b.low), std::max(a.high, b.high)}; }

Interval times(const Interval& v, i128 factor) {
  const i128 a = v.low * factor;
  const i128 b = v.high * factor;
  return {std::min(a, b), std::max(a, b)};
}

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

GraphFit GraphLowering::run() {
  start();
  for (std::size_t i = 0; i < graph_.nodes.size() && why_.empty(); ++i) {
    node_ = &graph_.nodes[i];
    std::visit([&](const auto& op) { values_[i + 1] = lower(op); }, node_->op);  // of no use once why_ says something
    forget(i);
  }
  if (why_.empty()) finish();
  if (why_.empty()) choose_rings();
  return {why_, too_wide_, values_.back().error};
}

// ---- The program

void GraphLowering::start() {
  Program& p = s_.program = Program{};
  s_.weights.clear();
  p.suite = s_.options.suite;
  p.reveal = s_.options.reveal;
  p.inputs = s_.inputs;
  p.outputs = outputs_of(s_.network);
  p.input_norm = s_.input_norm;
  p.grid = s_.grid;
  p.labels = s_.labels;
  readers_.resize(graph_.nodes.size() + 1);
  for (const GraphNode& n : graph_.nodes) {
    for (const std::size_t v : n.inputs) readers_[v].push_back(&n);
  }
  values_.resize(graph_.nodes.size() + 1);
  shifted_.resize(values_.size());
  const std::size_t count = input_count(s_);
  SecretVector<Interval> bounds;
  for (const ProgramInput& in : p.inputs) {
    const auto quantised = [&](double v) { return static_cast<i128>(std::nearbyint(std::ldexp(v, scale_))); };
    bounds.insert(bounds.end(), in.count(), {quantised(in.low), quantised(in.high)});
  }
  Value& x = values_[0];
  x.scale = scale_;
  x.error = unit(scale_ + 1);
  double squares = 0;
  for (const Interval& b : bounds) squares += std::pow(magnitude(b), 2);
  x.norm = std::ldexp(std::sqrt(squares), -scale_) * slack;
  if (s_.input_norm > 0) x.norm = std::min(x.norm, s_.input_norm * slack);
  x.error_norm = x.error * std::sqrt(static_cast<double>(count));
  x.bounds = std::move(bounds);
  p.tensors.push_back({count, scale_, Ring{}});
  need(0, x.bounds);
}

void GraphLowering::need(std::size_t tensor, unsigned bits) {
  needed_.resize(std::max(needed_.size(), tensor + 1), 2);
  needed_[tensor] = std::max(needed_[tensor], bits);
}

void GraphLowering::need(std::size_t tensor, std::span<const Interval> bounds, unsigned more) {
  const Interval all = hull(bounds);
  need(tensor, wide_bits(all) + more);
  // Beyond any ring: what follows would only overflow.
  if (magnitude(all) > largest_value) too_wide(wide_bits(all));
}

void GraphLowering::too_wide(unsigned bits) {
  const unsigned most = s_.options.bits.value_or(max_ring_bits);
  if (!why_.empty()) return;
  too_wide_ = true;
  why_ = "layer '" + name() + "': its values can need " + std::to_string(bits) + " bits, and at most " + std::to_string(most) +
         " are allowed; give a smaller --input-range or --scale" + (most < max_ring_bits ? ", or a larger --bits" : "");
}

std::string GraphLowering::name_of(std::size_t v) const { return v == 0 ? "input" : graph_.nodes[v - 1].name; }

GraphLowering::Value GraphLowering::emit(const std::string& name, OpKind kind, const std::vector<const Value*>& inputs, int scale,
                                         SecretVector<Interval> bounds, double error, Norms norms) {
  Program& p = s_.program;
  if (scale > 120) too_wide(static_cast<unsigned>(scale));
  std::vector<std::size_t> tensors;
  for (const Value* v : inputs) tensors.push_back(v->tensor);
  if (tensors.size() == 1 && tensors.front() + 1 == p.tensors.size()) tensors.clear();
  p.ops.push_back({name, std::move(kind), std::move(tensors)});
  Value out;
  out.tensor = p.tensors.size();
  out.scale = scale;
  double squares = 0;
  for (const Interval& b : bounds) squares += std::pow(magnitude(b), 2);
  out.norm = std::min(norms.norm, std::ldexp(std::sqrt(squares), -scale)) * slack;
  // No element is larger than all of them together.
  const double limit = std::ldexp(out.norm, scale) + 1;
  if (limit < largest_value) {
    const auto most = static_cast<i128>(limit);
    for (Interval& b : bounds) b = {std::clamp(b.low, -most, most), std::clamp(b.high, -most, most)};
  }
  out.error_norm = std::min(norms.error * slack, error * std::sqrt(static_cast<double>(bounds.size())));
  out.error = std::min(error, out.error_norm);
  out.bounds = std::move(bounds);
  p.tensors.push_back({out.bounds.size(), scale, Ring{}});
  need(out.tensor, out.bounds);
  return out;
}

// The bounds of what nobody reads any more.
void GraphLowering::forget(std::size_t node) {
  for (const std::size_t v : graph_.nodes[node].inputs) {
    if (readers_[v].back() != &graph_.nodes[node]) continue;
    values_[v].bounds = {};
    if (shifted_[v]) shifted_[v]->bounds = {};
  }
}

void GraphLowering::finish() {
  Program& p = s_.program;
  if (p.reveal == Reveal::logits) return;
  const Value& last = values_.back();
  const Interval all = hull(last.bounds);
  const std::vector<Interval> difference{{all.low - all.high, all.high - all.low}};
  need(last.tensor, difference);
  p.ops.push_back({"argmax", ArgMaxOp{}, {}});
  p.tensors.push_back({1, 0, Ring{index_bits(last.bounds.size())}});
  need(p.tensors.size() - 1, 1);
}

// Backwards: what is moved, added or multiplied is shared in a ring at least as wide as that of the result.
void GraphLowering::choose_rings() {
  Program& p = s_.program;
  for (std::size_t t = 0; t < p.tensors.size(); ++t) p.tensors[t].ring = Ring{needed_[t]};
  if (p.reveal == Reveal::label) p.tensors.back().ring = Ring{index_bits(p.tensors[p.tensors.size() - 2].count)};
  const unsigned most = s_.options.bits.value_or(max_ring_bits);
  for (std::size_t i = p.ops.size(); i-- > 0;) {
    const OpKind& kind = p.ops[i].kind;
    const bool converts = std::holds_alternative<ReluOp>(kind) || std::holds_alternative<TruncateOp>(kind) ||
                          std::holds_alternative<StepOp>(kind) || std::holds_alternative<ArgMaxOp>(kind) ||
                          std::holds_alternative<LookupOp>(kind);
    if (p.tensors[i + 1].ring.bits > most && why_.empty()) {
      too_wide_ = true;
      why_ = "layer '" + p.ops[i].name + "': its values can need " + std::to_string(p.tensors[i + 1].ring.bits) +
             " bits, and at most " + std::to_string(most) + " are allowed; give a smaller --input-range or --scale" +
             (most < max_ring_bits ? ", or a larger --bits" : "");
    }
    if (converts) continue;
    for (const std::size_t t : p.inputs_of(i)) p.tensors[t].ring.bits = std::max(p.tensors[t].ring.bits, p.tensors[i + 1].ring.bits);
  }
  node_ = nullptr;
  if (p.input().ring.bits > most && why_.empty()) too_wide(p.input().ring.bits);
}

// ---- Values

double GraphLowering::largest(const Value& v) const { return std::ldexp(magnitude(hull(v.bounds)), -v.scale) + v.error; }

GraphLowering::Value GraphLowering::cut(const Value& v, int scale, const std::string& name) {
  const auto shift = static_cast<unsigned>(v.scale - scale);
  SecretVector<Interval> bounds = v.bounds;
  for (Interval& b : bounds) b = {b.low >> shift, b.high >> shift};
  need(v.tensor, v.bounds, 1);
  need(v.tensor, shift + 2);
  const double moved = unit(scale) * std::sqrt(static_cast<double>(bounds.size()));
  Value out = emit(name, TruncateOp{shift}, {&v}, scale, std::move(bounds), v.error + unit(scale), {v.norm + moved, v.error_norm + moved});
  out.exact_low = v.exact_low;
  return out;
}

const GraphLowering::Value& GraphLowering::narrow(std::size_t k) {
  const std::size_t v = node_->inputs[k];
  const int scale = scale_of(values_[v]);
  if (values_[v].scale <= scale) return values_[v];
  if (!shifted_[v]) shifted_[v] = cut(values_[v], scale, name_of(v) + " (rescale)");
  return *shifted_[v];
}

int GraphLowering::scale_of(const Value& v) const {
  if (v.multiplied_at) return *v.multiplied_at;
  if (room_ == 0) return scale_;
  const double size = magnitude(hull(v.bounds));
  return size > 0 ? std::min(scale_, room_ - 1 - (std::ilogb(size) - v.scale)) : scale_;
}

// The finest, unless that makes the sum too large: then as many bits as a sum may have. What is multiplied as it is stays so.
int GraphLowering::common_scale(const std::vector<const Value*>& all, int more) const {
  int finest = std::numeric_limits<int>::min();
  int coarsest = scale_;
  double size = 0;
  bool narrow = true;
  for (const Value* v : all) {
    finest = std::max(finest, v->scale);
    coarsest = std::min(coarsest, scale_of(*v));
    narrow = narrow && v->scale <= scale_of(*v);
    size += std::ldexp(magnitude(hull(v->bounds)), -v->scale);
  }
  if (room_ == 0) return finest;
  if (narrow) return std::min(finest, coarsest);
  return size > 0 ? std::min(finest, room_of_sums - 1 - more - std::ilogb(size)) : finest;
}

GraphLowering::Value GraphLowering::coarser(const Value& v, int scale) {
  return v.scale > scale ? cut(v, scale, name() + " (align)") : v;
}

std::vector<GraphLowering::Value> GraphLowering::alike(std::vector<Value> all) {
  std::vector<const Value*> of;
  for (const Value& v : all) of.push_back(&v);
  const int scale = common_scale(of, 0);
  for (Value& v : all) {
    v = coarser(v, scale);
    if (v.scale == scale) continue;
    const std::int64_t factor = std::int64_t{1} << std::min(largest_lift, scale - v.scale);
    if (scale - v.scale > largest_lift) too_wide(static_cast<unsigned>(scale - v.scale));
    SecretVector<Interval> bounds = v.bounds;
    for (Interval& b : bounds) b = times(b, factor);
    v = emit(name() + " (align)", SumOp{{factor}}, {&v}, scale, std::move(bounds), v.error, {v.norm, v.error_norm});
  }
  return all;
}

GraphLowering::Value GraphLowering::combined(const std::string& name, const std::vector<const Value*>& all,
                                             std::vector<std::int64_t> factors, std::int64_t offset, int scale,
                                             SecretVector<Interval> bounds, double error) {
  return emit(name, SumOp{std::move(factors), offset}, all, scale, std::move(bounds), error);
}

GraphLowering::Value GraphLowering::relu(const std::string& name, const Value& x, unsigned shift) {
  need(x.tensor, shift + 1);
  SecretVector<Interval> bounds = x.bounds;
  for (Interval& b : bounds) b = {std::max<i128>(b.low, 0) >> shift, std::max<i128>(b.high, 0) >> shift};
  const int scale = x.scale - static_cast<int>(shift);
  const double floor = shift > 0 ? unit(scale) : 0;
  Value out = emit(name, ReluOp{shift}, {&x}, scale, std::move(bounds), x.error + floor,
                   {x.norm, x.error_norm + floor * std::sqrt(static_cast<double>(x.bounds.size()))});
  out.exact_low = std::max(0.0, x.exact_low);
  return out;
}

GraphLowering::Value GraphLowering::multiplied(const std::string& name, const ProductOp& op, const Value& a, const Value& b,
                                               SecretVector<Interval> bounds, double error, Norms norms) {
  return emit(name, op, {&a, &b}, a.scale + b.scale, std::move(bounds), error, norms);
}

GraphLowering::Value GraphLowering::biased(const Value& x, std::span<const double> by) {
  LinearWeights w;
  SecretVector<Interval> bounds = x.bounds;
  double squares = 0;
  for (std::size_t i = 0; i < by.size(); ++i) {
    const double scaled = std::ldexp(by[i], x.scale);
    if (!(std::abs(scaled) < 0x1p62)) {
      fail_input("layer '" + name() + "': a constant does not fit 64 bits at " + std::to_string(x.scale) +
                 " fractional bits; give a smaller --scale");
    }
    w.bias.push_back(static_cast<std::int64_t>(std::nearbyint(scaled)));
    bounds[i] = {bounds[i].low + w.bias.back(), bounds[i].high + w.bias.back()};
    squares += std::pow(std::abs(by[i]) + unit(x.scale), 2);
  }
  const double moved = unit(x.scale + 1) * std::sqrt(static_cast<double>(by.size()));
  Value out = emit(name(), BiasOp{}, {&x}, x.scale, std::move(bounds), x.error + unit(x.scale + 1),
                   {x.norm + std::sqrt(squares), x.error_norm + moved});
  s_.weights.push_back(std::move(w));
  out.exact_low = x.exact_low + *std::min_element(by.begin(), by.end());
  return out;
}

// ---- Ops

GraphLowering::Value GraphLowering::lower(const ConstantNode& op) {
  // Zeros, to which the server adds the values.
  const std::size_t inputs = s_.program.input().count;
  const Value zero = emit(name() + " (zeros)", TakeOp{1, inputs, 1, std::vector<std::int64_t>(op.values.size(), -1)}, {&values_[0]},
                          scale_, SecretVector<Interval>(op.values.size()), 0);
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
      largest_weight > 0 ? std::clamp(weight_bits_ - 1 - std::ilogb(largest_weight * (1 + 0x1p-14)), 0, finest_weights) : 0;
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
    if (!(std::abs(b) < 0x1p62)) {
      fail_input("layer '" + name() + "': its bias does not fit 64 bits at " + std::to_string(scale) +
                 " fractional bits; give a smaller --scale");
    }
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
  if (readers.size() == 1 && std::holds_alternative<ReluNode>(readers.front()->op) && scale > later) {
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
  s_.weights.push_back(std::move(w));
  return out;
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
    if (!(std::abs(factor) * lift <= std::ldexp(1.0, largest_lift))) too_wide(static_cast<unsigned>(finest));
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
  for (const ConvAxis& a : s.axes) windows *= std::ceil(static_cast<double>(a.kernel) / static_cast<double>(a.stride));
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
  Norms squares{0, 0};
  for (const Value& v : all) {
    from.emplace_back(v.bounds);
    inputs.push_back(&v);
    error = std::max(error, v.error);
    squares.norm += copies * v.norm * v.norm;
    squares.error += copies * v.error_norm * v.error_norm;
  }
  SecretVector<Interval> bounds(node_->count);
  move_elements<Interval>(op, from, bounds);
  return emit(name(), op, inputs, all.front().scale, std::move(bounds), error, {std::sqrt(squares.norm), std::sqrt(squares.error)});
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
  return emit(name(), StepOp{}, {&x}, 0, SecretVector<Interval>(x.bounds.size(), {0, 1}), 0);
}

GraphFit lower_graph(CompileState& state, const GraphPrecision& precision) {
  return GraphLowering(state, precision).run();
}

}  // namespace smpc
