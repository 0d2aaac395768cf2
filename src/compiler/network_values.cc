// Inputs of nodes, as the ops take them.
#include <utility>

#include "network_builder.h"

namespace smpc {

std::optional<std::set<std::size_t>> NetworkBuilder::take_axes(Node& node, std::size_t rank) {
  std::optional<Dims> axes = take_ints(node, "axes");
  if (model_.opset >= 13 && has_input(node, 1)) axes = integers(node, 1, "axes").values;
  if (!axes) return std::nullopt;
  std::set<std::size_t> out;
  for (const std::int64_t a : *axes) {
    if (!out.insert(axis_of(node, a, rank, 11)).second) fail(node, "axes: " + std::to_string(a) + " is given twice");
  }
  return out;
}

const Value& NetworkBuilder::value(const Node& node, std::size_t index) const {
  if (!has_input(node, index)) fail(node, "expected input " + std::to_string(index) + ", found none");
  const auto found = values_.find(node.inputs[index]);
  if (found == values_.end()) {
    fail(node, "reads " + quote_name(node.inputs[index]) + ", a second output, which is not supported");
  }
  return found->second;
}

const Data& NetworkBuilder::data(const Node& node, std::size_t index) const {
  const auto* d = std::get_if<Data>(&value(node, index));
  if (d == nullptr) {
    fail(node, "expected input " + std::to_string(index) + " computed from the model's input, found a constant");
  }
  if (d->version != version_) {
    fail(node, "reads " + quote_name(node.inputs[index]) +
                   ", which another node has already taken further; only a chain without branches is supported");
  }
  if (!ended_by_.empty() && ending_.after.count(node.outputs.front()) == 0) {
    fail(node, "comes after " + ended_by_ + ", which must be the last; remove it");
  }
  return *d;
}

bool NetworkBuilder::is_constant(const Node& node, std::size_t index) const {
  return std::holds_alternative<Constant>(value(node, index));
}

const Tensor& NetworkBuilder::constant(const Node& node, std::size_t index, const std::string& role) const {
  const auto* c = std::get_if<Constant>(&value(node, index));
  if (c == nullptr)
    fail(node, role + " " + quote_name(node.inputs[index]) + ": expected a constant, found a computed value");
  return model_.constants.at(c->name);
}

const Dims& NetworkBuilder::constant_dims(const Node& node, std::size_t index) const {
  return std::get<Constant>(value(node, index)).dims;
}

const Tensor& NetworkBuilder::float_constant(const Node& node, std::size_t index, const std::string& role) const {
  const Tensor& t = constant(node, index, role);
  if (t.type() != type_) {
    fail(node, role + " " + quote_name(node.inputs[index]) + ": expected " + to_text(type_) +
                   " as the input is, found " + to_text(t.type()));
  }
  return t;
}

Integers NetworkBuilder::integers(const Node& node, std::size_t index, const std::string& role) const {
  if (const auto* i = std::get_if<Integers>(&value(node, index))) return *i;
  const Tensor& t = constant(node, index, role);
  const auto* v = std::get_if<std::vector<std::int64_t>>(&t.values);
  const Dims& dims = constant_dims(node, index);
  if (v == nullptr || dims.size() > 1) {
    fail(node, role + " " + quote_name(node.inputs[index]) + ": expected a list of int64");
  }
  for (const std::int64_t i : *v) {
    if (i == batch_dim) fail(node, role + " " + quote_name(node.inputs[index]) + ": holds -2^63, which has no meaning");
  }
  return {dims.empty(), *v};
}

void NetworkBuilder::set(const Node& node, Value value) {
  values_.insert_or_assign(node.outputs.front(), std::move(value));
}

void NetworkBuilder::set_view(const Node& node, Dims dims) {
  if (!batch_.keeps(dims, per_sample_)) {
    fail(node, "gives shape " + to_text(dims) + ", in which the first dimension is no longer the batch" +
                   (batch_.dim == batch_dim ? "" : " of " + std::to_string(batch_.dim)) +
                   "; keep it first, or export the model with a fixed batch of 1");
  }
  set(node, Data{std::move(dims), version_});
}

SecretVector<double> NetworkBuilder::doubles(const Node& node, std::size_t index, const std::string& role) const {
  const Tensor& t = float_constant(node, index, role);
  if (const auto* f = std::get_if<SecretVector<float>>(&t.values)) return {f->begin(), f->end()};
  return std::get<SecretVector<double>>(t.values);
}

}  // namespace smpc
