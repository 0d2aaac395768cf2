#include "proto.h"
#include "smpc/base/error.h"

namespace smpc {

std::string quote_name(std::string_view name) {
  constexpr std::size_t longest = 80;
  std::string out(1, '\'');
  out.append(name.substr(0, longest));
  out.append(name.size() > longest ? "...'" : "'");
  return out;
}

namespace {

std::string describe_node(const std::string& name, const std::string& op, const std::string& output) {
  std::string out(name.empty() ? "the node that computes " : "node ");
  out.append(quote_name(name.empty() ? output : name)).append(" (").append(op, 0, 40).append(")");
  return out;
}

}  // namespace

std::string describe(const Node& node) {
  return describe_node(node.name, node.op, node.outputs.empty() ? std::string() : node.outputs.front());
}

std::string describe(const onnx::NodeProto& node) {
  return describe_node(node.name(), node.op_type(), node.output_size() == 0 ? std::string() : node.output(0));
}

void fail_model(const std::string& source, const std::string& what) { fail_input(source + ": " + what); }

bool is_default_domain(const std::string& domain) { return domain.empty() || domain == "ai.onnx"; }

const char* to_text(ElementType type) noexcept {
  switch (type) {
    case ElementType::f32: return "float";
    case ElementType::f64: return "double";
    case ElementType::i64: return "integers";
    case ElementType::boolean: return "bool";
  }
  return "unknown";
}

}  // namespace smpc
