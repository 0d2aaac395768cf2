#include "node_fields.h"

#include <cmath>

#include "smpc/base/error.h"

namespace smpc {

void NodeFields::fail_graph(const std::string& what) const { fail_input(of_.source + ": " + what); }

void NodeFields::fail(const Node& node, const std::string& what) const { fail_graph(describe(node) + ": " + what); }

std::int64_t NodeFields::take_int(Node& node, const std::string& name, std::int64_t otherwise) const {
  const auto at = node.attributes.find(name);
  if (at == node.attributes.end()) return otherwise;
  const auto* v = std::get_if<std::int64_t>(&at->second);
  if (v == nullptr) fail(node, "attribute " + quote_name(name) + ": expected an integer");
  const std::int64_t out = *v;
  node.attributes.erase(at);
  return out;
}

bool NodeFields::take_flag(Node& node, const std::string& name, bool otherwise) const {
  const std::int64_t v = take_int(node, name, otherwise ? 1 : 0);
  if (v != 0 && v != 1) fail(node, "attribute " + quote_name(name) + ": expected 0 or 1, found " + std::to_string(v));
  return v == 1;
}

float NodeFields::take_float(Node& node, const std::string& name, float otherwise) const {
  const auto at = node.attributes.find(name);
  if (at == node.attributes.end()) return otherwise;
  const auto* v = std::get_if<float>(&at->second);
  if (v == nullptr || !std::isfinite(*v)) fail(node, "attribute " + quote_name(name) + ": expected a finite number");
  const float out = *v;
  node.attributes.erase(at);
  return out;
}

std::optional<Dims> NodeFields::take_ints(Node& node, const std::string& name) const {
  const auto at = node.attributes.find(name);
  if (at == node.attributes.end()) return std::nullopt;
  auto* v = std::get_if<std::vector<std::int64_t>>(&at->second);
  if (v == nullptr) fail(node, "attribute " + quote_name(name) + ": expected integers");
  Dims out = std::move(*v);
  node.attributes.erase(at);
  return out;
}

std::size_t NodeFields::axis_of(const Node& node, std::int64_t axis, std::size_t rank, int negative_since) const {
  const auto n = static_cast<std::int64_t>(rank);
  const std::int64_t least = of_.opset >= negative_since ? -n : 0;
  if (axis < least || axis >= n) {
    fail(node, "axis: expected " + std::to_string(least) + " to " + std::to_string(n - 1) + " in opset " +
                   std::to_string(of_.opset) + ", found " + std::to_string(axis));
  }
  return static_cast<std::size_t>(axis < 0 ? axis + n : axis);
}

std::string NodeFields::take_text(Node& node, const std::string& name, const std::string& otherwise) const {
  const auto at = node.attributes.find(name);
  if (at == node.attributes.end()) return otherwise;
  const auto* v = std::get_if<std::string>(&at->second);
  if (v == nullptr) fail(node, "attribute " + quote_name(name) + ": expected a text");
  std::string out = *v;
  node.attributes.erase(at);
  return out;
}

void NodeFields::expect_nothing_left(const Node& node) const {
  if (node.attributes.empty()) return;
  fail(node, "attribute " + quote_name(node.attributes.begin()->first) + " is not supported; remove it");
}

bool NodeFields::has_input(const Node& node, std::size_t index) {
  return index < node.inputs.size() && !node.inputs[index].empty();
}

}  // namespace smpc
