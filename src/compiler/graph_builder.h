// Walks a model node by node and writes each as ops of a graph. Shapes are known: an unknown batch is one sample.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "ending.h"
#include "node_fields.h"
#include "smpc/compiler/graph.h"
#include "smpc/compiler/network.h"
#include "smpc/compiler/operators.h"

namespace smpc {

using Shape = std::vector<std::size_t>;

// As all products of dimensions, no more than the largest number there is.
std::size_t elements(const Shape& shape) noexcept;
// The dimensions before an axis, and after it, multiplied.
std::size_t before(const Shape& shape, std::size_t axis) noexcept;
std::size_t after(const Shape& shape, std::size_t axis) noexcept;
Shape without_ones(const Shape& shape);
std::string to_text(const Shape& shape);

// A value of the graph under some shape: views move nothing.
struct GraphData {
  std::size_t value;
  Shape shape;
};
// Integers that are known: shapes, axes, indices.
struct GraphIntegers {
  Shape shape;
  std::vector<std::int64_t> values;
};

// An axis of an image that a map leaves as it is.
inline ConvAxis row(std::size_t length) {
  ConvAxis a;
  a.input = a.output = length;
  return a;
}

class GraphBuilder : private NodeFields {
 public:
  explicit GraphBuilder(Model&& model);
  Network build();
  // Every node by itself, whatever is wrong with others.
  std::vector<NodeCheck> check();
  // By op, in the order of the alphabet.
  static std::vector<OperatorRow> operators();

 private:
  using Value = std::variant<GraphData, GraphIntegers>;
  using Handler = void (GraphBuilder::*)(Node&);
  struct Operator {
    Handler handler;
    const char* computed;                                       // as what
    std::vector<std::pair<const char*, const char*>> supported;  // attributes and inputs that are not data
  };
  static const std::map<std::string, Operator>& table();

  void start();
  void start_input(const ValueInfo& in, Shape& shape);
  void visit(Node& node);
  void finish();
  GraphData output(const ValueInfo& out);
  Scores scores() const;
  void leave_out_what_nothing_reads();

  // graph_shape_ops.cc
  void flatten(Node& node);
  void reshape(Node& node);
  void squeeze(Node& node);
  void unsqueeze(Node& node);
  void transpose(Node& node);
  void slice(Node& node);
  void split(Node& node);
  void gather(Node& node);
  void concat(Node& node);
  void pad(Node& node);
  void expand(Node& node);
  void pass_on(Node& node);  // Identity, Cast
  // Whether a node comes after what was taken off the end, and leaves it what it is.
  bool follows_end(const Node& node) const;
  void dropout(Node& node);
  // graph_constant_ops.cc
  void shape_of(Node& node);
  void constant_of_shape(Node& node);
  void range(Node& node);
  // graph_linear_ops.cc
  void conv(Node& node);
  void conv_transpose(Node& node);
  void gemm(Node& node);
  void mat_mul(Node& node);
  void batch_normalization(Node& node);
  void reduce(Node& node);
  void average_pool(Node& node);
  void global_average_pool(Node& node);
  // graph_pointwise_ops.cc
  void arithmetic(Node& node);  // Add, Sub, Mul, Div
  void neg(Node& node);
  void sum(Node& node);
  void relu(Node& node);
  void leaky_relu(Node& node);
  void p_relu(Node& node);
  void clip(Node& node);
  void abs(Node& node);
  void extreme(Node& node);  // Max, Min
  void hard_sigmoid(Node& node);
  void hard_swish(Node& node);
  void max_pool(Node& node);
  void global_max_pool(Node& node);
  // graph_smooth_ops.cc
  void smooth(Node& node);  // Sigmoid, Tanh, Erf, Exp, Softplus, Elu
  void gelu(Node& node);
  void sqrt(Node& node);
  void reciprocal(Node& node);
  void pow(Node& node);
  void softmax(Node& node);  // LogSoftmax too
  void layer_normalization(Node& node);
  void lrn(Node& node);
  void arg_max(Node& node);

  // ---- Inputs of a node.
  const Value* find(const std::string& name);
  const Value& value(const Node& node, std::size_t index);
  GraphData data(const Node& node, std::size_t index);  // of an initializer: a constant value
  GraphIntegers integers(const Node& node, std::size_t index, const std::string& role);
  std::optional<std::vector<std::size_t>> axes_of(Node& node, std::size_t rank, int input_since);
  bool is_constant(const GraphData& d) const;
  bool is_float(const Node& node, std::size_t index);
  const SecretVector<double>& constant(const GraphData& d);
  // One value for all of its elements: weights of a model whose values do not matter.
  bool is_uniform(const GraphData& d) const;
  SecretVector<float> weights_of(const GraphData& d);
  // The values of an input that must be known, such as weights.
  GraphData known(const Node& node, std::size_t index, const std::string& role);
  double scalar(const Node& node, std::size_t index, const std::string& role);

  void set(const Node& node, Value v, std::size_t output = 0);
  void set_values(const Node& node, Shape shape, std::vector<std::int64_t> values);

  // What convolutions and pooling say of their windows, for each axis of the image.
  struct Windows {
    std::vector<ConvAxis> axes;
    std::vector<std::int64_t> pads_after;
  };
  // ---- New values. What is computed from constants alone is computed at once.
  GraphData add(const std::string& name, GraphOp op, const std::vector<GraphData>& inputs, Shape shape);
  GraphData add_constant(const std::string& name, SecretVector<double> values, Shape shape);
  static std::string name_of(const Node& node);
  void count_constants(const std::string& name, std::size_t count);

  GraphData viewed(GraphData d, Shape shape) const;
  GraphData transposed(const Node& node, const GraphData& d, const Shape& order);
  GraphData taken(const Node& node, const GraphData& d, std::size_t axis, std::vector<std::int64_t> slices);
  // Before so many slices are listed: a program would not hold them, and a short file must not make us try.
  void expect_few_slices(const Node& node, std::int64_t count) const;
  GraphData spread(const Node& node, const GraphData& d, const Shape& to);
  std::optional<Shape> broadcast(const Shape& a, const Shape& b) const;
  // own: only the node in hand reads a.
  GraphData plus(const Node& node, const GraphData& a, const GraphData& b, double factor_a, double factor_b, bool own);
  GraphData times(const Node& node, const GraphData& a, const GraphData& b, bool own);
  GraphData times_constant(const Node& node, const GraphData& x, const GraphData& c, bool own);
  GraphData offset(const Node& node, const GraphData& x, double by);
  GraphData scaled(const Node& node, const GraphData& x, double by);  // by a public number
  GraphData rectified(const Node& node, const GraphData& x);
  GraphData larger(const Node& node, const GraphData& a, const GraphData& b);
  GraphData clipped(const Node& node, GraphData x, std::optional<double> low, std::optional<double> high);
  GraphData hard_sigmoid_of(const Node& node, const GraphData& x, double alpha, double beta);
  GraphData summed(const Node& node, const GraphData& d, const std::vector<std::size_t>& axes, bool keep, bool mean);
  GraphData product(const Node& node, GraphData a, GraphData b);  // of matrices, batched
  GraphData mapped(const Node& node, const GraphData& x, MapNode map, Shape shape);
  GraphData mapped_images(const Node& node, const GraphData& x, MapNode map, const Shape& shape);
  GraphData average(const Node& node, const GraphData& x, const Windows& windows, bool with_pads);
  GraphData largest(const Node& node, GraphData x, const std::vector<ConvAxis>& axes);
  GraphData largest_along(const Node& node, GraphData x, std::size_t axis);
  GraphData power(const Node& node, const GraphData& x, double exponent);
  GraphData index_of_largest(const Node& node, GraphData x);  // of each row of a matrix

  Windows take_windows(Node& node, const Shape& image, const Shape& kernel);
  Shape kernel_of(Node& node, std::size_t rank, std::optional<Shape> of_weights);
  static ConvShape conv_shape(std::size_t groups, std::size_t in, std::size_t out, const std::vector<ConvAxis>& axes);
  // Whether only the node in hand reads a value, so that it may take part in it.
  bool is_its_own(const Node& node, std::size_t index, const GraphData& d) const;
  // y = map * factor + offset, row by row, inside the map. False where `c`, of the map's result or spread over it, differs
  // within a row.
  bool fold(const GraphData& d, const GraphData& c, bool multiply, double sign);

  Model model_;
  Ending ending_;
  Shape scores_shape_;          // of what an ArgMax at the end reads
  bool label_taken_ = false;    // the output that is the label of the other is none any more
  bool softmax_taken_ = false;  // off the end, of one row
  Shape softmax_shape_;         // of the Softmax at the end, where it is computed; empty: it is not
  Network network_;
  Graph graph_;
  std::map<std::string, Value> values_;
  std::map<std::string, int> uses_;
  std::size_t constants_ = 0;        // elements of those that were computed
  std::size_t uniform_ = 0;          // elements of weights that are one value each
  std::vector<int> names_;           // of each value: how many names of the model it has
};

}  // namespace smpc
