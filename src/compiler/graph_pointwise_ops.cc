// Arithmetic element by element, and what compares.
#include <algorithm>
#include <cmath>

#include "graph_builder.h"

namespace smpc {
namespace {

constexpr double no_limit = 1e30;  // Clip's default is the largest float
constexpr std::size_t widest_window = 256;

// Opset 6: B's shape is a run of A's, from `axis` on, or else at its end.
Shape aligned(const Shape& b, std::size_t axis, std::size_t rank) {
  Shape out = b;
  while (axis + out.size() < rank) out.push_back(1);
  return out;
}

}  // namespace

GraphData GraphBuilder::scaled(const Node& node, const GraphData& x, double by) {
  return by == 1 ? x : add(name_of(node), SumNode{{by}}, {x}, x.shape);
}

GraphData GraphBuilder::offset(const Node& node, const GraphData& x, double by) {
  if (by == 0) return x;
  const std::size_t count = elements(x.shape);
  return add(name_of(node), OffsetNode{SecretVector<double>(count, by)}, {x}, x.shape);
}

GraphData GraphBuilder::rectified(const Node& node, const GraphData& x) {
  return add(name_of(node), ReluNode{}, {x}, x.shape);
}

GraphData GraphBuilder::plus(const Node& node, const GraphData& a, const GraphData& b, double factor_a, double factor_b, bool own) {
  const auto shape = broadcast(a.shape, b.shape);
  if (!shape) fail(node, "cannot combine shapes " + to_text(a.shape) + " and " + to_text(b.shape));
  if (is_constant(a) && !is_constant(b)) return plus(node, b, a, factor_b, factor_a, false);
  if (is_constant(b) && !is_constant(a)) {
    if (own && factor_a == 1 && *shape == a.shape && fold(a, b, false, factor_b)) return a;
    SecretVector<double> values = constant(spread(node, b, *shape));
    for (double& v : values) v *= factor_b;
    return add(name_of(node), OffsetNode{std::move(values)}, {scaled(node, spread(node, a, *shape), factor_a)}, *shape);
  }
  return add(name_of(node), SumNode{{factor_a, factor_b}}, {spread(node, a, *shape), spread(node, b, *shape)}, *shape);
}

GraphData GraphBuilder::times_constant(const Node& node, const GraphData& x, const GraphData& c, bool own) {
  const auto shape = broadcast(x.shape, c.shape);
  if (!shape) fail(node, "cannot combine shapes " + to_text(x.shape) + " and " + to_text(c.shape));
  if (own && *shape == x.shape && fold(x, c, true, 1)) return x;
  const GraphData whole = spread(node, x, *shape);
  // The constant differs along the first dimensions at most; the rest of them are alike.
  Shape varies = c.shape;
  varies.insert(varies.begin(), shape->size() - c.shape.size(), 1);
  std::size_t last = varies.size();
  while (last > 0 && varies[last - 1] == 1) --last;
  Shape first(shape->begin(), shape->begin() + static_cast<std::ptrdiff_t>(last));
  const GraphData weights = spread(node, viewed(c, Shape(varies.begin(), varies.begin() + static_cast<std::ptrdiff_t>(last))), first);
  MapNode map;
  const std::size_t groups = elements(first);
  ConvAxis axis;
  axis.input = axis.output = elements(*shape) / groups;
  map.shape = conv_shape(groups, 1, 1, {axis});
  const SecretVector<double>& values = constant(weights);
  map.weights.assign(values.begin(), values.end());
  map.bias.resize(groups);
  return mapped(node, whole, std::move(map), *shape);
}

GraphData GraphBuilder::times(const Node& node, const GraphData& a, const GraphData& b, bool own) {
  const auto shape = broadcast(a.shape, b.shape);
  if (!shape) fail(node, "cannot combine shapes " + to_text(a.shape) + " and " + to_text(b.shape));
  if (is_constant(b) && !is_constant(a)) return times_constant(node, a, b, own);
  if (is_constant(a) && !is_constant(b)) return times_constant(node, b, a, false);
  const std::size_t count = elements(*shape);
  return add(name_of(node), ProductOp{count, 1, 1, 1}, {spread(node, a, *shape), spread(node, b, *shape)}, *shape);
}

void GraphBuilder::arithmetic(Node& node) {
  std::optional<std::size_t> axis;
  if (model_.opset < 7) {
    const bool given = node.attributes.count("axis") != 0;
    const std::int64_t at = take_int(node, "axis", 0);
    if (take_flag(node, "broadcast", false) && given) {
      if (at < 0) fail(node, "axis: expected a number of at least 0 in opset 6, found " + std::to_string(at));
      axis = static_cast<std::size_t>(at);
    }
  }
  if (!is_float(node, 0) && !is_float(node, 1)) {  // of shapes
    const GraphIntegers a = integers(node, 0, "input");
    const GraphIntegers b = integers(node, 1, "input");
    if (a.values.size() != b.values.size() && a.values.size() != 1 && b.values.size() != 1) fail(node, "expected lists of one length");
    std::vector<std::int64_t> out;
    for (std::size_t i = 0; i < std::max(a.values.size(), b.values.size()); ++i) {
      const std::int64_t x = a.values[a.values.size() == 1 ? 0 : i];
      const std::int64_t y = b.values[b.values.size() == 1 ? 0 : i];
      constexpr std::int64_t far = std::int64_t{1} << 31;
      if (std::abs(x) > far || std::abs(y) > far || (node.op == "Div" && y == 0)) fail(node, "an integer is out of range");
      out.push_back(node.op == "Add" ? x + y : node.op == "Sub" ? x - y : node.op == "Mul" ? x * y : x / y);
    }
    return set_values(node, a.shape.size() >= b.shape.size() ? a.shape : b.shape, std::move(out));
  }
  const GraphData a = data(node, 0);
  GraphData b = data(node, 1);
  if (axis) b.shape = aligned(b.shape, *axis, a.shape.size());
  const bool own = is_its_own(node, 0, a);
  if (node.op == "Add") return set(node, plus(node, a, b, 1, 1, own));
  if (node.op == "Sub") return set(node, plus(node, a, b, 1, -1, own));
  if (node.op == "Mul") return set(node, times(node, a, b, own));
  if (!is_constant(b)) return set(node, times(node, a, power(node, b, -1), false));
  SecretVector<double> inverse = constant(b);
  for (std::size_t i = 0; i < inverse.size(); ++i) {
    inverse[i] = 1 / inverse[i];
    if (!std::isfinite(inverse[i])) fail(node, "divisor element " + std::to_string(i) + ": expected a number other than 0");
  }
  const GraphData c = add_constant(name_of(node), std::move(inverse), b.shape);
  set(node, times(node, a, c, own));
}

void GraphBuilder::neg(Node& node) { set(node, scaled(node, data(node, 0), -1)); }

void GraphBuilder::sum(Node& node) {
  GraphData all = data(node, 0);
  for (std::size_t i = 1; i < node.inputs.size(); ++i) all = plus(node, all, data(node, i), 1, 1, false);
  set(node, all);
}

void GraphBuilder::relu(Node& node) {
  const GraphData x = data(node, 0);
  const bool again = x.value > 0 && std::holds_alternative<ReluNode>(graph_.nodes[x.value - 1].op);
  set(node, again ? x : rectified(node, x));
}

void GraphBuilder::leaky_relu(Node& node) {
  const GraphData x = data(node, 0);
  const double alpha = static_cast<double>(take_float(node, "alpha", 0.01F));
  const GraphData positive = rectified(node, x);
  set(node, add(name_of(node), SumNode{{alpha, 1 - alpha}}, {x, positive}, x.shape));
}

void GraphBuilder::p_relu(Node& node) {
  const GraphData x = data(node, 0);
  GraphData slope = data(node, 1);
  // Before opset 7 a list is one for each channel.
  if (model_.opset < 7 && slope.shape.size() == 1 && x.shape.size() > 1 && slope.shape[0] != 1) slope.shape = aligned(slope.shape, 1, x.shape.size());
  const auto shape = broadcast(x.shape, slope.shape);
  if (!shape || *shape != x.shape) fail(node, "slope: expected one that broadcasts to " + to_text(x.shape) + ", found shape " + to_text(slope.shape));
  const GraphData positive = rectified(node, x);
  const GraphData negative = plus(node, x, positive, 1, -1, false);
  set(node, plus(node, positive, times(node, negative, slope, false), 1, 1, false));
}

void GraphBuilder::abs(Node& node) {
  const GraphData x = data(node, 0);
  set(node, add(name_of(node), AbsNode{}, {x}, x.shape));
}

GraphData GraphBuilder::larger(const Node& node, const GraphData& a, const GraphData& b) {
  const auto shape = broadcast(a.shape, b.shape);
  if (!shape) fail(node, "cannot combine shapes " + to_text(a.shape) + " and " + to_text(b.shape));
  if (is_constant(a) && !is_constant(b)) return larger(node, b, a);
  if (is_constant(b) && !is_constant(a)) {
    return plus(node, rectified(node, plus(node, a, b, 1, -1, false)), b, 1, 1, false);
  }
  return add(name_of(node), MaxNode{}, {spread(node, a, *shape), spread(node, b, *shape)}, *shape);
}

void GraphBuilder::extreme(Node& node) {
  GraphData all = data(node, 0);
  for (std::size_t i = 1; i < node.inputs.size(); ++i) {
    const GraphData b = data(node, i);
    if (node.op == "Max") {
      all = larger(node, all, b);
    } else {  // min(a, b) = -max(-a, -b)
      all = scaled(node, larger(node, scaled(node, all, -1), scaled(node, b, -1)), -1);
    }
  }
  set(node, all);
}

GraphData GraphBuilder::clipped(const Node& node, GraphData x, std::optional<double> low, std::optional<double> high) {
  if (low && high && *low > *high) fail(node, "expected a least value that is not above the largest");
  if (!low && !high) return x;
  if (!low) return offset(node, scaled(node, rectified(node, offset(node, scaled(node, x, -1), *high)), -1), *high);
  const GraphData above = rectified(node, offset(node, x, -*low));
  if (!high) return offset(node, above, *low);
  const GraphData beyond = rectified(node, offset(node, x, -*high));
  return offset(node, plus(node, above, beyond, 1, -1, false), *low);
}

void GraphBuilder::clip(Node& node) {
  const GraphData x = data(node, 0);
  std::optional<double> low;
  std::optional<double> high;
  if (model_.opset < 11) {
    low = static_cast<double>(take_float(node, "min", -3.4e38F));
    high = static_cast<double>(take_float(node, "max", 3.4e38F));
  } else {
    if (has_input(node, 1)) low = scalar(node, 1, "min");
    if (has_input(node, 2)) high = scalar(node, 2, "max");
  }
  if (follows_end(node)) return set(node, x);
  if (low && *low < -no_limit) low.reset();
  if (high && *high > no_limit) high.reset();
  set(node, clipped(node, x, low, high));
}

GraphData GraphBuilder::hard_sigmoid_of(const Node& node, const GraphData& x, double alpha, double beta) {
  return clipped(node, offset(node, scaled(node, x, alpha), beta), 0, 1);
}

void GraphBuilder::hard_sigmoid(Node& node) {
  const GraphData x = data(node, 0);
  const double alpha = static_cast<double>(take_float(node, "alpha", 0.2F));
  const double beta = static_cast<double>(take_float(node, "beta", 0.5F));
  set(node, hard_sigmoid_of(node, x, alpha, beta));
}

void GraphBuilder::hard_swish(Node& node) {
  const GraphData x = data(node, 0);
  set(node, times(node, x, hard_sigmoid_of(node, x, 1.0 / 6, 0.5), false));
}

// ---- Largest of windows, one axis after another.

// Of a whole axis: one half against the other, until one element is left.
GraphData GraphBuilder::largest_along(const Node& node, GraphData x, std::size_t axis) {
  expect_few_slices(node, static_cast<std::int64_t>(x.shape[axis]));
  while (x.shape[axis] > 1) {
    const auto n = static_cast<std::int64_t>(x.shape[axis]);
    std::vector<std::int64_t> low, high;
    for (std::int64_t k = 0; k < n / 2; ++k) {
      low.push_back(k);
      high.push_back(n / 2 + k);
    }
    const GraphData winners = larger(node, taken(node, x, axis, std::move(low)), taken(node, x, axis, std::move(high)));
    if (n % 2 == 0) {
      x = winners;
      continue;
    }
    Shape shape = x.shape;
    shape[axis] = winners.shape[axis] + 1;
    x = add(name_of(node), ConcatOp{before(shape, axis)}, {winners, taken(node, x, axis, {n - 1})}, shape);
  }
  return x;
}

GraphData GraphBuilder::largest(const Node& node, GraphData x, const std::vector<ConvAxis>& axes) {
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const ConvAxis& a = axes[i];
    if (a.output == 1 && a.kernel == a.input && a.pad == 0 && a.dilation == 1) {
      x = largest_along(node, x, 2 + i);
      continue;
    }
    if (a.kernel > widest_window) {
      fail(node, "kernel_shape: expected at most " + std::to_string(widest_window) + " along an axis, found " + std::to_string(a.kernel));
    }
    // Element k of every window; where it is padding, another element of the same window instead.
    expect_few_slices(node, static_cast<std::int64_t>(a.kernel * a.output / 8));
    std::vector<std::vector<std::int64_t>> places(a.kernel, std::vector<std::int64_t>(a.output));
    for (std::size_t o = 0; o < a.output; ++o) {
      std::int64_t any = -1;
      for (std::size_t k = 0; k < a.kernel; ++k) {
        places[k][o] = a.input_at(o, k);
        any = std::max(any, places[k][o]);
      }
      if (any < 0) fail(node, "a window lies outside its input altogether");
      for (std::size_t k = 0; k < a.kernel; ++k) {
        if (places[k][o] < 0) places[k][o] = any;
      }
    }
    std::vector<GraphData> candidates;
    for (auto& slices : places) candidates.push_back(taken(node, x, 2 + i, std::move(slices)));
    while (candidates.size() > 1) {
      std::vector<GraphData> winners;
      for (std::size_t c = 0; c + 1 < candidates.size(); c += 2) winners.push_back(larger(node, candidates[c], candidates[c + 1]));
      if (candidates.size() % 2 == 1) winners.push_back(candidates.back());
      candidates = std::move(winners);
    }
    x = candidates.front();
  }
  return x;
}

// max(relu(x)) = relu(max(x)): the ReLU comes after the pooling, where fewer values are left.
void GraphBuilder::max_pool(Node& node) {
  GraphData x = data(node, 0);
  if (x.shape.size() < 3 || x.shape.size() > 5) fail(node, "expected an image of one to three dimensions, found shape " + to_text(x.shape));
  if (node.outputs.size() > 1 && uses_.count(node.outputs[1]) != 0) fail(node, "its second output, the indices, is not supported");
  take_int(node, "storage_order", 0);  // of the indices
  const Shape image(x.shape.begin() + 2, x.shape.end());
  const Shape kernel = kernel_of(node, image.size(), std::nullopt);
  const Windows windows = take_windows(node, image, kernel);
  const bool after_relu = x.value > 0 && is_its_own(node, 0, x) && std::holds_alternative<ReluNode>(graph_.nodes[x.value - 1].op);
  if (after_relu) x.value = graph_.nodes[x.value - 1].inputs.front();
  x = largest(node, x, windows.axes);
  set(node, after_relu ? rectified(node, x) : x);
}

void GraphBuilder::global_max_pool(Node& node) {
  const GraphData x = data(node, 0);
  if (x.shape.size() < 3) fail(node, "expected an image, found shape " + to_text(x.shape));
  // All elements of a channel along one axis.
  ConvAxis axis;
  axis.input = axis.kernel = elements(x.shape) / (x.shape[0] * x.shape[1]);
  const GraphData y = largest(node, viewed(x, {x.shape[0], x.shape[1], axis.input}), {axis});
  Shape out(x.shape.size(), 1);
  out[0] = x.shape[0];
  out[1] = x.shape[1];
  set(node, viewed(y, std::move(out)));
}

}  // namespace smpc
