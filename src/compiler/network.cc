#include "smpc/compiler/network.h"

#include <algorithm>
#include <utility>

#include "graph_builder.h"
#include "network_builder.h"
#include "smpc/base/error.h"
#include "smpc/model/strip.h"

namespace smpc {
namespace {

// Far beyond any volume (a 1 mm head has 2^23 voxels); a short file must not make us take gigabytes.
constexpr std::int64_t most_inputs = std::int64_t{1} << 26;

}  // namespace

NetworkBuilder::NetworkBuilder(Model&& model) : NodeFields(model_), model_(std::move(model)) {}

const std::map<std::string, NetworkBuilder::Handler>& NetworkBuilder::handlers() {
  using B = NetworkBuilder;
  static const std::map<std::string, Handler> table = {
      {"Add", &B::add},         {"ArgMax", &B::arg_max},     {"Cast", &B::pass_on},     {"Clip", &B::pass_on},
      {"Concat", &B::concat},   {"Dropout", &B::dropout},    {"Flatten", &B::flatten},  {"Gather", &B::gather},
      {"Gemm", &B::gemm},       {"Identity", &B::identity},  {"LogSoftmax", &B::softmax}, {"MatMul", &B::mat_mul},
      {"Relu", &B::relu},       {"Reshape", &B::reshape_op}, {"Shape", &B::shape},      {"Softmax", &B::softmax},
      {"Squeeze", &B::squeeze}, {"Unsqueeze", &B::unsqueeze}};
  return table;
}

void NetworkBuilder::start() {
  ending_ = ending_of(model_);
  for (const Node& n : model_.nodes) {
    for (const auto& in : n.inputs) ++uses_[in];
  }
  for (const auto& out : model_.outputs) ++uses_[out.name];
  for (const ValueInfo& in : model_.inputs) {
    if (uses_.count(in.name) == 0) {
      fail_graph("input " + quote_name(in.name) + ": nothing reads it; remove it from the model");
    }
  }
  if (model_.inputs.size() != 1) {
    fail_graph("expected one input, found " + std::to_string(model_.inputs.size()) +
               "; if this is a stripped model, join it with its weights first");
  }
  const ValueInfo& in = model_.inputs.front();
  if (in.type != ElementType::f32 && in.type != ElementType::f64) {
    fail_graph("input " + quote_name(in.name) + ": expected float or double, found " + to_text(in.type));
  }
  if (in.dims.size() < 2) {
    fail_graph("input " + quote_name(in.name) + ": expected the batch and at least one more dimension, found " +
               std::to_string(in.dims.size()) + " in all; export the model with a batch");
  }
  Dims dims = in.dims;
  if (dims[0] == unknown_dim) dims[0] = batch_dim;
  batch_.dim = dims[0];
  type_ = in.type;
  per_sample_ = product(dims, 1, dims.size()).value_or(0);
  if (per_sample_ <= 0 || per_sample_ > most_inputs) {
    fail_graph("input " + quote_name(in.name) + ": expected at most " + std::to_string(most_inputs) +
               " elements a sample, found shape " + to_text(dims));
  }
  network_.inputs = {{in.name, std::vector<std::size_t>(dims.begin() + 1, dims.end())}};
  values_.emplace(in.name, Data{dims, version_});
  for (const auto& [name, tensor] : model_.constants) values_.emplace(name, Constant{name, tensor.dims});
}

void NetworkBuilder::visit(Node& node) {
  const auto handler = handlers().find(node.op);
  if (handler == handlers().end()) {
    std::string supported;
    for (const auto& [op, unused] : handlers()) supported += (supported.empty() ? "" : ", ") + op;
    fail(node, "this op is not supported; supported are Constant, " + supported);
  }
  (this->*handler->second)(node);
  expect_nothing_left(node);
  const auto result = values_.find(node.outputs.front());
  const bool read = uses_.count(node.outputs.front()) != 0;
  if (result != values_.end() && std::holds_alternative<Data>(result->second) && !read) {
    fail(node, "nothing reads its output; remove it");
  }
}

void NetworkBuilder::finish() {
  if (model_.outputs.size() != 1) {
    fail_graph("expected one output, found " + std::to_string(model_.outputs.size()) + "; keep the logits only");
  }
  const ValueInfo& out = model_.outputs.front();
  const std::string what = "output " + quote_name(out.name);
  const auto found = values_.find(out.name);
  const Data* last = found == values_.end() ? nullptr : std::get_if<Data>(&found->second);
  if (last == nullptr || last->version != version_) {
    fail_graph(what + ": expected what the last node computes from the input, found something else");
  }
  if (!pending_bias_.empty()) {
    fail_graph(pending_from_ + ": adds to the input, but no linear layer follows; remove it");
  }
  const bool has_affine = std::any_of(network_.layers.begin(), network_.layers.end(),
                                      [](const Layer& l) { return std::holds_alternative<Affine>(l); });
  if (!has_affine) fail_graph("expected at least one linear layer (Gemm, or MatMul and Add), found none");
  const bool index = network_.tail == Tail::argmax;
  const Dims& dims = last->dims;
  if (ending_.after.empty() && !index && (dims.size() != 2 || dims[0] != batch_.dim)) {
    fail_graph(what + ": expected shape [batch, classes], found " + to_text(dims) + "; flatten it");
  }
  if (ending_.after.empty() && out.type != (index ? ElementType::i64 : type_)) {
    fail_graph(what + ": expected type " + to_text(index ? ElementType::i64 : type_) + ", found " + to_text(out.type));
  }
  std::size_t classes = 0;
  for (const Layer& l : network_.layers) {
    if (const auto* a = std::get_if<Affine>(&l)) classes = a->outputs;
  }
  network_.outputs = {{out.name, {classes}}};
  if (!index && !ending_.after.empty()) {  // perhaps under another shape
    const bool batch = !dims.empty() && dims.front() == batch_.dim;
    network_.outputs.front().shape.assign(dims.begin() + (batch ? 1 : 0), dims.end());
  }
  if (network_.scores == Scores::values && ending_.linear) network_.scores = Scores::linear;
  if (!out.has_shape) return;
  bool same = out.dims.size() == dims.size();
  for (std::size_t i = 0; same && i < dims.size(); ++i) {
    same = out.dims[i] == unknown_dim || dims[i] == batch_dim || out.dims[i] == dims[i];
  }
  if (!same) {
    fail_graph(what + ": declared with another shape than the one computed, " + to_text(dims) +
               "; export the model again");
  }
}

Network NetworkBuilder::build() {
  start();
  for (Node& node : model_.nodes) visit(node);
  finish();
  return std::move(network_);
}

// Whether every op is one of a chain's, Softmax, LogSoftmax and ArgMax its end alone, each value that is computed from the input is
// read by one node alone, and there is a matrix that a flat input can meet.
bool NetworkBuilder::is_chain(const Model& model, const Ending& ending) {
  if (model.inputs.size() != 1 || model.outputs.size() != 1 || ending.guarded) return false;
  // Whether a constant differs from sample to sample.
  const auto of_samples = [&](const Node& node, std::size_t index) {
    if (index >= node.inputs.size()) return false;
    const auto c = model.constants.find(node.inputs[index]);
    return c != model.constants.end() && c->second.dims.size() == 2 && c->second.dims.front() > 1;
  };
  std::set<std::string> computed;
  bool flat = false;
  bool linear = false;
  for (const ValueInfo& in : model.inputs) {
    computed.insert(in.name);
    flat = flat || in.dims.size() == 2;
  }
  std::map<std::string, int> readers;
  for (const Node& node : model.nodes) {
    if (handlers().count(node.op) == 0) return false;
    const auto is_set = [&](const char* name) {
      const auto at = node.attributes.find(name);
      const auto* flag = at == node.attributes.end() ? nullptr : std::get_if<std::int64_t>(&at->second);
      return flag != nullptr && *flag != 0;
    };
    if (is_set("transA") || is_set("select_last_index")) return false;
    const std::string& out = node.outputs.front();
    const bool ends = node.op == "Softmax" || node.op == "LogSoftmax" || node.op == "ArgMax";
    if (ends && out != ending.node && out != ending.below) return false;
    if ((node.op == "Cast" || node.op == "Clip") && ending.after.count(out) == 0) return false;
    if (node.op == "Gemm" && of_samples(node, 2)) return false;
    int inputs = 0;
    for (const std::string& name : node.inputs) {
      if (computed.count(name) == 0) continue;
      ++inputs;
      if (node.op != "Shape" && ++readers[name] > 1) return false;
    }
    if (inputs > 1) return false;
    flat = flat || node.op == "Flatten" || node.op == "Reshape" || node.op == "Squeeze";
    linear = linear || (flat && (node.op == "Gemm" || node.op == "MatMul"));
    if (inputs == 1 && node.op != "Shape") computed.insert(node.outputs.begin(), node.outputs.end());
  }
  return linear;
}

Network build_network(Model&& model) {
  if (model.metadata.count(std::string(stripped_mark)) != 0) {
    fail_input(model.source + ": this is a stripped model; join it with its weights first (smpc-compile --join)");
  }
  return NetworkBuilder::is_chain(model, ending_of(model)) ? NetworkBuilder(std::move(model)).build() : GraphBuilder(std::move(model)).build();
}

}  // namespace smpc
