// Ops and attributes against ONNX's definitions, and ONNX's own checker where it is right.
#include <onnx/checker.h>
#include <onnx/defs/schema.h>

#include <algorithm>
#include <array>
#include <set>
#include <string_view>

#include "proto.h"

namespace smpc {
namespace {

using onnx::AttributeProto;
using onnx::NodeProto;
using onnx::OpSchema;
using onnx::OpSchemaRegistry;

// The op exists, but the library's schema of it is not that of this opset.
bool beyond_schemas(const std::string& op, int opset) { return newer_definition(op, opset).has_value(); }

OpDefinition definition_of(const OpSchema& schema) {
  OpDefinition out{{schema.min_input(), schema.max_input()}, {schema.min_output(), schema.max_output()}, {}};
  for (const auto& [name, a] : schema.attributes()) {
    out.attributes[name] = {static_cast<AttributeProto::AttributeType>(a.type), a.required};
  }
  return out;
}

OpDefinition definition_of(const NodeProto& node, int opset, const std::string& source) {
  if (auto newer = newer_definition(node.op_type(), opset)) return std::move(*newer);
  const auto* schema = OpSchemaRegistry::Schema(node.op_type(), std::min(opset, newest_known_opset), "");
  if (schema != nullptr && !schema->deprecated()) return definition_of(*schema);
  if (schema != nullptr) {
    fail_model(source, describe(node) + ": this op is deprecated in opset " + std::to_string(opset) +
                           "; export the model again");
  }
  if (OpSchemaRegistry::Schema(node.op_type(), "") != nullptr || is_newer_op(node.op_type())) {
    fail_model(source, describe(node) + ": this op does not exist in opset " + std::to_string(opset) +
                           ", which the model declares; export the model with a newer opset, up to " +
                           std::to_string(newest_opset));
  }
  fail_model(source, describe(node) + ": expected an op of ONNX's default domain, found " + quote_name(node.op_type()) +
                         "; rewrite the model without it");
}

// How many of the payload fields are set, and whether the one of the declared type is.
void check_attribute_fields(const AttributeProto& a, const std::string& what, const std::string& source) {
  const bool scalar[] = {a.has_f(), a.has_i(), a.has_s(), a.has_t(), a.has_g(), a.has_sparse_tensor(), a.has_tp()};
  const int lists[] = {a.floats_size(), a.ints_size(),           a.strings_size(),    a.tensors_size(),
                       a.graphs_size(), a.sparse_tensors_size(), a.type_protos_size()};
  int set = static_cast<int>(std::count(std::begin(scalar), std::end(scalar), true));
  set += static_cast<int>(std::count_if(std::begin(lists), std::end(lists), [](int n) { return n > 0; }));
  bool right = false;
  switch (a.type()) {
    case AttributeProto::FLOAT: right = a.has_f() && set == 1; break;
    case AttributeProto::INT: right = a.has_i() && set == 1; break;
    case AttributeProto::STRING: right = a.has_s() && set == 1; break;
    case AttributeProto::TENSOR: right = a.has_t() && set == 1; break;
    case AttributeProto::FLOATS: right = set == (a.floats_size() > 0 ? 1 : 0); break;
    case AttributeProto::INTS: right = set == (a.ints_size() > 0 ? 1 : 0); break;
    case AttributeProto::STRINGS: right = set == (a.strings_size() > 0 ? 1 : 0); break;
    case AttributeProto::GRAPH:
    case AttributeProto::GRAPHS:
      fail_model(source, what + ": subgraphs are not supported; rewrite the model without control flow");
    case AttributeProto::UNDEFINED: break;
    default: fail_model(source, what + ": expected numbers, texts or a dense tensor, found another type of attribute");
  }
  if (!right) fail_model(source, what + ": expected one value of the type it declares, found none, another or several");
}

const char* attribute_type_name(AttributeProto::AttributeType type) {
  switch (type) {
    case AttributeProto::FLOAT: return "FLOAT";
    case AttributeProto::INT: return "INT";
    case AttributeProto::STRING: return "STRING";
    case AttributeProto::TENSOR: return "TENSOR";
    case AttributeProto::FLOATS: return "FLOATS";
    case AttributeProto::INTS: return "INTS";
    case AttributeProto::STRINGS: return "STRINGS";
    default: return "another type";
  }
}

void check_attribute_is_known(const NodeProto& node, const AttributeProto& a, const OpDefinition& op, int opset,
                              const std::string& source) {
  const std::string what = describe(node) + ", attribute " + quote_name(a.name());
  const auto found = op.attributes.find(a.name());
  if (found == op.attributes.end()) {
    std::string known;
    for (const auto& [name, unused] : op.attributes) known += (known.empty() ? "" : ", ") + name;
    fail_model(source, what + ": unknown to this op in opset " + std::to_string(opset) + ", which has " +
                           (known.empty() ? "none" : known) + "; remove it or export the model again");
  }
  if (found->second.type != a.type()) {
    fail_model(source, what + ": expected type " + attribute_type_name(found->second.type) + ", found " +
                           attribute_type_name(a.type()));
  }
}

template <class Names>
void check_count(const NodeProto& node, const char* what, const Names& names, const std::array<int, 2>& range, int opset,
                 const std::string& source) {
  const auto [least, most] = range;
  const int found = names.size();
  if (found >= least && found <= most) return;
  std::string expected = std::to_string(least);
  if (most != least) expected += most > 1000 ? " or more" : " to " + std::to_string(most);
  fail_model(source, describe(node) + ": expected " + expected + " " + what + ", found " + std::to_string(found) +
                         (found > most ? "; opset " + std::to_string(opset) + " has no place for " + quote_name(names[most]) +
                                             ": remove it or export the model again"
                                       : "; export the model again"));
}

std::string first_line(const std::string& text) {
  const std::string line = text.substr(0, text.find('\n'));
  return line.size() <= 300 ? line : line.substr(0, 300) + "...";
}

}  // namespace

void check_op(const NodeProto& node, int opset, const std::string& source) {
  if (!is_default_domain(node.domain())) {
    // What scikit-learn's exporter adds to the probabilities: the label, looked up in a list of classes.
    const bool classical = node.domain() == "ai.onnx.ml";
    fail_model(source, describe(node) + ": expected an op of ONNX's default domain, found domain " + quote_name(node.domain()) +
                           (classical ? "; remove the output of labels with all that computes it alone, keep that of probabilities, and "
                                        "export with zipmap off (skl2onnx)"
                                      : "; export the model with standard ops only"));
  }
  const OpDefinition op = definition_of(node, opset, source);
  std::set<std::string_view> seen;
  for (const AttributeProto& a : node.attribute()) {
    const std::string what = describe(node) + ", attribute " + quote_name(a.name());
    if (!seen.insert(a.name()).second) fail_model(source, what + ": given twice");
    if (a.has_ref_attr_name()) fail_model(source, what + ": refers to an attribute of a function, outside of one");
    check_attribute_is_known(node, a, op, opset, source);
    check_attribute_fields(a, what, source);
    if (a.has_t()) check_tensor(a.t(), what, source);
    if (a.has_t() && node.op_type() != "Constant" && element_count(a.t()) > 1) {
      fail_model(source,
                 what + ": a tensor of several values in an attribute is not supported; make it an initializer");
    }
  }
  check_count(node, "inputs", node.input(), op.inputs, opset, source);
  check_count(node, "outputs", node.output(), op.outputs, opset, source);
  for (const auto& [name, attribute] : op.attributes) {
    if (attribute.required && seen.count(name) == 0) {
      fail_model(source, describe(node) + ": expected attribute " + quote_name(name) + ", found none");
    }
  }
}

void run_onnx_checker(onnx::ModelProto& stripped, int opset, const std::string& source) {
  const auto& nodes = stripped.graph().node();
  if (std::any_of(nodes.begin(), nodes.end(), [&](const auto& n) { return beyond_schemas(n.op_type(), opset); }))
    return;
  const auto ir = stripped.ir_version();
  stripped.set_ir_version(std::min<std::int64_t>(ir, newest_known_ir));
  const auto set_opset = [&](int version) {
    for (auto& import : *stripped.mutable_opset_import()) {
      if (is_default_domain(import.domain())) import.set_version(version);
    }
  };
  set_opset(std::min(opset, newest_known_opset));
  std::string problem;
  try {
    onnx::checker::check_model(stripped);
  } catch (const std::exception& e) {
    problem = first_line(e.what());
    if (problem.empty()) problem = "no reason given";
  }
  set_opset(opset);
  stripped.set_ir_version(ir);
  if (!problem.empty()) fail_model(source, "ONNX's own checker refuses the model: " + problem);
}

}  // namespace smpc
