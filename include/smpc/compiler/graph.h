// A model that is no chain of dense layers, as the compiler sees it: a graph of few kinds of ops over flattened tensors, in
// float. Value 0 is the input, node i computes value i + 1.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "smpc/base/secret.h"
#include "smpc/program/program.h"

namespace smpc {

// Values that are known: weights, and what is computed from weights alone.
struct ConstantNode {
  SecretVector<double> values;
};

// y = W * x + bias (ConvShape); a dense map has one position and a kernel of one element. bias: one for each row.
struct MapNode {
  ConvShape shape;
  SecretVector<float> weights;
  SecretVector<double> bias;
};

// y = x + values, element by element.
struct OffsetNode {
  SecretVector<double> values;
};

// y = the sum of the inputs, each times its factor. Factors are public: they stand in the program.
struct SumNode {
  std::vector<double> factors;
};

// ScaleOp, in float. Public.
struct ScaleNode {
  std::size_t outer = 1;
  std::size_t inner = 1;
  std::vector<double> factors;
};

struct ReluNode {};

// y = max(a, b).
struct MaxNode {};

using GraphOp = std::variant<ConstantNode, MapNode, OffsetNode, SumNode, ScaleNode, WindowSumOp, TransposeOp, TakeOp, ConcatOp,
                             ProductOp, ReluNode, MaxNode>;

struct GraphNode {
  std::string name;  // of the model's node that it comes from
  GraphOp op;
  std::vector<std::size_t> inputs;  // values
  std::size_t count = 0;            // elements of its value
};

struct Graph {
  std::vector<GraphNode> nodes;  // each after those that it reads; each is read, but the last, which is the output
};

// One op on values in double.
SecretVector<double> evaluate(const GraphOp& op, const std::vector<std::span<const double>>& in, std::size_t count);

// Every value of a graph for one input, value 0 included.
std::vector<SecretVector<double>> graph_values(const Graph& graph, std::span<const double> input);

}  // namespace smpc
