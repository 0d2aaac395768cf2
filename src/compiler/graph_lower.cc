// Every value that is multiplied has the same number of fractional bits, or, with a limited room, as many as fit there. What a
// product gives has more of them; they are shifted away where somebody multiplies it again, inside a ReLU where one follows,
// and not before. Sums, moves and comparisons take values as they are.
#include <algorithm>
#include <cmath>

#include "graph_lowering.h"
#include "remedies.h"
#include "smpc/base/error.h"

namespace smpc {
namespace {

constexpr int room_of_sums = 56;  // bits of a sum, where values that are multiplied have a limited room

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
  const Value& last = values_.back();
  return {why_, remedy_, too_wide_, last.noise, compares_ || !std::isfinite(last.error) ? std::nullopt : std::optional(last.error)};
}

// ---- The program

void GraphLowering::start() {
  Program& p = s_.program = Program{};
  s_.weights.clear();
  p.suite = s_.options.suite;
  p.reveal = s_.options.reveal;
  p.results = s_.results;
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
  x.rms = s_.input_rms;
  x.noise = unit(scale_) * rounding_deviation;
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

void GraphLowering::too_wide(unsigned bits, const std::string& layer) {
  const unsigned most = s_.options.bits.value_or(max_ring_bits);
  if (!why_.empty()) return;
  too_wide_ = true;
  why_ = "layer '" + layer + "': its values can need " + std::to_string(bits) + " bits, and at most " + std::to_string(most) + " are allowed";
}

void GraphLowering::too_large(double constant, int scale) {
  if (!why_.empty()) return;
  too_wide_ = true;
  why_ = constant_does_not_fit(name(), constant, scale);
  remedy_ = remedy_of_constant(constant);
}

std::string GraphLowering::name_of(std::size_t v) const { return v == 0 ? "input" : graph_.nodes[v - 1].name; }

GraphLowering::Value GraphLowering::emit(const std::string& name, OpKind kind, const std::vector<const Value*>& inputs, int scale,
                                         SecretVector<Interval> bounds, double error, Norms norms) {
  Program& p = s_.program;
  if (std::abs(scale) > 120) too_wide(static_cast<unsigned>(std::abs(scale)));  // a program has no such scale
  std::vector<std::size_t> tensors;
  for (const Value* v : inputs) tensors.push_back(v->tensor);
  if (tensors.size() == 1 && tensors.front() + 1 == p.tensors.size()) tensors.clear();
  Value out;
  out.scale = scale;
  estimate(kind, inputs, out);
  p.ops.push_back({name, std::move(kind), std::move(tensors)});
  out.tensor = p.tensors.size();
  double squares = 0;
  for (const Interval& b : bounds) squares += std::pow(magnitude(b), 2);
  out.norm = std::min(bounded(norms.norm), std::ldexp(std::sqrt(squares), -scale)) * slack;
  // No element is larger than all of them together.
  const double limit = std::ldexp(out.norm, scale) + 1;
  if (limit < largest_value) {
    const auto most = static_cast<i128>(limit);
    for (Interval& b : bounds) b = {std::clamp(b.low, -most, most), std::clamp(b.high, -most, most)};
  }
  error = bounded(error);
  out.error_norm = std::min(bounded(norms.error) * slack, error * std::sqrt(static_cast<double>(bounds.size())));
  out.error = std::min(error, out.error_norm);
  out.bounds = std::move(bounds);
  p.tensors.push_back({out.bounds.size(), scale, Ring{}});
  need(out.tensor, out.bounds);
  return out;
}

// As if elements were independent of each other, and as often positive as negative. Linear maps and smooth functions, which know
// more, say it themselves.
void GraphLowering::estimate(const OpKind& kind, const std::vector<const Value*>& inputs, Value& out) const {
  const auto hypot = [](double& sum, double more) { sum = std::hypot(sum, more); };
  const Value& x = *inputs.front();
  const double last_bit = unit(out.scale);
  const double lift = std::ldexp(1.0, x.scale - out.scale);
  out.rms = x.rms;
  out.noise = x.noise;
  if (const auto* relu = std::get_if<ReluOp>(&kind)) {
    out.rms /= std::sqrt(2.0);
    if (relu->shift > 0) hypot(out.noise, last_bit * (x.multiplied_at ? rounding_deviation : flooring_deviation));
    out.noise /= std::sqrt(2.0);
  } else if (std::holds_alternative<TruncateOp>(kind)) {
    hypot(out.noise, last_bit * flooring_deviation);
  } else if (const auto* sum = std::get_if<SumOp>(&kind)) {
    out.rms = std::abs(std::ldexp(static_cast<double>(sum->offset), -out.scale));
    out.noise = 0;
    for (std::size_t k = 0; k < inputs.size(); ++k) {
      const double factor = std::ldexp(static_cast<double>(sum->factors[k]), inputs[k]->scale - out.scale);
      hypot(out.rms, factor * inputs[k]->rms);
      hypot(out.noise, factor * inputs[k]->noise);
    }
  } else if (const auto* by = std::get_if<ScaleOp>(&kind)) {
    double squares = 0;
    for (const std::int64_t f : by->factors) squares += std::pow(static_cast<double>(f), 2);
    const double factor = lift * std::sqrt(squares / static_cast<double>(by->factors.size()));
    out.rms *= factor;
    out.noise *= factor;
  } else if (const auto* windows = std::get_if<WindowSumOp>(&kind)) {  // what is averaged is mostly of one sign
    out.rms *= static_cast<double>(windows->shape.columns());
    out.noise *= std::sqrt(static_cast<double>(windows->shape.columns()));
  } else if (const auto* product = std::get_if<ProductOp>(&kind)) {
    const Value& y = *inputs[1];
    const double size = std::sqrt(static_cast<double>(product->inner));
    out.rms = size * x.rms * y.rms;
    out.noise = size * std::hypot(x.rms * y.noise, y.rms * x.noise);
  } else if (std::holds_alternative<StepOp>(kind)) {
    out.rms = 1;
    out.noise = 0;
  } else {
    for (const Value* v : inputs) out.rms = std::max(out.rms, v->rms);
    for (const Value* v : inputs) out.noise = std::max(out.noise, v->noise);
  }
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
    if (p.tensors[i + 1].ring.bits > most) too_wide(p.tensors[i + 1].ring.bits, p.ops[i].name);
    if (converts) continue;
    for (const std::size_t t : p.inputs_of(i)) p.tensors[t].ring.bits = std::max(p.tensors[t].ring.bits, p.tensors[i + 1].ring.bits);
  }
  node_ = nullptr;
  if (p.input().ring.bits > most && why_.empty()) too_wide(p.input().ring.bits);
}

// ---- Values

double GraphLowering::largest(const Value& v) const { return std::ldexp(magnitude(hull(v.bounds)), -v.scale) + v.error; }

GraphLowering::Value GraphLowering::cut(const Value& v, int scale, const std::string& name) {
  if (v.scale <= scale) return v;
  const auto shift = static_cast<unsigned>(v.scale - scale);
  SecretVector<Interval> bounds = v.bounds;
  const unsigned by = std::min(shift, 126U);  // further than a ring is wide it is refused below
  for (Interval& b : bounds) b = {b.low >> by, b.high >> by};
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

// The finest, unless that makes the sum too large: then as many bits as a sum may have. What is multiplied as it is stays so. None is
// lifted too far: beside a value without fractional bits, such as an index, what has very many keeps those that matter.
int GraphLowering::common_scale(const std::vector<const Value*>& all, int more) const {
  constexpr int largest_distance = 40;
  int finest = std::numeric_limits<int>::min();
  int least = std::numeric_limits<int>::max();
  int coarsest = scale_;
  double size = 0;
  bool narrow = true;
  for (const Value* v : all) {
    finest = std::max(finest, v->scale);
    least = std::min(least, v->scale);
    coarsest = std::min(coarsest, scale_of(*v));
    narrow = narrow && v->scale <= scale_of(*v);
    size += std::ldexp(magnitude(hull(v->bounds)), -v->scale);
  }
  if (finest - least > largest_lift) finest = least + largest_distance;
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
    if (scale - v.scale > largest_lift) too_wide(static_cast<unsigned>(scale - v.scale) + wide_bits(hull(v.bounds)));
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
    if (!(std::abs(scaled) < 0x1p62)) too_large(by[i], x.scale);
    if (!why_.empty()) return {};
    w.bias.push_back(static_cast<std::int64_t>(std::nearbyint(scaled)));
    bounds[i] = {bounds[i].low + w.bias.back(), bounds[i].high + w.bias.back()};
    squares += std::pow(std::abs(by[i]) + unit(x.scale), 2);
  }
  const double moved = unit(x.scale + 1) * std::sqrt(static_cast<double>(by.size()));
  Value out = emit(name(), BiasOp{}, {&x}, x.scale, std::move(bounds), x.error + unit(x.scale + 1),
                   {x.norm + std::sqrt(squares), x.error_norm + moved});
  s_.weights.push_back(std::move(w));
  double added = 0;
  for (const double b : by) added += b * b;
  out.rms = std::hypot(out.rms, std::sqrt(added / static_cast<double>(by.size())));
  out.noise = std::hypot(out.noise, unit(x.scale) * rounding_deviation);
  out.exact_low = x.exact_low + *std::min_element(by.begin(), by.end());
  return out;
}

GraphFit lower_graph(CompileState& state, const GraphPrecision& precision) {
  return GraphLowering(state, precision).run();
}

}  // namespace smpc
