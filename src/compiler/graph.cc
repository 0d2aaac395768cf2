#include "smpc/compiler/graph.h"

#include <algorithm>
#include <numeric>

#include "graph_builder.h"
#include "smpc/base/error.h"

namespace smpc {
namespace {

// Far beyond any volume; a short file must not make us take gigabytes, nor compute for minutes.
constexpr std::size_t most_elements = std::size_t{1} << 26;   // of one value
constexpr std::size_t most_constants = std::size_t{1} << 25;  // in all, beside what stands in the file
constexpr std::size_t most_uniform = std::size_t{160} << 20;  // weights that are one value each: VGG-19 has 137 million of them
constexpr std::size_t most_steps = std::size_t{1} << 32;      // of one op
constexpr std::size_t most_nodes = 4096;

// The largest number there is, where the product is beyond it.
std::size_t times(std::size_t a, std::size_t b) noexcept {
  std::size_t product = 0;
  return __builtin_mul_overflow(a, b, &product) ? SIZE_MAX : product;
}

// Additions and multiplications.
std::size_t steps_of(const GraphOp& op, std::size_t count) {
  if (const auto* map = std::get_if<MapNode>(&op)) return times(count, map->shape.columns());
  if (const auto* windows = std::get_if<WindowSumOp>(&op)) return times(count, windows->shape.columns());
  if (const auto* product = std::get_if<ProductOp>(&op)) return times(count, product->inner);
  return count;
}

}  // namespace

std::size_t elements(const Shape& shape) noexcept { return before(shape, shape.size()); }

std::size_t before(const Shape& shape, std::size_t axis) noexcept {
  std::size_t n = 1;
  for (std::size_t i = 0; i < axis; ++i) n = times(n, shape[i]);
  return n;
}

std::size_t after(const Shape& shape, std::size_t axis) noexcept {
  std::size_t n = 1;
  for (std::size_t i = axis + 1; i < shape.size(); ++i) n = times(n, shape[i]);
  return n;
}

Shape without_ones(const Shape& shape) {
  Shape out;
  for (const std::size_t d : shape) {
    if (d != 1) out.push_back(d);
  }
  return out;
}

std::string to_text(const Shape& shape) {
  std::string out(1, '[');
  for (std::size_t i = 0; i < shape.size(); ++i) out += (i > 0 ? ", " : "") + std::to_string(shape[i]);
  return out + "]";
}

GraphBuilder::GraphBuilder(Model&& model) : NodeFields(model_), model_(std::move(model)) {}

void GraphBuilder::start_input(const ValueInfo& in, Shape& shape) {
  if (uses_.count(in.name) == 0) fail_graph("input " + quote_name(in.name) + ": nothing reads it; remove it from the model");
  if (in.type != ElementType::f32 && in.type != ElementType::f64) {
    fail_graph("input " + quote_name(in.name) + ": expected float or double, found " + to_text(in.type));
  }
  for (std::size_t i = 0; i < in.dims.size(); ++i) {
    const std::int64_t d = i == 0 && in.dims[i] == unknown_dim ? 1 : in.dims[i];
    if (d <= 0 || static_cast<std::size_t>(d) > most_elements / elements(shape)) {
      std::string found;
      for (const std::int64_t n : in.dims) found += (found.empty() ? "" : " x ") + std::to_string(n);
      fail_graph("input " + quote_name(in.name) + ": expected at most " + std::to_string(most_elements) +
                 " elements and no empty dimension, found " + found);
    }
    shape.push_back(static_cast<std::size_t>(d));
  }
  // A first dimension of one is the batch.
  const bool batch = shape.size() > 1 && shape.front() == 1;
  network_.inputs.push_back({in.name, Shape(shape.begin() + (batch ? 1 : 0), shape.end())});
}

void GraphBuilder::start() {
  ending_ = ending_of(model_);
  for (const Node& n : model_.nodes) {
    for (const auto& in : n.inputs) ++uses_[in];
  }
  for (const auto& out : model_.outputs) ++uses_[out.name];
  constexpr std::size_t most_inputs = 64;
  if (model_.inputs.empty() || model_.inputs.size() > most_inputs) {
    fail_graph("expected 1 to 64 inputs, found " + std::to_string(model_.inputs.size()) +
               "; if this is a stripped model, join it with its weights first");
  }
  std::vector<Shape> shapes(model_.inputs.size());
  std::size_t all = 0;
  std::size_t unit = 0;  // of which every input has a whole number
  for (std::size_t i = 0; i < shapes.size(); ++i) {
    start_input(model_.inputs[i], shapes[i]);
    all += elements(shapes[i]);
    unit = std::gcd(unit, elements(shapes[i]));
  }
  if (all > most_elements) fail_graph("its inputs have more than " + std::to_string(most_elements) + " elements together");
  names_.push_back(1);
  if (shapes.size() == 1) {
    values_.emplace(model_.inputs.front().name, GraphData{0, std::move(shapes.front())});
    return;
  }
  std::int64_t at = 0;
  for (std::size_t i = 0; i < shapes.size(); ++i) {
    TakeOp part{1, all / unit, unit, {}};
    for (std::size_t k = elements(shapes[i]) / unit; k > 0; --k) part.slices.push_back(at++);
    const std::string& name = model_.inputs[i].name;
    const GraphData d = add(name, std::move(part), {{0, {all}}}, std::move(shapes[i]));
    ++names_[d.value];
    values_.emplace(name, d);
  }
}

void GraphBuilder::visit(Node& node) {
  const auto known = table().find(node.op);
  if (known == table().end()) fail(node, "this op is not supported; smpc-compile --operators lists those that are");
  (this->*known->second.handler)(node);
  expect_nothing_left(node);
  const bool read = std::any_of(node.outputs.begin(), node.outputs.end(), [&](const auto& out) { return uses_.count(out) != 0; });
  if (!read) fail(node, "nothing reads its output; remove it");
}

GraphData GraphBuilder::output(const ValueInfo& out) {
  const Value* found = find(out.name);
  const auto* last = found == nullptr ? nullptr : std::get_if<GraphData>(found);
  if (last == nullptr || is_constant(*last)) {
    fail_graph("output " + quote_name(out.name) + ": expected values computed from the inputs, found something else" +
               (model_.outputs.size() > 1 ? "; remove it from the outputs" : ""));
  }
  if (out.has_shape) {
    bool same = out.dims.size() == last->shape.size();
    for (std::size_t i = 0; same && i < out.dims.size(); ++i) {
      same = out.dims[i] == unknown_dim || out.dims[i] == static_cast<std::int64_t>(last->shape[i]);
    }
    if (!same) {
      fail_graph("output " + quote_name(out.name) + ": declared with another shape than the one computed, " +
                 to_text(last->shape) + "; export the model again");
    }
  }
  const Shape& shape = network_.tail == Tail::argmax ? scores_shape_ : last->shape;
  if (network_.tail == Tail::log_softmax && without_ones(shape).size() > 1) {
    fail_graph("output " + quote_name(out.name) + ": expected one row of classes after a LogSoftmax, found shape " + to_text(shape) +
               "; end the model with Softmax");
  }
  const bool batch = shape.size() > 1 && shape.front() == 1;
  network_.outputs.push_back({out.name, Shape(shape.begin() + (batch ? 1 : 0), shape.end())});
  return {last->value, shape};
}

Scores GraphBuilder::scores() const {
  if (network_.outputs.size() > 1) return Scores::values;
  const auto of_end = std::find_if(model_.nodes.begin(), model_.nodes.end(), [&](const Node& n) {
    return !ending_.node.empty() && n.outputs.front() == ending_.node;
  });
  const bool index = of_end != model_.nodes.end() && of_end->op == "ArgMax";
  if (index && network_.tail != Tail::argmax) return Scores::indices;
  if (softmax_taken_) return Scores::logits;
  // One row of probabilities is that under any shape; several are where each keeps to itself.
  if (!softmax_shape_.empty()) {
    const bool kept = softmax_shape_ == without_ones(network_.outputs.front().shape);
    return kept ? Scores::probabilities : Scores::values;
  }
  return ending_.linear ? Scores::linear : Scores::values;
}

void GraphBuilder::finish() {
  constexpr std::size_t most_outputs = 64;
  if (model_.outputs.size() > most_outputs) fail_graph("expected at most 64 outputs, found " + std::to_string(model_.outputs.size()));
  std::vector<GraphData> outputs;
  std::size_t count = 0;
  for (const ValueInfo& out : model_.outputs) {
    if (label_taken_ && out.name == ending_.label_output) continue;
    outputs.push_back(output(out));
    count += elements(outputs.back().shape);
  }
  // The outputs stand last, back to back; a program has at least one op.
  if (outputs.size() > 1) {
    add("outputs", ConcatOp{1}, outputs, {count});
  } else if (outputs.front().value == 0 || outputs.front().value != graph_.nodes.size()) {
    add(network_.outputs.front().name, SumNode{{1}}, outputs, outputs.front().shape);
  }
  network_.scores = scores();
  leave_out_what_nothing_reads();
}

void GraphBuilder::leave_out_what_nothing_reads() {
  std::vector<bool> read(graph_.nodes.size() + 1);
  read.back() = true;
  for (std::size_t i = graph_.nodes.size(); i-- > 0;) {
    if (!read[i + 1]) continue;
    for (const std::size_t v : graph_.nodes[i].inputs) read[v] = true;
  }
  if (!read[0]) fail_graph("the output does not depend on the input");
  std::vector<std::size_t> renamed(graph_.nodes.size() + 1);
  std::vector<GraphNode> kept;
  for (std::size_t i = 0; i < graph_.nodes.size(); ++i) {
    if (!read[i + 1]) continue;
    GraphNode& node = graph_.nodes[i];
    for (std::size_t& v : node.inputs) v = renamed[v];
    kept.push_back(std::move(node));
    renamed[i + 1] = kept.size();
  }
  graph_.nodes = std::move(kept);
  for (std::size_t i = 0; i < graph_.nodes.size(); ++i) {
    if (std::holds_alternative<ConstantNode>(graph_.nodes[i].op)) constant({i + 1, {}});
  }
}

Network GraphBuilder::build() {
  start();
  for (Node& node : model_.nodes) visit(node);
  finish();
  network_.graph = std::move(graph_);
  return std::move(network_);
}

std::vector<NodeCheck> GraphBuilder::check() {
  start();
  std::vector<NodeCheck> out;
  std::set<std::string> unknown;  // what such a node would have computed
  for (Node& node : model_.nodes) {
    NodeCheck& c = out.emplace_back();
    c.node = describe(node);
    const auto reads = std::find_if(node.inputs.begin(), node.inputs.end(), [&](const auto& in) { return unknown.count(in) != 0; });
    try {
      if (reads != node.inputs.end()) {
        if (table().count(node.op) != 0) fail(node, "reads " + quote_name(*reads) + ", of a node that is not supported; look at that one first");
      }
      visit(node);
      c.supported = true;
    } catch (const Error& e) {
      c.reason = e.what();
      unknown.insert(node.outputs.begin(), node.outputs.end());
    }
  }
  return out;
}

// ---- Inputs

const GraphBuilder::Value* GraphBuilder::find(const std::string& name) {
  const auto known = values_.find(name);
  if (known != values_.end()) return &known->second;
  const auto tensor = model_.constants.find(name);
  if (tensor == model_.constants.end()) return nullptr;
  Tensor& t = tensor->second;
  Shape shape;
  for (const std::int64_t d : t.dims) shape.push_back(static_cast<std::size_t>(d));
  Value v;
  if (const auto* i = std::get_if<std::vector<std::int64_t>>(&t.values)) {
    v = GraphIntegers{std::move(shape), *i};
  } else if (const auto* b = std::get_if<std::vector<std::uint8_t>>(&t.values)) {
    v = GraphIntegers{std::move(shape), std::vector<std::int64_t>(b->begin(), b->end())};
  } else {
    SecretVector<double> values;
    if (const auto* f = std::get_if<SecretVector<float>>(&t.values)) {
      values.assign(f->begin(), f->end());
    } else {
      values = std::get<SecretVector<double>>(t.values);
    }
    t = Tensor();  // its values are in the graph now
    if (values.empty()) fail_graph("constant " + quote_name(name) + ": has no elements");
    v = add_constant(name, std::move(values), std::move(shape));
  }
  return &values_.emplace(name, std::move(v)).first->second;
}

const GraphBuilder::Value& GraphBuilder::value(const Node& node, std::size_t index) {
  if (!has_input(node, index)) fail(node, "expected input " + std::to_string(index) + ", found none");
  const Value* found = find(node.inputs[index]);
  if (found == nullptr) fail(node, "reads " + quote_name(node.inputs[index]) + ", a second output, which is not supported");
  return *found;
}

bool GraphBuilder::is_float(const Node& node, std::size_t index) {
  return std::holds_alternative<GraphData>(value(node, index));
}

GraphData GraphBuilder::data(const Node& node, std::size_t index) {
  const Value& v = value(node, index);
  const auto* d = std::get_if<GraphData>(&v);
  if (d == nullptr) fail(node, "input " + std::to_string(index) + ": expected floating-point values, found integers");
  return *d;
}

GraphIntegers GraphBuilder::integers(const Node& node, std::size_t index, const std::string& role) {
  const auto* i = std::get_if<GraphIntegers>(&value(node, index));
  if (i == nullptr || i->shape.size() > 1) {
    fail(node, role + " " + quote_name(node.inputs[index]) + ": expected a constant list of int64");
  }
  return *i;
}

// An attribute, or an input from some opset on; sorted. None where neither is there.
std::optional<std::vector<std::size_t>> GraphBuilder::axes_of(Node& node, std::size_t rank, int input_since) {
  std::optional<Dims> axes = take_ints(node, "axes");
  if (model_.opset >= input_since && has_input(node, 1)) axes = integers(node, 1, "axes").values;
  if (!axes) return std::nullopt;
  std::set<std::size_t> out;
  for (const std::int64_t a : *axes) {
    if (!out.insert(axis_of(node, a, rank, 11)).second) fail(node, "axes: " + std::to_string(a) + " is given twice");
  }
  return std::vector<std::size_t>(out.begin(), out.end());
}

bool GraphBuilder::is_constant(const GraphData& d) const {
  return d.value > 0 && std::holds_alternative<ConstantNode>(graph_.nodes[d.value - 1].op);
}

bool GraphBuilder::is_uniform(const GraphData& d) const {
  return is_constant(d) && graph_.nodes[d.value - 1].count > std::get<ConstantNode>(graph_.nodes[d.value - 1].op).values.size();
}

const SecretVector<double>& GraphBuilder::constant(const GraphData& d) {
  GraphNode& node = graph_.nodes[d.value - 1];
  SecretVector<double>& values = std::get<ConstantNode>(node.op).values;
  if (is_uniform(d)) {
    count_constants(node.name, node.count);
    values.assign(node.count, double{values.front()});
  }
  return values;
}

SecretVector<float> GraphBuilder::weights_of(const GraphData& d) {
  if (!is_uniform(d)) {
    const SecretVector<double>& values = constant(d);
    return SecretVector<float>(values.begin(), values.end());
  }
  const GraphNode& node = graph_.nodes[d.value - 1];
  uniform_ += node.count;
  if (uniform_ > most_uniform) fail_graph("node " + quote_name(node.name) + ": too large: weights of one value have more than " + std::to_string(most_uniform) + " elements");
  return SecretVector<float>(node.count, static_cast<float>(std::get<ConstantNode>(node.op).values.front()));
}

void GraphBuilder::count_constants(const std::string& name, std::size_t count) {
  if (count > most_constants - constants_) {
    fail_graph("node " + quote_name(name) + ": too large: constants of more than 2^25 elements are computed; is it meant for another purpose?");
  }
  constants_ += count;
}

GraphData GraphBuilder::known(const Node& node, std::size_t index, const std::string& role) {
  GraphData d = data(node, index);
  if (!is_constant(d)) {
    fail(node, role + " " + quote_name(node.inputs[index]) + ": expected a constant, found a computed value");
  }
  return d;
}

double GraphBuilder::scalar(const Node& node, std::size_t index, const std::string& role) {
  const GraphData d = known(node, index, role);
  if (elements(d.shape) != 1) fail(node, role + " " + quote_name(node.inputs[index]) + ": expected one number");
  return constant(d).front();
}

bool GraphBuilder::is_its_own(const Node& node, std::size_t index, const GraphData& d) const {
  const auto found = uses_.find(node.inputs[index]);
  return names_[d.value] == 1 && found != uses_.end() && found->second == 1;
}

void GraphBuilder::set(const Node& node, Value v, std::size_t output) {
  if (const auto* d = std::get_if<GraphData>(&v)) ++names_[d->value];
  values_.insert_or_assign(node.outputs.at(output), std::move(v));
}

void GraphBuilder::set_values(const Node& node, Shape shape, std::vector<std::int64_t> values) {
  set(node, GraphIntegers{std::move(shape), std::move(values)});
}

// ---- New values

std::string GraphBuilder::name_of(const Node& node) { return node.name.empty() ? node.outputs.front() : node.name; }

GraphData GraphBuilder::add(const std::string& name, GraphOp op, const std::vector<GraphData>& inputs, Shape shape) {
  for (const std::size_t d : shape) {
    if (d == 0) fail_graph("node " + quote_name(name) + ": its result has no elements, in shape " + to_text(shape));
  }
  const std::size_t count = elements(shape);
  const auto* known = std::get_if<ConstantNode>(&op);
  const bool uniform = known != nullptr && known->values.size() < count;
  const bool of_uniform = !inputs.empty() && is_uniform(inputs.front());
  if (count > (uniform || of_uniform ? 2 * most_elements : most_elements)) {
    fail_graph("node " + quote_name(name) + ": its result of shape " + to_text(shape) + " is too large");
  }
  const auto too_large = [&](const std::string& what) {
    fail_graph("node " + quote_name(name) + ": too large: " + what + "; is it meant for another purpose?");
  };
  if (steps_of(op, count) > most_steps) too_large("its result takes more than 2^32 multiplications");
  if (graph_.nodes.size() == most_nodes) too_large("the model needs more than " + std::to_string(most_nodes) + " ops");
  GraphNode node{name, std::move(op), {}, count};
  bool constants = !inputs.empty();
  for (const GraphData& d : inputs) {
    node.inputs.push_back(d.value);
    constants = constants && is_constant(d);
  }
  // Moved, what is uniform stays so.
  const auto* take = std::get_if<TakeOp>(&node.op);
  const bool moves = std::holds_alternative<TransposeOp>(node.op) ||
                     (take != nullptr && std::find(take->slices.begin(), take->slices.end(), -1) == take->slices.end());
  if (constants && moves && is_uniform(inputs.front())) {
    node.op = ConstantNode{std::get<ConstantNode>(graph_.nodes[inputs.front().value - 1].op).values};
    node.inputs.clear();
    constants = false;
  }
  if (constants || std::holds_alternative<OffsetNode>(node.op)) count_constants(name, count);
  if (constants) {
    std::vector<std::span<const double>> in;
    for (const GraphData& d : inputs) in.emplace_back(constant(d));
    node.op = ConstantNode{evaluate(node.op, in, count)};
    node.inputs.clear();
  }
  graph_.nodes.push_back(std::move(node));
  names_.push_back(0);
  return {graph_.nodes.size(), std::move(shape)};
}

GraphData GraphBuilder::add_constant(const std::string& name, SecretVector<double> values, Shape shape) {
  return add(name, ConstantNode{std::move(values)}, {}, std::move(shape));
}

}  // namespace smpc
