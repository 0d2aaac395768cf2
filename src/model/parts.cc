// Weights out of a model, and back in.
#include <map>
#include <set>

#include "proto.h"
#include "smpc/base/error.h"
#include "smpc/model/strip.h"

namespace smpc {
namespace {

using onnx::GraphProto;
using onnx::ModelProto;
using onnx::NodeProto;
using onnx::TensorProto;

constexpr std::size_t most_public_elements = 64;

// An empty tensor has nothing to hide, and no input could stand for it.
bool is_public(const TensorProto& t) {
  if (element_count(t) == 0) return true;
  const bool floating = t.data_type() == TensorProto::FLOAT || t.data_type() == TensorProto::DOUBLE || t.data_type() == TensorProto::FLOAT16;
  return !floating && t.dims_size() <= 1 && element_count(t) <= most_public_elements;
}

bool is_weight(const NodeProto& n) {
  if (n.op_type() != "Constant") return false;
  const auto& a = constant_value(n);
  if (a.has_t()) return !is_public(a.t());
  if (a.name() == "value_ints") return static_cast<std::size_t>(a.ints_size()) > most_public_elements;
  if (a.name() == "value_floats") return a.floats_size() > 0;
  return a.name() != "value_int";
}

// The graph input that stands for a weight: its name, type and shape.
void add_input(GraphProto& graph, const Part& part) {
  auto& input = *graph.add_input();
  input.set_name(part.name());
  auto& type = *input.mutable_type()->mutable_tensor_type();
  auto& shape = *type.mutable_shape();  // present, if only for a scalar
  const auto describe_tensor = [&](const TensorProto& t) {
    type.set_elem_type(t.data_type());
    for (const auto d : t.dims()) shape.add_dim()->set_dim_value(d);
  };
  if (!part.is_node) return describe_tensor(part.tensor);
  const auto& a = constant_value(part.node);
  if (a.has_t()) return describe_tensor(a.t());
  type.set_elem_type(a.name() == "value_ints" ? TensorProto::INT64 : TensorProto::FLOAT);
  if (a.name() == "value_ints") shape.add_dim()->set_dim_value(a.ints_size());
  if (a.name() == "value_floats") shape.add_dim()->set_dim_value(a.floats_size());
}

// The messages that `take` accepts leave `field` and the rest close up.
template <class Field, class Take>
void extract(Field& field, Take take) {
  Field kept;
  for (int i = 0; i < field.size(); ++i) {
    if (!take(field[i], i)) kept.Add()->Swap(&field[i]);
  }
  field.Swap(&kept);
}

// The reverse: each of `parts` ends up at its position.
template <class Field, class Message>
bool insert(Field& field, std::vector<Part>& parts, bool nodes, Message Part::*message) {
  Field out;
  int next = 0;
  for (Part& p : parts) {
    if (p.is_node != nodes) continue;
    while (next < field.size() && out.size() < static_cast<std::int64_t>(p.position)) out.Add()->Swap(&field[next++]);
    if (static_cast<std::uint32_t>(out.size()) != p.position) return false;
    out.Add()->Swap(&(p.*message));
  }
  while (next < field.size()) out.Add()->Swap(&field[next++]);
  field.Swap(&out);
  return true;
}

}  // namespace

const onnx::AttributeProto& constant_value(const NodeProto& node) {
  SMPC_CHECK(node.attribute_size() == 1);
  return node.attribute(0);
}

std::string find_weight(const ModelProto& model) {
  for (const TensorProto& t : model.graph().initializer()) {
    if (!is_public(t)) return "initializer " + quote_name(t.name());
  }
  for (const NodeProto& n : model.graph().node()) {
    if (is_weight(n)) return describe(n);
  }
  return {};
}

std::vector<Part> detach_weights(ModelProto& model) {
  GraphProto& graph = *model.mutable_graph();
  std::set<std::string> inputs;
  for (const auto& v : graph.input()) inputs.insert(v.name());
  std::vector<Part> parts;
  extract(*graph.mutable_initializer(), [&](TensorProto& t, int i) {
    if (is_public(t)) return false;
    Part& p = parts.emplace_back();
    p.position = static_cast<std::uint32_t>(i);
    p.listed = inputs.count(t.name()) != 0;
    p.tensor.Swap(&t);
    return true;
  });
  extract(*graph.mutable_node(), [&](NodeProto& n, int i) {
    if (!is_weight(n)) return false;
    Part& p = parts.emplace_back();
    p.is_node = true;
    p.position = static_cast<std::uint32_t>(i);
    p.node.Swap(&n);
    return true;
  });
  for (const Part& p : parts) {
    if (!p.listed) add_input(graph, p);
  }
  SMPC_CHECK(find_weight(model).empty());
  return parts;
}

void mark_stripped(ModelProto& model) {
  auto& p = *model.add_metadata_props();
  p.set_key(std::string(stripped_mark));
  p.set_value("1");
}

void unmark_stripped(ModelProto& model) {
  auto& all = *model.mutable_metadata_props();
  if (!all.empty() && all[all.size() - 1].key() == stripped_mark) all.RemoveLast();
}

bool attach_weights(ModelProto& model, std::vector<Part>&& parts) {
  GraphProto& graph = *model.mutable_graph();
  // Stripping added its inputs at the end, in the order of the parts.
  int added = 0;
  for (const Part& p : parts) {
    if (p.is_node && p.node.output_size() == 0) return false;
    if (!p.listed) ++added;
  }
  int at = graph.input_size() - added;
  if (at < 0) return false;
  for (const Part& p : parts) {
    if (!p.listed && graph.input(at++).name() != p.name()) return false;
  }
  graph.mutable_input()->DeleteSubrange(graph.input_size() - added, added);
  return insert(*graph.mutable_initializer(), parts, false, &Part::tensor) &&
         insert(*graph.mutable_node(), parts, true, &Part::node);
}

}  // namespace smpc
