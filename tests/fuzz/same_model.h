// Whether two models are the same, tensor for tensor and node for node.
#pragma once

#include <algorithm>
#include <type_traits>

#include "smpc/model/model.h"

namespace smpc::fuzz {

inline bool same(const Tensor& a, const Tensor& b) { return a.dims == b.dims && a.values == b.values; }

inline bool same(const Attribute& a, const Attribute& b) {
  if (a.index() != b.index()) return false;
  return std::visit(
      [&](const auto& v) {
        using T = std::remove_cvref_t<decltype(v)>;
        if constexpr (std::is_same_v<T, Tensor>) {
          return same(v, std::get<T>(b));
        } else if constexpr (std::is_same_v<T, float>) {
          return v == std::get<T>(b) || (v != v && std::get<T>(b) != std::get<T>(b));
        } else if constexpr (std::is_same_v<T, std::vector<float>>) {
          const auto& w = std::get<T>(b);
          return std::equal(v.begin(), v.end(), w.begin(), w.end(),
                            [](float x, float y) { return x == y || (x != x && y != y); });
        } else {
          return v == std::get<T>(b);
        }
      },
      a);
}

template <class Value>
bool same(const std::map<std::string, Value>& a, const std::map<std::string, Value>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const auto& x, const auto& y) { return x.first == y.first && same(x.second, y.second); });
}

inline bool same(const Node& a, const Node& b) {
  return a.name == b.name && a.op == b.op && a.inputs == b.inputs && a.outputs == b.outputs &&
         same(a.attributes, b.attributes);
}

inline bool same(const ValueInfo& a, const ValueInfo& b) {
  return a.name == b.name && a.type == b.type && a.has_shape == b.has_shape && a.dims == b.dims &&
         a.batch_symbol == b.batch_symbol;
}

inline bool same(const Model& a, const Model& b) {
  const auto all = [](const auto& x, const auto& y) {
    return std::equal(x.begin(), x.end(), y.begin(), y.end(), [](const auto& u, const auto& v) { return same(u, v); });
  };
  return a.opset == b.opset && all(a.nodes, b.nodes) && same(a.constants, b.constants) && all(a.inputs, b.inputs) &&
         all(a.outputs, b.outputs) && a.metadata == b.metadata;
}

}  // namespace smpc::fuzz
