// What holds of a model as a whole: versions, names, order, inputs and outputs.
#include <map>
#include <set>
#include <string_view>

#include "proto.h"

namespace smpc {
namespace {

using onnx::GraphProto;
using onnx::ModelProto;
using onnx::NodeProto;
using onnx::TensorProto;
using onnx::ValueInfoProto;

int check_versions(const ModelProto& model, const std::string& source) {
  if (!model.has_graph()) fail_model(source, "expected an ONNX model, found no graph in it; export the model again");
  if (model.ir_version() < 3) {
    fail_model(source, "expected IR version 3 to " + std::to_string(newest_ir) + ", found " +
                           std::to_string(model.ir_version()) + "; export the model again, with a newer version of the exporter");
  }
  if (model.ir_version() > newest_ir) {
    fail_model(source, "expected IR version 3 to " + std::to_string(newest_ir) + ", found " +
                           std::to_string(model.ir_version()) + "; set ir_version = " + std::to_string(newest_ir) +
                           " in the model and save it again, whatever its opset: onnx.load, then onnx.save");
  }
  std::int64_t opset = -1;
  std::set<std::string> domains;
  for (const auto& import : model.opset_import()) {
    const std::string domain = is_default_domain(import.domain()) ? "" : import.domain();
    if (!domains.insert(domain).second) fail_model(source, "opset of domain " + quote_name(domain) + " declared twice");
    if (domain.empty()) opset = import.version();
  }
  if (domains.count("") == 0) fail_model(source, "expected an opset of ONNX's default domain, found none");
  if (opset < oldest_opset || opset > newest_opset) {
    fail_model(source, "expected opset " + std::to_string(oldest_opset) + " to " + std::to_string(newest_opset) +
                           ", found " + std::to_string(opset) +
                           "; export the model with opset_version=" + std::to_string(export_opset));
  }
  return static_cast<int>(opset);
}

void refuse_extensions(const ModelProto& model, const std::string& source) {
  if (model.functions_size() != 0) {
    fail_model(source, "function " + quote_name(model.functions(0).name()) +
                           ": functions of the model's own are not supported; export the model with them inlined");
  }
  if (model.training_info_size() != 0)
    fail_model(source, "training information is not supported; export for inference");
  if (model.graph().sparse_initializer_size() != 0) {
    fail_model(source, "sparse initializer " + quote_name(model.graph().sparse_initializer(0).values().name()) +
                           ": not supported; make it dense");
  }
  if (model.graph().quantization_annotation_size() != 0) {
    fail_model(source, "quantisation annotation of tensor " +
                           quote_name(model.graph().quantization_annotation(0).tensor_name()) +
                           ": not supported; export the float model");
  }
  std::set<std::string_view> keys;
  for (const auto& p : model.metadata_props()) {
    if (!keys.insert(p.key()).second) fail_model(source, "metadata " + quote_name(p.key()) + ": given twice");
  }
}

// The graph's names, each defined once and before it is read.
class Names {
 public:
  Names(const GraphProto& graph, int opset, std::int64_t ir, const std::string& source)
      : graph_(graph), opset_(opset), ir_(ir), source_(source) {}

  void check() {
    for (const ValueInfoProto& v : graph_.input()) {
      define(v.name(), "input");
      inputs_[v.name()] = &v;
    }
    for (const TensorProto& t : graph_.initializer()) check_initializer(t);
    for (const ValueInfoProto& v : graph_.input()) check_value(v, "input", initializers_.count(v.name()) != 0);
    for (const NodeProto& n : graph_.node()) {
      for (const auto& o : n.output()) {
        if (!o.empty()) computed_.insert(o);
      }
    }
    for (const NodeProto& n : graph_.node()) check_node(n);
    std::set<std::string_view> outputs;
    for (const ValueInfoProto& v : graph_.output()) {
      if (!outputs.insert(v.name()).second) fail_model(source_, "output " + quote_name(v.name()) + ": given twice");
      if (defined_.count(v.name()) == 0)
        fail_model(source_, "output " + quote_name(v.name()) + ": nothing computes it");
      check_value(v, "output", false);
    }
    if (graph_.output_size() == 0) fail_model(source_, "expected an output, found none");
  }

 private:
  void define(const std::string& name, const std::string& what) {
    if (name.empty()) fail_model(source_, what + " without a name");
    if (!defined_.insert(name).second)
      fail_model(source_, what + " " + quote_name(name) + ": this name is taken already");
  }

  void check_initializer(const TensorProto& t) {
    const std::string what = "initializer " + quote_name(t.name());
    if (t.name().empty()) fail_model(source_, "initializer without a name");
    if (!initializers_.insert(t.name()).second) fail_model(source_, what + ": given twice");
    check_tensor(t, what, source_);
    const auto listed = inputs_.find(t.name());
    if (listed == inputs_.end()) {
      if (ir_ < 4)
        fail_model(source_, what + ": not among the inputs, as IR version 3 demands; export the model again");
      define(t.name(), "initializer");
      return;
    }
    const auto& type = listed->second->type().tensor_type();
    bool same = type.elem_type() == t.data_type();
    if (type.has_shape()) {
      same = same && type.shape().dim_size() == t.dims_size();
      for (int i = 0; same && i < t.dims_size(); ++i) {
        same = type.shape().dim(i).has_dim_value() && type.shape().dim(i).dim_value() == t.dims(i);
      }
    }
    if (!same) fail_model(source_, what + ": its type or shape is not that of the input of this name");
  }

  // An input that nothing fills is what the model is about; only its first dimension may be unknown.
  void check_value(const ValueInfoProto& v, const std::string& role, bool filled) {
    const std::string what = role + " " + quote_name(v.name());
    if (!v.type().has_tensor_type())
      fail_model(source_, what + ": expected a dense tensor, found another type or none");
    const auto& type = v.type().tensor_type();
    if (filled) return;
    const int t = type.elem_type();
    if (t != TensorProto::FLOAT && t != TensorProto::DOUBLE && t != TensorProto::FLOAT16 && t != TensorProto::INT64 &&
        t != TensorProto::INT32 && t != TensorProto::BOOL) {
      fail_model(source_, what + ": expected FLOAT, DOUBLE, FLOAT16, INT64, INT32 or BOOL, found " + data_type_name(t) +
                              "; export the model in float32");
    }
    for (const auto& d : type.shape().dim()) {
      if (d.has_dim_value() && d.dim_value() < (role == "input" ? 1 : 0)) {
        fail_model(source_, what + ": expected dimensions of at least 1, found " + std::to_string(d.dim_value()) +
                                "; give it a fixed shape");
      }
    }
    if (role != "input") return;
    if (!type.has_shape()) fail_model(source_, what + ": expected a shape, found none; export with a fixed shape");
    std::int64_t count = 1;
    for (int i = 0; i < type.shape().dim_size(); ++i) {
      const auto& d = type.shape().dim(i);
      if (!d.has_dim_value() && i > 0) {
        fail_model(source_, what + ": dimension " + std::to_string(i) + " is dynamic" +
                                (d.dim_param().empty() ? "" : " (" + quote_name(d.dim_param()) + ")") +
                                "; only the first, the batch, may be: export with a fixed shape");
      }
      const std::int64_t n = d.has_dim_value() ? d.dim_value() : 1;
      if (n > INT32_MAX / count) fail_model(source_, what + ": its dimensions overflow");
      count *= n;
    }
  }

  void check_node(const NodeProto& n) {
    if (!n.name().empty() && !nodes_.insert(n.name()).second) {
      fail_model(source_, describe(n) + ": another node has this name; give each its own");
    }
    check_op(n, opset_, source_);
    for (const auto& in : n.input()) {
      if (in.empty() || defined_.count(in) != 0) continue;
      if (computed_.count(in) != 0) {
        fail_model(source_, describe(n) + ": reads " + quote_name(in) +
                                ", which only a later node, or itself, computes; sort the nodes, without cycles");
      }
      fail_model(source_, describe(n) + ": reads " + quote_name(in) + ", which nothing computes");
    }
    bool any = false;
    for (const auto& out : n.output()) {
      if (out.empty()) continue;
      define(out, describe(n) + ": output");
      any = true;
    }
    if (!any) fail_model(source_, describe(n) + ": expected a named output, found none");
    if (n.op_type() == "Constant") check_constant(n);
  }

  void check_constant(const NodeProto& n) {
    if (n.attribute_size() != 1) {
      fail_model(source_,
                 describe(n) + ": expected one attribute with its value, found " + std::to_string(n.attribute_size()));
    }
    const auto& a = n.attribute(0);
    if (a.name() == "value_string" || a.name() == "value_strings" || a.name() == "sparse_value") {
      fail_model(source_, describe(n) + ", attribute " + quote_name(a.name()) + ": expected a dense tensor of numbers");
    }
    TensorProto t;  // the same rules for values that stand in the attribute itself
    if (a.name() == "value_float") t.add_float_data(a.f());
    if (a.name() == "value_floats") *t.mutable_float_data() = a.floats();
    if (t.float_data_size() == 0) return;
    t.set_data_type(TensorProto::FLOAT);
    t.add_dims(t.float_data_size());
    check_tensor(t, describe(n) + ", attribute " + quote_name(a.name()), source_);
  }

  const GraphProto& graph_;
  const int opset_;
  const std::int64_t ir_;
  const std::string& source_;
  std::set<std::string, std::less<>> defined_;
  std::set<std::string> computed_;
  std::set<std::string> initializers_;
  std::set<std::string> nodes_;
  std::map<std::string, const ValueInfoProto*> inputs_;
};

}  // namespace

int check_model(const ModelProto& model, const std::string& source) {
  const int opset = check_versions(model, source);
  refuse_extensions(model, source);
  Names(model.graph(), opset, model.ir_version(), source).check();
  return opset;
}

}  // namespace smpc
