// Products of matrices, normalisation, sums and averages.
#include <algorithm>
#include <cmath>

#include "graph_builder.h"

namespace smpc {
namespace {

// A dense map is a convolution of one position.
MapNode dense(std::size_t inputs, std::size_t outputs) {
  MapNode map;
  map.shape.in_channels = inputs;
  map.shape.out_channels = outputs;
  map.bias.resize(outputs);
  return map;
}

// Rows of a matrix as columns: for `batch` matrices of rows x columns.
void transpose_into(const SecretVector<double>& from, std::size_t batch, std::size_t rows, std::size_t columns,
                    SecretVector<float>& to) {
  to.resize(from.size());
  for (std::size_t b = 0; b < batch; ++b) {
    for (std::size_t r = 0; r < rows; ++r) {
      for (std::size_t c = 0; c < columns; ++c) {
        to[(b * columns + c) * rows + r] = static_cast<float>(from[(b * rows + r) * columns + c]);
      }
    }
  }
}

}  // namespace

ConvShape GraphBuilder::conv_shape(std::size_t groups, std::size_t in, std::size_t out, const std::vector<ConvAxis>& axes) {
  ConvShape s;
  s.groups = groups;
  s.in_channels = in;
  s.out_channels = out;
  std::copy(axes.begin(), axes.end(), s.axes.end() - static_cast<std::ptrdiff_t>(axes.size()));
  return s;
}

GraphData GraphBuilder::mapped(const Node& node, const GraphData& x, MapNode map, Shape shape) {
  for (const float w : map.weights) {
    if (!std::isfinite(w)) fail(node, "a weight is too large for float32");
  }
  return add(name_of(node), std::move(map), {x}, std::move(shape));
}

bool GraphBuilder::fold(const GraphData& d, const GraphData& c, bool multiply, double sign) {
  if (d.value == 0) return false;
  auto* map = std::get_if<MapNode>(&graph_.nodes[d.value - 1].op);
  if (map == nullptr) return false;
  // The first axes of the result are the map's rows, the others its positions: there the constant may not differ.
  const std::size_t rank = d.shape.size();
  std::size_t axes_of_rows = rank;
  while (axes_of_rows > 0 && before(d.shape, axes_of_rows) > map->shape.rows()) --axes_of_rows;
  if (before(d.shape, axes_of_rows) != map->shape.rows() || c.shape.size() > rank) return false;
  Shape varies = c.shape;
  varies.insert(varies.begin(), rank - c.shape.size(), 1);
  if (elements(Shape(varies.begin() + static_cast<std::ptrdiff_t>(axes_of_rows), varies.end())) != 1) return false;
  SecretVector<double> by_row(map->shape.rows());
  const SecretVector<double>& values = constant(c);
  for (std::size_t r = 0; r < by_row.size(); ++r) {
    std::size_t at = 0;
    std::size_t stride = 1;
    std::size_t rest = r;
    for (std::size_t a = axes_of_rows; a-- > 0;) {
      if (varies[a] != 1) at += rest % d.shape[a] * stride;
      stride *= varies[a];
      rest /= d.shape[a];
    }
    by_row[r] = values[at];
  }
  const std::size_t columns = map->shape.columns();
  for (std::size_t r = 0; r < by_row.size(); ++r) {
    if (multiply) {
      map->bias[r] *= by_row[r];
      for (std::size_t k = 0; k < columns; ++k) {
        float& w = map->weights[r * columns + k];
        w = static_cast<float>(static_cast<double>(w) * by_row[r]);
        if (!std::isfinite(w)) fail_graph("node " + quote_name(graph_.nodes[d.value - 1].name) + ": a weight is too large for float32");
      }
    } else {
      map->bias[r] += sign * by_row[r];
    }
  }
  return true;
}

// ---- Products of matrices

GraphData GraphBuilder::product(const Node& node, GraphData a, GraphData b) {
  const bool row_vector = a.shape.size() == 1;
  const bool column_vector = b.shape.size() == 1;
  if (a.shape.empty() || b.shape.empty()) fail(node, "expected matrices, found a scalar");
  if (row_vector) a.shape.insert(a.shape.begin(), 1);
  if (column_vector) b.shape.push_back(1);
  const std::size_t n = a.shape[a.shape.size() - 2];
  const std::size_t k = a.shape.back();
  const std::size_t m = b.shape.back();
  const Shape of_a(a.shape.begin(), a.shape.end() - 2);
  const Shape of_b(b.shape.begin(), b.shape.end() - 2);
  const auto batch_shape = broadcast(of_a, of_b);
  if (b.shape[b.shape.size() - 2] != k || !batch_shape) {
    fail(node, "cannot multiply shapes " + to_text(a.shape) + " and " + to_text(b.shape));
  }
  const std::size_t batch = elements(*batch_shape);
  Shape out = *batch_shape;
  out.push_back(n);
  out.push_back(m);
  Shape result = *batch_shape;
  if (!row_vector) result.push_back(n);
  if (!column_vector) result.push_back(m);

  if (is_constant(b) && !is_constant(a) && elements(of_b) == 1) {  // one matrix for all rows
    const std::size_t rows = elements(a.shape) / k;
    MapNode map = dense(k, m);
    if (is_uniform(b)) {
      map.weights = weights_of(b);
    } else {
      transpose_into(constant(b), 1, k, m, map.weights);
    }
    if (rows == 1) return mapped(node, a, std::move(map), std::move(result));
    map.shape.axes[2] = row(rows);
    const GraphData y = mapped(node, transposed(node, viewed(a, {rows, k}), {1, 0}), std::move(map), {m, rows});
    return viewed(transposed(node, y, {1, 0}), std::move(result));
  }
  if (is_constant(a) && !is_constant(b) && elements(of_a) == 1) {
    MapNode map = dense(k, n);
    map.weights = weights_of(a);
    if (batch == 1) {
      map.shape.axes[2] = row(m);
      return mapped(node, b, std::move(map), std::move(result));
    }
    map.shape.axes[1] = row(batch);
    map.shape.axes[2] = row(m);
    const GraphData y = mapped(node, transposed(node, viewed(b, {batch, k, m}), {1, 0, 2}), std::move(map), {n, batch, m});
    return viewed(transposed(node, y, {1, 0, 2}), std::move(result));
  }
  const auto whole = [&](const GraphData& d, std::size_t rows, std::size_t columns) {
    Shape to = *batch_shape;
    to.push_back(rows);
    to.push_back(columns);
    return viewed(spread(node, d, to), {batch, rows, columns});
  };
  a = whole(a, n, k);
  b = whole(b, k, m);
  if (is_constant(b) && !is_constant(a)) {
    MapNode map;
    map.shape = conv_shape(batch, k, m, {row(n)});
    map.bias.resize(map.shape.rows());
    transpose_into(constant(b), batch, k, m, map.weights);
    const GraphData y = mapped(node, transposed(node, a, {0, 2, 1}), std::move(map), {batch, m, n});
    return viewed(transposed(node, y, {0, 2, 1}), std::move(result));
  }
  if (is_constant(a) && !is_constant(b)) {
    MapNode map;
    map.shape = conv_shape(batch, k, n, {row(m)});
    map.bias.resize(map.shape.rows());
    const SecretVector<double>& weights = constant(a);
    map.weights.assign(weights.begin(), weights.end());
    return mapped(node, b, std::move(map), std::move(result));
  }
  return add(name_of(node), ProductOp{batch, n, k, m}, {a, b}, std::move(result));
}

void GraphBuilder::mat_mul(Node& node) { set(node, product(node, data(node, 0), data(node, 1))); }

void GraphBuilder::gemm(Node& node) {
  GraphData a = data(node, 0);
  GraphData b = data(node, 1);
  const double alpha = static_cast<double>(take_float(node, "alpha", 1));
  const double beta = static_cast<double>(take_float(node, "beta", 1));
  if (model_.opset < 7) take_flag(node, "broadcast", false);
  if (a.shape.size() != 2 || b.shape.size() != 2) fail(node, "expected two matrices, found shapes " + to_text(a.shape) + " and " + to_text(b.shape));
  if (take_flag(node, "transA", false)) a = transposed(node, a, {1, 0});
  if (take_flag(node, "transB", false)) b = transposed(node, b, {1, 0});
  // Into a constant, where there is one: then it costs nothing.
  if (alpha != 1) (is_constant(a) ? a : b) = scaled(node, is_constant(a) ? a : b, alpha);
  GraphData y = product(node, a, b);
  if (has_input(node, 2)) {
    const GraphData c = data(node, 2);
    const auto shape = broadcast(y.shape, c.shape);
    if (!shape || *shape != y.shape) fail(node, "bias " + quote_name(node.inputs[2]) + ": expected one that broadcasts to " + to_text(y.shape) + ", found shape " + to_text(c.shape));
    y = plus(node, y, c, 1, beta, true);
  }
  set(node, y);
}

// ---- Normalisation

void GraphBuilder::batch_normalization(Node& node) {
  const GraphData x = data(node, 0);
  const double epsilon = static_cast<double>(take_float(node, "epsilon", 1e-5F));
  take_float(node, "momentum", 0.9F);  // of training
  if (model_.opset < 9 && !take_flag(node, "spatial", true)) fail(node, "attribute 'spatial': expected 1, found 0");
  if (model_.opset < 7) {
    take_ints(node, "consumed_inputs");
    if (!take_flag(node, "is_test", false)) fail(node, "is in training mode (is_test = 0); export the model for inference");
  }
  if (take_flag(node, "training_mode", false)) fail(node, "is in training mode; export the model for inference (model.eval())");
  if (x.shape.size() < 2) fail(node, "expected an input of at least two dimensions, found shape " + to_text(x.shape));
  const std::size_t channels = x.shape[1];
  const SecretVector<double>* parts[4];
  const char* const roles[4] = {"scale", "bias", "mean", "variance"};
  for (std::size_t i = 0; i < 4; ++i) {
    const GraphData d = known(node, i + 1, roles[i]);
    if (elements(d.shape) != channels) fail(node, std::string(roles[i]) + ": expected " + std::to_string(channels) + " values, found shape " + to_text(d.shape));
  }
  for (std::size_t i = 0; i < 4; ++i) parts[i] = &constant(known(node, i + 1, roles[i]));
  SecretVector<double> factors;
  SecretVector<double> offsets;
  for (std::size_t c = 0; c < channels; ++c) {
    const double variance = (*parts[3])[c] + epsilon;
    if (!(variance > 0)) fail(node, "variance of channel " + std::to_string(c) + ": expected a positive number");
    factors.push_back((*parts[0])[c] / std::sqrt(variance));
    offsets.push_back((*parts[1])[c] - (*parts[2])[c] * factors.back());
  }
  Shape shape(x.shape.size() - 1, 1);
  shape[0] = channels;
  const GraphData f = add_constant(name_of(node), std::move(factors), shape);
  const GraphData o = add_constant(name_of(node), std::move(offsets), shape);
  const GraphData y = times_constant(node, x, f, is_its_own(node, 0, x));
  set(node, plus(node, y, o, 1, 1, names_[y.value] == 0 || y.value == x.value));
}

// ---- Sums and averages

GraphData GraphBuilder::summed(const Node& node, const GraphData& d, const std::vector<std::size_t>& axes, bool keep, bool mean) {
  Shape order;
  Shape out;
  std::size_t inner = 1;
  const auto is_summed = [&](std::size_t a) { return std::find(axes.begin(), axes.end(), a) != axes.end(); };
  for (std::size_t a = 0; a < d.shape.size(); ++a) {
    if (!is_summed(a)) order.push_back(a);
    if (!is_summed(a)) out.push_back(d.shape[a]);
    if (is_summed(a) && keep) out.push_back(1);
  }
  for (const std::size_t a : axes) {
    order.push_back(a);
    inner *= d.shape[a];
  }
  if (inner == 1) return viewed(d, std::move(out));
  const GraphData last = transposed(node, d, order);
  ConvAxis axis;
  axis.input = axis.kernel = inner;
  WindowSumOp op;
  op.shape = conv_shape(elements(d.shape) / inner, 1, 1, {axis});
  const GraphData sum = add(name_of(node), op, {last}, std::move(out));
  return mean ? scaled(node, sum, 1 / static_cast<double>(inner)) : sum;
}

void GraphBuilder::reduce(Node& node) {
  const bool mean = node.op == "ReduceMean";
  const GraphData d = data(node, 0);
  const bool keep = take_flag(node, "keepdims", true);
  const bool nothing = take_flag(node, "noop_with_empty_axes", false);
  auto axes = axes_of(node, d.shape.size(), mean ? 18 : 13);
  if (!axes || axes->empty()) {
    if (nothing) return set(node, d);
    axes.emplace();
    for (std::size_t a = 0; a < d.shape.size(); ++a) axes->push_back(a);
  }
  set(node, summed(node, d, *axes, keep, mean));
}

GraphData GraphBuilder::average(const Node& node, const GraphData& x, const Windows& windows, bool with_pads) {
  const std::size_t channels = x.shape[0] * x.shape[1];
  WindowSumOp op;
  op.shape = conv_shape(channels, 1, 1, windows.axes);
  Shape out{x.shape[0], x.shape[1]};
  for (const ConvAxis& a : windows.axes) out.push_back(a.output);
  GraphData y = add(name_of(node), op, {x}, out);
  // How many elements each window has, as the product of those along each axis.
  double all = 1;
  std::vector<std::vector<double>> factors;
  bool alike = true;
  for (std::size_t i = 0; i < windows.axes.size(); ++i) {
    const ConvAxis& a = windows.axes[i];
    std::vector<double>& of_axis = factors.emplace_back();
    for (std::size_t o = 0; o < a.output; ++o) {
      std::size_t count = 0;
      for (std::size_t k = 0; k < a.kernel; ++k) {
        const std::int64_t place = static_cast<std::int64_t>(o * a.stride + k * a.dilation) - a.pad;
        const std::int64_t end = static_cast<std::int64_t>(a.input) + (with_pads ? windows.pads_after[i] : 0);
        if (place >= (with_pads ? -a.pad : 0) && place < end) ++count;
      }
      if (count == 0) fail(node, "a window lies outside its input altogether");
      of_axis.push_back(1 / static_cast<double>(count));
      alike = alike && of_axis.back() == of_axis.front();
    }
    all *= of_axis.front();
  }
  if (alike) return scaled(node, y, all);
  for (std::size_t i = 0; i < factors.size(); ++i) {
    if (windows.axes[i].kernel == 1) continue;
    y = add(name_of(node), ScaleNode{before(out, 2 + i), after(out, 2 + i), factors[i]}, {y}, out);
  }
  return y;
}

void GraphBuilder::average_pool(Node& node) {
  const GraphData x = data(node, 0);
  if (x.shape.size() < 3 || x.shape.size() > 5) fail(node, "expected an image of one to three dimensions, found shape " + to_text(x.shape));
  const Shape image(x.shape.begin() + 2, x.shape.end());
  const Shape kernel = kernel_of(node, image.size(), std::nullopt);
  const bool with_pads = take_flag(node, "count_include_pad", false);
  set(node, average(node, x, take_windows(node, image, kernel), with_pads));
}

void GraphBuilder::global_average_pool(Node& node) {
  const GraphData x = data(node, 0);
  if (x.shape.size() < 3) fail(node, "expected an image, found shape " + to_text(x.shape));
  std::vector<std::size_t> axes;
  for (std::size_t a = 2; a < x.shape.size(); ++a) axes.push_back(a);
  set(node, summed(node, x, axes, true, true));
}

}  // namespace smpc
