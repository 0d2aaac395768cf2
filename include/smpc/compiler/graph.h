// A model that is no chain of dense layers, as the compiler sees it: a graph of few kinds of ops over flattened tensors, in
// float. Value 0 holds the inputs, back to back; node i computes value i + 1.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "smpc/base/secret.h"
#include "smpc/program/program.h"

namespace smpc {

// Values that are known: weights, and what is computed from weights alone. While a graph is built, one value may stand for many
// that are the same.
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

// y = |x|.
struct AbsNode {};

// y = 1 where x >= 0, else 0.
struct StepNode {};

// y = f(x), a function that levels off at both ends, or at the left one, and is a line at the other.
enum class Smooth { sigmoid, tanh, erf, exp, softplus, elu };
struct SmoothNode {
  Smooth function = Smooth::sigmoid;
  double alpha = 1;  // of elu
};
double value_of(const SmoothNode& op, double x) noexcept;

// y = x^exponent, of values that are positive or, for 1/2, not negative; for -1 also of negative ones.
struct PowerNode {
  double exponent = 1;
};

// x: rows x size, none above 0 and a 0 in each row; y = exp(x) over the sum of its row.
struct SoftmaxNode {
  std::size_t rows = 1;
  std::size_t size = 1;
};

// x: rows x size; y = x / sqrt(mean of the squares of its row + epsilon), or with `factor` what it is multiplied by alone,
// one a row.
struct NormalizeNode {
  std::size_t rows = 1;
  std::size_t size = 1;
  double epsilon = 0;
  bool factor = false;
};

using GraphOp = std::variant<ConstantNode, MapNode, OffsetNode, SumNode, ScaleNode, WindowSumOp, TransposeOp, TakeOp, ConcatOp,
                             ProductOp, ReluNode, MaxNode, AbsNode, StepNode, SmoothNode, PowerNode, SoftmaxNode, NormalizeNode>;

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
