// Functions that are no lines: they become splines (graph_smooth.cc). And the index of the largest.
#include <algorithm>
#include <cmath>

#include "graph_builder.h"

namespace smpc {

void GraphBuilder::smooth(Node& node) {
  static const std::map<std::string, Smooth> functions = {{"Sigmoid", Smooth::sigmoid}, {"Tanh", Smooth::tanh}, {"Erf", Smooth::erf},
                                                          {"Exp", Smooth::exp}, {"Softplus", Smooth::softplus}, {"Elu", Smooth::elu}};
  const GraphData x = data(node, 0);
  SmoothNode op{functions.at(node.op), 1};
  if (node.op == "Elu") op.alpha = static_cast<double>(take_float(node, "alpha", 1));
  set(node, add(name_of(node), op, {x}, x.shape));
}

// x P(x), P being the normal distribution's (1 + erf(x / sqrt(2))) / 2, or (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2.
void GraphBuilder::gelu(Node& node) {
  const GraphData x = data(node, 0);
  const std::string approximate = take_text(node, "approximate", "none");
  if (approximate != "none" && approximate != "tanh") fail(node, "approximate: expected none or tanh, found " + quote_name(approximate));
  GraphData inner = scaled(node, x, std::sqrt(0.5));
  if (approximate == "tanh") {
    const double steepness = std::sqrt(0.5) * M_2_SQRTPI;  // sqrt(2 / pi)
    inner = times(node, x, offset(node, scaled(node, times(node, x, x, false), 0.044715 * steepness), steepness), false);
  }
  const SmoothNode op{approximate == "tanh" ? Smooth::tanh : Smooth::erf, 1};
  const GraphData both = add(name_of(node), op, {inner}, x.shape);
  set(node, times(node, x, offset(node, scaled(node, both, 0.5), 0.5), false));
}

GraphData GraphBuilder::power(const Node& node, const GraphData& x, double exponent) {
  return add(name_of(node), PowerNode{exponent}, {x}, x.shape);
}

void GraphBuilder::sqrt(Node& node) { set(node, power(node, data(node, 0), 0.5)); }

void GraphBuilder::reciprocal(Node& node) { set(node, power(node, data(node, 0), -1)); }

void GraphBuilder::pow(Node& node) {
  const GraphData x = data(node, 0);
  const double exponent = is_float(node, 1) ? scalar(node, 1, "exponent") : [&] {
    const GraphIntegers i = integers(node, 1, "exponent");
    if (i.values.size() != 1) fail(node, "exponent: expected one number");
    return static_cast<double>(i.values.front());
  }();
  if (exponent == 1) return set(node, x);
  if (exponent == 2) return set(node, times(node, x, x, false));
  if (exponent == 3) return set(node, times(node, times(node, x, x, false), x, false));
  if (exponent != -1 && exponent != -0.5 && exponent != 0.5) fail(node, "exponent: expected -1, -0.5, 0.5, 1, 2 or 3");
  set(node, power(node, x, exponent));
}

// Whoever receives the logits computes the last one in the clear; under an ArgMax at the end it changes nothing.
void GraphBuilder::softmax(Node& node) {
  const GraphData x = data(node, 0);
  const std::size_t rank = x.shape.size();
  const std::size_t axis = axis_of(node, take_int(node, "axis", model_.opset >= 13 ? -1 : 1), rank, 11);
  // Before opset 13, all dimensions from the axis on are one.
  Shape order;
  for (std::size_t a = 0; a < rank; ++a) {
    if (a != axis) order.push_back(a);
  }
  order.insert(model_.opset >= 13 ? order.end() : order.begin() + static_cast<std::ptrdiff_t>(axis), axis);
  const std::size_t rows = model_.opset >= 13 ? elements(x.shape) / x.shape[axis] : before(x.shape, axis);
  const std::size_t size = elements(x.shape) / rows;
  const bool ends = node.outputs.front() == ending_.node && !ending_.guarded;
  if (rows == 1 && !is_constant(x) && (ends || node.outputs.front() == ending_.below)) {
    softmax_taken_ = true;
    if (ends) network_.tail = node.op == "Softmax" ? Tail::softmax : Tail::log_softmax;
    return set(node, x);
  }
  if (node.op == "LogSoftmax") {
    fail(node, "expected it at the model's end, over all classes of one sample, where whoever receives the logits computes it; found it over "
               "axis " + std::to_string(axis) + " of shape " + to_text(x.shape) + (ends ? "" : ", not at the end") +
               ", where a logarithm would be needed, which is not supported; use Softmax, or leave it out");
  }
  const GraphData turned = transposed(node, x, order);
  const GraphData matrix = viewed(turned, {rows, size});
  const GraphData below = plus(node, matrix, largest_along(node, matrix, 1), 1, -1, false);
  const GraphData y = add(name_of(node), SoftmaxNode{rows, size}, {below}, turned.shape);
  if (node.outputs.front() == ending_.node && size > 1) softmax_shape_ = rows == 1 ? Shape{size} : without_ones(x.shape);
  Shape back(rank);
  for (std::size_t a = 0; a < rank; ++a) back[order[a]] = a;
  set(node, transposed(node, y, back));
}

void GraphBuilder::layer_normalization(Node& node) {
  const GraphData x = data(node, 0);
  const std::size_t rank = x.shape.size();
  const std::size_t axis = axis_of(node, take_int(node, "axis", -1), rank, 17);
  const double epsilon = static_cast<double>(take_float(node, "epsilon", 1e-5F));
  if (take_int(node, "stash_type", 1) != 1) fail(node, "stash_type: expected 1, float");
  if (!(epsilon > 0)) fail(node, "epsilon: expected a positive number");
  const std::size_t rows = before(x.shape, axis);
  const std::size_t size = elements(x.shape) / rows;
  const GraphData matrix = viewed(x, {rows, size});
  const GraphData mean = summed(node, matrix, {1}, true, true);
  const GraphData centred = plus(node, matrix, mean, 1, -1, false);
  GraphData y = viewed(add(name_of(node), NormalizeNode{rows, size, epsilon}, {centred}, {rows, size}), x.shape);
  y = times(node, y, data(node, 1), false);
  if (has_input(node, 2)) y = plus(node, y, data(node, 2), 1, 1, false);
  if (y.shape != x.shape) fail(node, "scale and bias: expected shapes that broadcast to " + to_text(x.shape));
  set(node, y);
  Shape statistics = x.shape;
  std::fill(statistics.begin() + static_cast<std::ptrdiff_t>(axis), statistics.end(), 1);
  const auto wanted = [&](std::size_t i) { return i < node.outputs.size() && uses_.count(node.outputs[i]) != 0; };
  if (wanted(1)) set(node, viewed(mean, statistics), 1);
  if (wanted(2)) set(node, viewed(add(name_of(node), NormalizeNode{rows, size, epsilon, true}, {centred}, {rows, 1}), statistics), 2);
}

// y = x (bias + alpha / size * the sum of the squares of as many channels around)^(-beta)
void GraphBuilder::lrn(Node& node) {
  const GraphData x = data(node, 0);
  const std::int64_t size = take_int(node, "size", 0);
  const double alpha = static_cast<double>(take_float(node, "alpha", 1e-4F));
  const double beta = static_cast<double>(take_float(node, "beta", 0.75F));
  const double bias = static_cast<double>(take_float(node, "bias", 1));
  if (x.shape.size() < 3) fail(node, "expected an image, found shape " + to_text(x.shape));
  if (size < 1 || size > (1 << 16)) fail(node, "size: expected a positive number, found " + std::to_string(size));
  if (!(bias > 0) || !(alpha >= 0) || !(beta > 0 && beta <= 4)) fail(node, "expected a positive bias, an alpha that is not negative, and a beta of 0 to 4");
  ConvAxis channels;
  channels.input = channels.output = x.shape[1];
  channels.kernel = static_cast<std::size_t>(size);
  channels.pad = (size - 1) / 2;
  ConvAxis places;
  places.input = places.output = elements(x.shape) / (x.shape[0] * x.shape[1]);
  WindowSumOp sum;
  sum.shape = conv_shape(x.shape[0], 1, 1, {channels, places});
  const GraphData squares = add(name_of(node), sum, {times(node, x, x, false)}, x.shape);
  const GraphData base = offset(node, scaled(node, squares, alpha / static_cast<double>(size)), bias);
  set(node, times(node, x, power(node, base, -beta), false));
}

// ---- The index of the largest

// A tournament of neighbours: d is 1 where the left one wins, also where both are equal.
GraphData GraphBuilder::index_of_largest(const Node& node, GraphData x) {
  const std::size_t rows = x.shape[0];
  expect_few_slices(node, static_cast<std::int64_t>(x.shape[1]));
  std::optional<GraphData> index;
  while (x.shape[1] > 1) {
    const std::size_t pairs = x.shape[1] / 2;
    const bool odd = x.shape[1] % 2 == 1;
    std::vector<std::int64_t> left, right;
    SecretVector<double> of_right(pairs);
    for (std::size_t i = 0; i < pairs; ++i) {
      left.push_back(static_cast<std::int64_t>(2 * i));
      right.push_back(static_cast<std::int64_t>(2 * i + 1));
      of_right[i] = static_cast<double>(2 * i + 1);
    }
    const std::vector<std::int64_t> last{static_cast<std::int64_t>(x.shape[1]) - 1};
    const GraphData b = taken(node, x, 1, right);
    const GraphData lead = plus(node, taken(node, x, 1, left), b, 1, -1, false);
    const GraphData d = add(name_of(node), StepNode{}, {lead}, lead.shape);
    GraphData winners = plus(node, times(node, d, lead, false), b, 1, 1, false);
    GraphData indices = d;
    if (index) {
      const GraphData of_b = taken(node, *index, 1, right);
      const GraphData difference = plus(node, taken(node, *index, 1, left), of_b, 1, -1, false);
      indices = plus(node, times(node, d, difference, false), of_b, 1, 1, false);
    } else {
      indices = plus(node, scaled(node, d, -1), add_constant(name_of(node), std::move(of_right), {1, pairs}), 1, 1, false);
    }
    if (odd) {
      const auto joined = [&](const GraphData& most, const GraphData& one) {
        return add(name_of(node), ConcatOp{rows}, {most, one}, {rows, pairs + 1});
      };
      winners = joined(winners, taken(node, x, 1, last));
      // The last one's index, in the first round, is not computed from anything.
      const GraphData of_last = index ? taken(node, *index, 1, last)
                                      : offset(node, scaled(node, taken(node, d, 1, {0}), 0), static_cast<double>(last.front()));
      indices = joined(indices, of_last);
    }
    x = winners;
    index = indices;
  }
  return index ? *index : scaled(node, x, 0);
}

void GraphBuilder::arg_max(Node& node) {
  const GraphData x = data(node, 0);
  const std::size_t rank = x.shape.size();
  const std::size_t axis = axis_of(node, take_int(node, "axis", 0), rank, 11);
  const bool keep = take_flag(node, "keepdims", true);
  const bool last = take_flag(node, "select_last_index", false);
  const std::size_t size = x.shape[axis];
  const std::size_t rows = elements(x.shape) / size;
  if (is_constant(x)) fail(node, "expected values computed from the inputs, found a constant");
  Shape order;
  Shape out;
  for (std::size_t a = 0; a < rank; ++a) {
    if (a != axis) order.push_back(a);
    if (a != axis) out.push_back(x.shape[a]);
    if (a == axis && keep) out.push_back(1);
  }
  const bool is_label = node.outputs.front() == ending_.label;
  if (rows == 1 && !last && (is_label || node.outputs.front() == ending_.node)) {
    // The protocol's last step takes the index, of one row; what comes after it sees its shape.
    if (is_label) label_taken_ = true;
    if (!is_label) network_.tail = Tail::argmax;
    if (!is_label) scores_shape_ = x.shape;
    return set(node, viewed(x, std::move(out)));
  }
  if (is_label) {
    fail(node, "expected, beside the values that it is the index of the largest of, one row and select_last_index 0, found " +
                   std::to_string(rows) + " rows of shape " + to_text(x.shape) + "; remove output " + quote_name(ending_.label_output) + " from the model");
  }
  order.push_back(axis);
  GraphData matrix = viewed(transposed(node, x, order), {rows, size});
  if (last) {  // the first from behind
    std::vector<std::int64_t> reversed;
    for (std::size_t i = size; i-- > 0;) reversed.push_back(static_cast<std::int64_t>(i));
    matrix = taken(node, matrix, 1, std::move(reversed));
  }
  GraphData index = index_of_largest(node, matrix);
  if (last) index = offset(node, scaled(node, index, -1), static_cast<double>(size - 1));
  set(node, viewed(index, std::move(out)));
}

}  // namespace smpc
