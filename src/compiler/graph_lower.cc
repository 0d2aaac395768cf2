// Every value that is multiplied has the same number of fractional bits. What a product gives has more of them; they are
// shifted away where somebody multiplies it again, inside a ReLU where one follows, and not before. Sums, moves and
// comparisons take values as they are.
#include "graph_lower.h"

#include <algorithm>
#include <cmath>

#include "bounds.h"
#include "graph_windows.h"
#include "smpc/base/error.h"
#include "smpc/program/moves.h"

namespace smpc {
namespace {

constexpr int weight_bits = 15;    // and a sign: two bytes a weight
constexpr int finest_weights = 30;
constexpr int factor_bits = 15;    // fractional bits of public factors that are not whole
constexpr double largest_whole = 0x1p20;
// Of bounds, and of what they are multiplied by: so their products fit 128 bits.
constexpr double largest_value = 0x1p63;
constexpr int largest_lift = 50;

Interval joined(const Interval& a, const Interval& b) { return {std::min(a.low, b.low), std::max(a.high, b.high)}; }

Interval times(const Interval& v, i128 factor) {
  const i128 a = v.low * factor;
  const i128 b = v.high * factor;
  return {std::min(a, b), std::max(a, b)};
}

class GraphLowering {
 public:
  GraphLowering(CompileState& state, int scale) : s_(state), graph_(state.network.graph), scale_(scale) {}

  bool run(double& error, std::string& why) {
    start();
    for (std::size_t i = 0; i < graph_.nodes.size() && why_.empty(); ++i) {
      node_ = &graph_.nodes[i];
      std::visit([&](const auto& op) { values_[i + 1] = lower(op); }, node_->op);  // of no use once why_ says something
    }
    if (why_.empty()) finish();
    if (why_.empty()) choose_rings();
    why = why_;
    error = values_.back().error;
    return why_.empty();
  }

 private:
  struct Value {
    std::size_t tensor = 0;
    int scale = 0;
    SecretVector<Interval> bounds;
    double error = 0;  // of any element against exact arithmetic, at most
  };

  // ---- The program

  void start() {
    Program& p = s_.program = Program{};
    s_.weights.clear();
    p.suite = s_.options.suite;
    p.reveal = s_.options.reveal;
    for (const auto d : s_.network.input_dims) p.input_shape.push_back(static_cast<std::size_t>(d < 0 ? 1 : d));
    p.input_range = s_.input_range;
    p.input_norm = s_.input_norm;
    p.grid = s_.grid;
    p.labels = s_.labels;
    readers_.resize(graph_.nodes.size() + 1);
    for (const GraphNode& n : graph_.nodes) {
      for (const std::size_t v : n.inputs) readers_[v].push_back(&n);
    }
    values_.resize(graph_.nodes.size() + 1);
    shifted_.resize(values_.size());
    const auto limit = static_cast<i128>(std::nearbyint(std::ldexp(s_.input_range, scale_)));
    const std::size_t count = input_count(s_);
    values_[0] = {0, scale_, SecretVector<Interval>(count, {-limit, limit}), std::ldexp(0.5, -scale_)};
    p.tensors.push_back({count, scale_, Ring{}});
    need(0, values_[0].bounds);
  }

  // A tensor needs so many bits, whoever reads it.
  void need(std::size_t tensor, unsigned bits) {
    needed_.resize(std::max(needed_.size(), tensor + 1), 2);
    needed_[tensor] = std::max(needed_[tensor], bits);
  }
  void need(std::size_t tensor, std::span<const Interval> bounds, unsigned more = 0) {
    const Interval all = hull(bounds);
    need(tensor, wide_bits(all) + more);
    // Beyond any ring: what follows would only overflow.
    if (magnitude(all) > largest_value) too_wide(wide_bits(all));
  }
  void too_wide(unsigned bits) {
    const unsigned most = s_.options.bits.value_or(max_ring_bits);
    if (!why_.empty()) return;
    why_ = "layer '" + name() + "': its values can need " + std::to_string(bits) + " bits, and at most " + std::to_string(most) +
           " are allowed; give a smaller --input-range or --scale" + (most < max_ring_bits ? ", or a larger --bits" : "");
  }
  std::string name() const { return node_ == nullptr ? "input" : node_->name; }

  Value emit(const std::string& name, OpKind kind, const std::vector<const Value*>& inputs, int scale,
             SecretVector<Interval> bounds, double error) {
    Program& p = s_.program;
    if (scale > 120) too_wide(static_cast<unsigned>(scale));
    std::vector<std::size_t> tensors;
    for (const Value* v : inputs) tensors.push_back(v->tensor);
    if (tensors.size() == 1 && tensors.front() + 1 == p.tensors.size()) tensors.clear();
    p.ops.push_back({name, std::move(kind), std::move(tensors)});
    Value out{p.tensors.size(), scale, std::move(bounds), error};
    p.tensors.push_back({out.bounds.size(), scale, Ring{}});
    need(out.tensor, out.bounds);
    return out;
  }

  const Value& in(std::size_t k) const { return values_[node_->inputs[k]]; }

  double largest(const Value& v) const { return std::ldexp(magnitude(hull(v.bounds)), -v.scale) + v.error; }

  // With no more fractional bits than a value that is multiplied has.
  const Value& narrow(std::size_t k) {
    const std::size_t v = node_->inputs[k];
    if (values_[v].scale <= scale_) return values_[v];
    if (shifted_[v]) return *shifted_[v];
    const auto shift = static_cast<unsigned>(values_[v].scale - scale_);
    SecretVector<Interval> bounds = values_[v].bounds;
    for (Interval& b : bounds) b = {b.low >> shift, b.high >> shift};
    need(values_[v].tensor, values_[v].bounds, 1);
    need(values_[v].tensor, shift + 2);
    shifted_[v] = emit(name_of(v) + " (rescale)", TruncateOp{shift}, {&values_[v]}, scale_, std::move(bounds),
                       values_[v].error + std::ldexp(1.0, -scale_));
    return *shifted_[v];
  }
  std::string name_of(std::size_t v) const { return v == 0 ? "input" : graph_.nodes[v - 1].name; }

  // All at the scale of the finest.
  std::vector<Value> alike(std::vector<Value> all) {
    int finest = 0;
    for (const Value& v : all) finest = std::max(finest, v.scale);
    for (Value& v : all) {
      if (v.scale == finest) continue;
      const std::int64_t factor = std::int64_t{1} << std::min(largest_lift, finest - v.scale);
      if (finest - v.scale > largest_lift) too_wide(static_cast<unsigned>(finest));
      SecretVector<Interval> bounds = v.bounds;
      for (Interval& b : bounds) b = times(b, factor);
      v = emit(name() + " (align)", SumOp{{factor}}, {&v}, finest, std::move(bounds), v.error);
    }
    return all;
  }

  // ---- Ops

  Value lower(const ConstantNode& op) {
    // Zeros, to which the server adds the values.
    const Value zero = emit(name() + " (zeros)", TakeOp{1, values_[0].bounds.size(), 1, std::vector<std::int64_t>(op.values.size(), -1)},
                            {&values_[0]}, scale_, SecretVector<Interval>(op.values.size()), 0);
    return biased(zero, op.values);
  }

  Value biased(const Value& x, std::span<const double> by) {
    LinearWeights w;
    SecretVector<Interval> bounds = x.bounds;
    for (std::size_t i = 0; i < by.size(); ++i) {
      const double scaled = std::ldexp(by[i], x.scale);
      if (!(std::abs(scaled) < 0x1p62)) {
        fail_input("layer '" + name() + "': a constant does not fit 64 bits at " + std::to_string(x.scale) +
                   " fractional bits; give a smaller --scale");
      }
      w.bias.push_back(static_cast<std::int64_t>(std::nearbyint(scaled)));
      bounds[i] = {bounds[i].low + w.bias.back(), bounds[i].high + w.bias.back()};
    }
    Value out = emit(name(), BiasOp{}, {&x}, x.scale, std::move(bounds), x.error + std::ldexp(0.5, -x.scale));
    s_.weights.push_back(std::move(w));
    return out;
  }

  Value lower(const OffsetNode& op) { return biased(in(0), op.values); }

  Value lower(const MapNode& op) {
    const Value x = narrow(0);
    const ConvShape& shape = op.shape;
    const std::size_t rows = shape.rows();
    const std::size_t columns = shape.columns();
    double largest_weight = 0;
    for (const float w : op.weights) largest_weight = std::max(largest_weight, std::abs(static_cast<double>(w)));
    const int weight_scale =
        largest_weight > 0 ? std::clamp(weight_bits - 1 - std::ilogb(largest_weight * (1 + 0x1p-14)), 0, finest_weights) : 0;
    if (std::ldexp(largest_weight, weight_scale) >= 0x1p30) {
      fail_input("layer '" + name() + "': its weights are too large; scale them down");
    }
    const int scale = x.scale + weight_scale;
    // Where a ReLU alone shifts the result, half a unit of what it shifts away makes it round to nearest.
    const auto& readers = readers_[static_cast<std::size_t>(node_ - graph_.nodes.data()) + 1];
    const bool rounded = readers.size() == 1 && std::holds_alternative<ReluNode>(readers.front()->op) && scale > scale_;
    const std::int64_t half = rounded ? std::int64_t{1} << (scale - scale_ - 1) : 0;

    WeightMatrix::Wide matrix(op.weights.size());
    for (std::size_t i = 0; i < matrix.size(); ++i) {
      matrix[i] = static_cast<std::int32_t>(std::nearbyint(std::ldexp(static_cast<double>(op.weights[i]), weight_scale)));
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
    const std::size_t kernel = columns / shape.in_channels;
    for (std::size_t r = 0; r < rows; ++r) {
      const double b = std::ldexp(op.bias[r], scale);
      if (!(std::abs(b) < 0x1p62)) {
        fail_input("layer '" + name() + "': its bias does not fit 64 bits at " + std::to_string(scale) +
                   " fractional bits; give a smaller --scale");
      }
      w.bias.push_back(static_cast<std::int64_t>(std::nearbyint(b)) + half);
      Interval sum{w.bias.back(), w.bias.back()};
      double row = 0;
      for (std::size_t c = 0; c < columns; ++c) {
        const Interval part = times(channels[r / shape.out_channels * shape.in_channels + c / kernel], matrix[r * columns + c]);
        sum = {sum.low + part.low, sum.high + part.high};
        row += std::abs(static_cast<double>(op.weights[r * columns + c]));
      }
      std::fill_n(bounds.begin() + static_cast<std::ptrdiff_t>(r * shape.positions()), shape.positions(), sum);
      largest_row = std::max(largest_row, row);
    }
    const double error = largest_row * x.error + static_cast<double>(columns) * std::ldexp(0.5, -weight_scale) * largest(x) +
                         std::ldexp(0.5, -scale);
    w.matrix = WeightMatrix(std::move(matrix));
    const auto trivial = [](const ConvAxis& a) { return a == ConvAxis{}; };
    const bool is_dense = shape.groups == 1 && std::all_of(shape.axes.begin(), shape.axes.end(), trivial);
    OpKind kind = is_dense ? OpKind(LinearOp{columns, rows}) : OpKind(ConvOp{shape});
    Value out = emit(name(), std::move(kind), {&x}, scale, std::move(bounds), error);
    s_.weights.push_back(std::move(w));
    return out;
  }

  static bool has_padding(const ConvShape& s) {
    for (const ConvAxis& a : s.axes) {
      for (std::size_t o = 0; o < a.output; ++o) {
        for (std::size_t k = 0; k < a.kernel; ++k) {
          if (a.input_at(o, k) < 0) return true;
        }
      }
    }
    return false;
  }

  Value lower(const SumNode& op) {
    const bool whole = std::all_of(op.factors.begin(), op.factors.end(),
                                   [](double f) { return std::nearbyint(f) == f && std::abs(f) <= largest_whole; });
    std::vector<Value> all;
    for (std::size_t k = 0; k < node_->inputs.size(); ++k) all.push_back(whole ? in(k) : narrow(k));
    int finest = 0;
    for (const Value& v : all) finest = std::max(finest, v.scale);
    const int more = whole ? 0 : factor_bits;
    SumOp sum;
    SecretVector<Interval> bounds(all.front().bounds.size());
    double error = 0;
    std::vector<const Value*> inputs;
    for (std::size_t k = 0; k < all.size(); ++k) {
      const Value& v = all[k];
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
      error += std::ldexp(std::abs(factor), -more) * v.error + std::abs(std::ldexp(factor, -more) - op.factors[k]) * largest(v);
      inputs.push_back(&v);
    }
    return emit(name(), std::move(sum), inputs, finest + more, std::move(bounds), error);
  }

  Value lower(const ScaleNode& op) {
    // Of several in a row, the last alone is shifted.
    const bool again = node_->inputs[0] > 0 && std::holds_alternative<ScaleNode>(graph_.nodes[node_->inputs[0] - 1].op);
    const Value x = again ? in(0) : narrow(0);
    ScaleOp scale{op.outer, op.inner, {}};
    double largest_factor = 0;
    double off = 0;
    for (const double f : op.factors) {
      const double q = std::nearbyint(std::ldexp(f, factor_bits));
      scale.factors.push_back(static_cast<std::int64_t>(q));
      largest_factor = std::max(largest_factor, std::abs(f));
      off = std::max(off, std::abs(std::ldexp(q, -factor_bits) - f));
    }
    SecretVector<Interval> bounds = x.bounds;
    for (std::size_t i = 0; i < bounds.size(); ++i) bounds[i] = times(bounds[i], scale.factors[i / op.inner % op.factors.size()]);
    const double error = (largest_factor + off) * x.error + off * largest(x);
    return emit(name(), std::move(scale), {&x}, x.scale + factor_bits, std::move(bounds), error);
  }

  Value lower(const WindowSumOp& op) {
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
    return emit(name(), op, {&x}, x.scale, std::move(bounds), static_cast<double>(s.columns()) * x.error);
  }

  template <class Move>
  Value moved(const Move& op, const std::vector<Value>& all) {
    std::vector<std::span<const Interval>> from;
    std::vector<const Value*> inputs;
    double error = 0;
    for (const Value& v : all) {
      from.emplace_back(v.bounds);
      inputs.push_back(&v);
      error = std::max(error, v.error);
    }
    SecretVector<Interval> bounds(node_->count);
    move_elements<Interval>(op, from, bounds);
    return emit(name(), op, inputs, all.front().scale, std::move(bounds), error);
  }
  Value lower(const TransposeOp& op) { return moved(op, {in(0)}); }
  Value lower(const TakeOp& op) { return moved(op, {in(0)}); }
  Value lower(const ConcatOp& op) {
    std::vector<Value> all;
    for (std::size_t k = 0; k < node_->inputs.size(); ++k) all.push_back(in(k));
    return moved(op, alike(std::move(all)));
  }

  Value lower(const ProductOp& op) {
    const Value a = narrow(0);
    const Value b = narrow(1);
    if (magnitude(hull(a.bounds)) * magnitude(hull(b.bounds)) * static_cast<double>(op.inner) > 0x1p100) too_wide(100);
    if (!why_.empty()) return {};
    SecretVector<Interval> bounds(op.outputs());
    const auto product = [](const Interval& x, const Interval& y) {
      const Interval low = times(x, y.low);
      return joined(low, times(x, y.high));
    };
    if (op.inner == 1 && op.rows == 1 && op.columns == 1) {
      for (std::size_t i = 0; i < bounds.size(); ++i) bounds[i] = product(a.bounds[i], b.bounds[i]);
    } else {
      const Interval one = product(hull(a.bounds), hull(b.bounds));
      std::fill(bounds.begin(), bounds.end(), times(one, static_cast<i128>(op.inner)));
    }
    const double error = static_cast<double>(op.inner) * (largest(a) * b.error + largest(b) * a.error + a.error * b.error);
    return emit(name(), op, {&a, &b}, a.scale + b.scale, std::move(bounds), error);
  }

  Value lower(const ReluNode&) {
    const Value& x = in(0);
    const auto shift = static_cast<unsigned>(std::max(0, x.scale - scale_));
    need(x.tensor, shift + 1);
    SecretVector<Interval> bounds = x.bounds;
    for (Interval& b : bounds) b = {std::max<i128>(b.low, 0) >> shift, std::max<i128>(b.high, 0) >> shift};
    return emit(name(), ReluOp{shift}, {&x}, x.scale - static_cast<int>(shift), std::move(bounds),
                x.error + (shift > 0 ? std::ldexp(1.0, -scale_) : 0));
  }

  // max(a, b) = b + relu(a - b), without a shift.
  Value lower(const MaxNode&) {
    const std::vector<Value> all = alike({in(0), in(1)});
    const Value& a = all[0];
    const Value& b = all[1];
    SecretVector<Interval> difference(a.bounds.size());
    SecretVector<Interval> positive(a.bounds.size());
    SecretVector<Interval> bounds(a.bounds.size());
    for (std::size_t i = 0; i < bounds.size(); ++i) {
      difference[i] = {a.bounds[i].low - b.bounds[i].high, a.bounds[i].high - b.bounds[i].low};
      positive[i] = {std::max<i128>(difference[i].low, 0), std::max<i128>(difference[i].high, 0)};
      bounds[i] = {std::max(a.bounds[i].low, b.bounds[i].low), std::max(a.bounds[i].high, b.bounds[i].high)};
    }
    const double error = std::max(a.error, b.error);
    const Value d = emit(name() + " (difference)", SumOp{{1, -1}}, {&a, &b}, a.scale, std::move(difference), error);
    const Value r = emit(name() + " (positive)", ReluOp{0}, {&d}, a.scale, std::move(positive), error);
    return emit(name(), SumOp{{1, 1}}, {&b, &r}, a.scale, std::move(bounds), error);
  }

  // ---- The end

  void finish() {
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
  void choose_rings() {
    Program& p = s_.program;
    for (std::size_t t = 0; t < p.tensors.size(); ++t) p.tensors[t].ring = Ring{needed_[t]};
    if (p.reveal == Reveal::label) p.tensors.back().ring = Ring{index_bits(p.tensors[p.tensors.size() - 2].count)};
    const unsigned most = s_.options.bits.value_or(max_ring_bits);
    for (std::size_t i = p.ops.size(); i-- > 0;) {
      const OpKind& kind = p.ops[i].kind;
      const bool compares = std::holds_alternative<ReluOp>(kind) || std::holds_alternative<TruncateOp>(kind) ||
                            std::holds_alternative<StepOp>(kind) || std::holds_alternative<ArgMaxOp>(kind);
      if (p.tensors[i + 1].ring.bits > most && why_.empty()) {
        why_ = "layer '" + p.ops[i].name + "': its values can need " + std::to_string(p.tensors[i + 1].ring.bits) +
               " bits, and at most " + std::to_string(most) + " are allowed; give a smaller --input-range or --scale" +
               (most < max_ring_bits ? ", or a larger --bits" : "");
      }
      if (compares) continue;
      for (const std::size_t t : p.inputs_of(i)) p.tensors[t].ring.bits = std::max(p.tensors[t].ring.bits, p.tensors[i + 1].ring.bits);
    }
    if (p.input().ring.bits > most && why_.empty()) too_wide(p.input().ring.bits);
  }

  CompileState& s_;
  const Graph& graph_;
  int scale_;
  const GraphNode* node_ = nullptr;
  std::vector<std::vector<const GraphNode*>> readers_;  // of each value
  std::vector<Value> values_;
  std::vector<std::optional<Value>> shifted_;  // of a value, with scale_ fractional bits
  std::vector<unsigned> needed_;               // bits of each tensor
  std::string why_;
};

}  // namespace

bool lower_graph(CompileState& state, int scale, double& error, std::string& why) {
  return GraphLowering(state, scale).run(error, why);
}

}  // namespace smpc
