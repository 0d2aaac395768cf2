// Ops that move no value, and those at the end.
#include <algorithm>

#include "network_builder.h"

namespace smpc {

void NetworkBuilder::flatten(Node& node) {
  const Dims dims = data(node, 0).dims;
  const std::size_t axis = [&] {
    const std::int64_t a = take_int(node, "axis", 1);
    // Unlike elsewhere, the axis may equal the rank; from behind, it still counts from the rank.
    if (a == static_cast<std::int64_t>(dims.size())) return dims.size();
    return axis_of(node, a, dims.size(), 11);
  }();
  const auto rows = product(dims, 0, axis);
  const auto columns = product(dims, axis, dims.size());
  if (!rows || !columns) fail(node, "flattens the batch together with other dimensions of " + to_text(dims));
  set_view(node, {*rows, *columns});
}

void NetworkBuilder::reshape_op(Node& node) {
  const auto* weights = std::get_if<Constant>(&value(node, 0));  // some exporters reshape their weights
  const Dims dims = weights != nullptr ? weights->dims : data(node, 0).dims;
  const bool allow_zero = take_flag(node, "allowzero", false);
  const Integers target = integers(node, 1, "shape");
  if (target.scalar) fail(node, "shape: expected a list, found a scalar");
  std::string why;
  const auto out = reshape(dims, target.values, allow_zero, why);
  if (!out) fail(node, "shape " + to_text(target.values) + ": " + why);
  if (weights != nullptr) return set(node, Constant{weights->name, *out});
  set_view(node, *out);
}

void NetworkBuilder::squeeze(Node& node) {
  if (std::holds_alternative<Integers>(value(node, 0))) {
    const Integers list = integers(node, 0, "data");
    take_axes(node, 1);
    if (list.scalar || list.values.size() != 1) fail(node, "expected a list of one, found another shape");
    return set(node, Integers{true, list.values});
  }
  const Dims dims = data(node, 0).dims;
  const auto axes = take_axes(node, dims.size());
  if (!axes && batch_.dim == batch_dim && ended_by_.empty()) fail(node, "expected axes, as the batch is dynamic; name them");
  Dims out;
  for (std::size_t i = 0; i < dims.size(); ++i) {
    const bool removed = axes ? axes->count(i) != 0 : dims[i] == 1;
    if (removed && dims[i] != 1) fail(node, "axis " + std::to_string(i) + " of " + to_text(dims) + " is not 1");
    if (!removed) out.push_back(dims[i]);
  }
  set_view(node, out);
}

void NetworkBuilder::unsqueeze(Node& node) {
  const bool computed = std::holds_alternative<Data>(value(node, 0));
  const Integers list = computed ? Integers{} : integers(node, 0, "data");
  const Dims dims = computed ? data(node, 0).dims : Dims{};
  if (!computed && !list.scalar) fail(node, "expected a scalar, found a list");
  // Axes count in the output's shape, which has one more for each of them.
  const auto* attribute = node.attributes.count("axes") != 0
                              ? std::get_if<std::vector<std::int64_t>>(&node.attributes.at("axes"))
                              : nullptr;
  std::size_t count = attribute != nullptr ? attribute->size() : 0;
  if (model_.opset >= 13) count = integers(node, 1, "axes").values.size();
  const auto axes = take_axes(node, dims.size() + count);
  if (!axes) fail(node, "expected axes, found none");
  if (!computed) {
    if (axes->size() != 1) fail(node, "expected one axis for a scalar, found " + std::to_string(axes->size()));
    return set(node, Integers{false, list.values});
  }
  Dims out;
  std::size_t next = 0;
  for (std::size_t i = 0; i < dims.size() + axes->size(); ++i) out.push_back(axes->count(i) != 0 ? 1 : dims[next++]);
  set_view(node, out);
}

void NetworkBuilder::identity(Node& node) {
  const Value v = value(node, 0);
  if (std::holds_alternative<Data>(v)) return set(node, data(node, 0));
  set(node, v);
}

// In inference it passes its input on.
void NetworkBuilder::dropout(Node& node) {
  const Data d = data(node, 0);
  if (model_.opset < 12) {
    take_float(node, "ratio", 0.5F);
    if (model_.opset < 7 && !take_flag(node, "is_test", false)) {
      fail(node, "is in training mode (is_test = 0); export the model for inference");
    }
  } else {
    take_int(node, "seed", 0);
    if (has_input(node, 1)) float_constant(node, 1, "ratio");
    if (has_input(node, 2)) {
      const Tensor& mode = constant(node, 2, "training_mode");
      const auto* flag = std::get_if<std::vector<std::uint8_t>>(&mode.values);
      if (flag == nullptr || flag->size() != 1) fail(node, "training_mode: expected one bool");
      if (flag->front() != 0) fail(node, "is in training mode; export the model for inference (model.eval())");
    }
  }
  set(node, d);
}

void NetworkBuilder::relu(Node& node) {
  const Data d = data(node, 0);
  if (!pending_bias_.empty()) {
    fail(node, "follows " + pending_from_ + " with no linear layer between; put the addition after a Gemm or MatMul");
  }
  const bool again = !network_.layers.empty() && std::holds_alternative<Relu>(network_.layers.back());
  if (!again) {
    network_.layers.emplace_back(Relu{node.name.empty() ? node.outputs.front() : node.name});
    ++version_;
  }
  set(node, Data{d.dims, version_});
}

void NetworkBuilder::pass_on(Node& node) {
  const Data d = data(node, 0);
  for (const char* name : {"to", "min", "max"}) node.attributes.erase(name);
  set(node, d);
}

void NetworkBuilder::softmax(Node& node) {
  const Data d = data(node, 0);
  const Dims& dims = d.dims;
  if (dims.size() != 2) fail(node, "expected shape [batch, classes], found " + to_text(dims) + "; flatten it before");
  const std::size_t axis = axis_of(node, take_int(node, "axis", model_.opset >= 13 ? -1 : 1), dims.size(), 11);
  if (axis != 1) fail(node, "axis: expected 1, the classes, found " + std::to_string(axis) + ", the batch");
  network_.scores = Scores::logits;
  if (node.outputs.front() == ending_.below) return set(node, d);
  network_.tail = node.op == "Softmax" ? Tail::softmax : Tail::log_softmax;
  ended_by_ = describe(node);
  set(node, Data{dims, ++version_});
}

void NetworkBuilder::arg_max(Node& node) {
  const Dims dims = data(node, 0).dims;
  if (dims.size() != 2) fail(node, "expected shape [batch, classes], found " + to_text(dims) + "; flatten it before");
  const std::size_t axis = axis_of(node, take_int(node, "axis", 0), dims.size(), 11);
  if (axis != 1) fail(node, "axis: expected 1, the classes, found " + std::to_string(axis) + ", the batch");
  const bool keep = take_flag(node, "keepdims", true);
  if (take_flag(node, "select_last_index", false)) {
    fail(node, "attribute 'select_last_index': expected 0, found 1; among equal classes the first is taken");
  }
  network_.tail = Tail::argmax;
  ended_by_ = describe(node);
  per_sample_ = 1;
  set(node, Data{keep ? Dims{dims[0], 1} : Dims{dims[0]}, ++version_});
}

// Shapes as exporters compute them for x.view(x.size(0), -1).
void NetworkBuilder::shape(Node& node) {
  const auto* d = std::get_if<Data>(&value(node, 0));
  if (d == nullptr) fail(node, "expected a tensor computed from the model's input");
  const auto n = static_cast<std::int64_t>(d->dims.size());
  const auto clamp = [&](std::int64_t v) { return std::clamp<std::int64_t>(v < 0 ? v + n : v, 0, n); };
  const std::int64_t start = clamp(take_int(node, "start", 0));
  const std::int64_t end = std::max(start, clamp(take_int(node, "end", n)));
  set(node, Integers{false, Dims(d->dims.begin() + start, d->dims.begin() + end)});
}

void NetworkBuilder::gather(Node& node) {
  const Integers from = integers(node, 0, "data");
  const Integers at = integers(node, 1, "indices");
  if (from.scalar || take_int(node, "axis", 0) != 0) fail(node, "expected a list, and axis 0");
  Integers out{at.scalar, {}};
  for (const std::int64_t i : at.values) out.values.push_back(from.values[axis_of(node, i, from.values.size(), 11)]);
  set(node, std::move(out));
}

void NetworkBuilder::concat(Node& node) {
  const std::int64_t axis = take_int(node, "axis", 0);
  Integers out{false, {}};
  for (std::size_t i = 0; i < node.inputs.size(); ++i) {
    if (std::holds_alternative<Data>(value(node, i))) fail(node, "joining computed tensors is not supported");
    const Integers part = integers(node, i, "input");
    if (part.scalar) fail(node, "expected lists, found a scalar");
    out.values.insert(out.values.end(), part.values.begin(), part.values.end());
  }
  if (axis != 0 && axis != -1) fail(node, "axis: expected 0 for lists, found " + std::to_string(axis));
  set(node, std::move(out));
}

}  // namespace smpc
