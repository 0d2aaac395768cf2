// Models made in code, as the loader would give them, and networks evaluated in double.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "smpc/base/error.h"
#include "smpc/compiler/network.h"

namespace smpc::test {

using Shape = std::vector<std::int64_t>;
using Names = std::vector<std::string>;
using Doubles = std::vector<double>;

struct ModelBuilder {
  explicit ModelBuilder(int opset = 13) {
    model.source = "m.onnx";
    model.opset = opset;
  }
  ModelBuilder& input(const std::string& name, Shape dims, ElementType type = ElementType::f32) {
    model.inputs.push_back(info(name, std::move(dims), type));
    return *this;
  }
  ModelBuilder& output(const std::string& name, Shape dims, ElementType type = ElementType::f32) {
    model.outputs.push_back(info(name, std::move(dims), type));
    return *this;
  }
  ModelBuilder& weights(const std::string& name, Shape dims, const std::vector<float>& values) {
    return constant(name, std::move(dims), values);
  }
  ModelBuilder& ints(const std::string& name, const std::vector<std::int64_t>& values) {
    return constant(name, {static_cast<std::int64_t>(values.size())}, values);
  }
  template <class T>
  ModelBuilder& constant(const std::string& name, Shape dims, const std::vector<T>& values) {
    Tensor t;
    t.dims = std::move(dims);
    if constexpr (std::is_floating_point_v<T>) {
      t.values = SecretVector<T>(values.begin(), values.end());
    } else {
      t.values = values;
    }
    model.constants.insert_or_assign(name, std::move(t));
    return *this;
  }
  // The node's name is its op and number: Gemm0, Relu1, ...
  Node& node(const std::string& op, Names inputs, Names outputs) {
    Node& n = model.nodes.emplace_back();
    n.name = op + std::to_string(model.nodes.size() - 1);
    n.op = op;
    n.inputs = std::move(inputs);
    n.outputs = std::move(outputs);
    return n;
  }
  Network build() { return build_network(std::move(model)); }
  std::string error() {
    try {
      build();
    } catch (const Error& e) {
      EXPECT_EQ(e.kind(), ErrorKind::bad_input);
      return e.what();
    }
    ADD_FAILURE() << "nothing was refused";
    return {};
  }

  static ValueInfo info(const std::string& name, Shape dims, ElementType type) {
    ValueInfo v;
    v.name = name;
    v.type = type;
    v.dims = std::move(dims);
    return v;
  }

  Model model;
};

inline Node& with(Node& n, const std::string& name, std::int64_t v) {
  n.attributes.insert_or_assign(name, v);
  return n;
}
inline Node& with_float(Node& n, const std::string& name, float v) {
  n.attributes.insert_or_assign(name, v);
  return n;
}
inline Node& with_ints(Node& n, const std::string& name, std::vector<std::int64_t> v) {
  n.attributes.insert_or_assign(name, std::move(v));
  return n;
}

// Logits of one sample.
inline Doubles evaluate(const Network& network, Doubles x) {
  if (!network.graph.nodes.empty()) {
    const auto y = graph_values(network.graph, x).back();
    return {y.begin(), y.end()};
  }
  for (const Layer& layer : network.layers) {
    if (const auto* a = std::get_if<Affine>(&layer)) {
      EXPECT_EQ(a->inputs, x.size());
      EXPECT_EQ(a->weights.size(), a->inputs * a->outputs);
      Doubles y(a->bias.begin(), a->bias.end());
      EXPECT_EQ(y.size(), a->outputs);
      for (std::size_t o = 0; o < a->outputs; ++o) {
        for (std::size_t i = 0; i < a->inputs; ++i) y[o] += static_cast<double>(a->weights[o * a->inputs + i]) * x[i];
      }
      x = std::move(y);
    } else {
      for (double& v : x) v = std::max(v, 0.0);
    }
  }
  return x;
}

inline ::testing::AssertionResult has(const std::string& text, const Names& parts) {
  for (const auto& p : parts) {
    if (text.find(p) == std::string::npos) return ::testing::AssertionFailure() << "no \"" << p << "\" in: " << text;
  }
  return ::testing::AssertionSuccess();
}

}  // namespace smpc::test
