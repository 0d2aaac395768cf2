// Walks a model node by node and keeps the one chain of values that the input goes through.
#pragma once

#include <limits>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "ending.h"
#include "node_fields.h"
#include "smpc/compiler/network.h"

namespace smpc {

// An unknown batch, wherever dimensions or values computed from them stand.
constexpr std::int64_t batch_dim = std::numeric_limits<std::int64_t>::min();

// What a batch means for shapes: with a batch of one, any shape that keeps the values is one sample. Otherwise, the
// first dimension stays the batch, so that each row is one sample.
struct Batch {
  std::int64_t dim = batch_dim;  // or its fixed size
  bool keeps(const Dims& dims, std::int64_t per_sample) const;
};

// Products of dimensions, of which one may be the unknown batch; nullopt when the result is no dimension.
std::optional<std::int64_t> product(const Dims& dims, std::size_t first, std::size_t last);
// ONNX's Reshape: 0 copies (unless allow_zero), -1 is inferred. nullopt, with the reason, where it cannot be.
std::optional<Dims> reshape(const Dims& from, const Dims& to, bool allow_zero, std::string& why);
std::string to_text(const Dims& dims);

// The values of a constant, spread over one sample of a tensor, by numpy's rule; nullopt when it would not broadcast
// one way, or would differ from sample to sample.
std::optional<SecretVector<double>> spread(const Dims& from, const SecretVector<double>& values, const Dims& to,
                                           const Batch& batch);

// One value of the graph.
struct Data {
  Dims dims;
  std::size_t version;  // of the chain, when it was computed
};
// Integers computed from shapes and constants: a scalar, or a list.
struct Integers {
  bool scalar;
  std::vector<std::int64_t> values;
};
// A tensor of Model::constants, perhaps under another shape.
struct Constant {
  std::string name;
  Dims dims;
};
using Value = std::variant<Data, Integers, Constant>;

class NetworkBuilder : private NodeFields {
 public:
  explicit NetworkBuilder(Model&& model);
  Network build();
  // Whether a model is one that this builder is for; any other is a graph's (graph_builder.h).
  static bool is_chain(const Model& model, const Ending& ending);

 private:
  using Handler = void (NetworkBuilder::*)(Node&);
  static const std::map<std::string, Handler>& handlers();

  void start();
  void visit(Node& node);
  void finish();

  // Ops, in network_ops.cc and network_linear.cc.
  void flatten(Node& node);
  void reshape_op(Node& node);
  void squeeze(Node& node);
  void unsqueeze(Node& node);
  void identity(Node& node);
  void dropout(Node& node);
  void relu(Node& node);
  void pass_on(Node& node);  // Cast and Clip, where they change nothing
  void softmax(Node& node);  // LogSoftmax too
  void arg_max(Node& node);
  void shape(Node& node);
  void gather(Node& node);
  void concat(Node& node);
  void gemm(Node& node);
  void mat_mul(Node& node);
  void add(Node& node);

  // The axes of Squeeze and Unsqueeze: an attribute before opset 13, an input since.
  std::optional<std::set<std::size_t>> take_axes(Node& node, std::size_t rank);

  const Value& value(const Node& node, std::size_t index) const;
  const Data& data(const Node& node, std::size_t index) const;  // the chain's newest value
  bool is_constant(const Node& node, std::size_t index) const;
  const Tensor& constant(const Node& node, std::size_t index, const std::string& role) const;
  const Dims& constant_dims(const Node& node, std::size_t index) const;  // once constant() has accepted it
  const Tensor& float_constant(const Node& node, std::size_t index, const std::string& role) const;
  Integers integers(const Node& node, std::size_t index, const std::string& role) const;
  void set(const Node& node, Value value);
  void set_view(const Node& node, Dims dims);  // the same values under another shape

  // A new affine map; `weights` as the constant at input `index`, transposed unless it has one row per output.
  void push_affine(Node& node, std::size_t index, bool row_per_output, float alpha, SecretVector<double> bias);
  SecretVector<float> take_weights(const Node& node, std::size_t index);
  SecretVector<double> doubles(const Node& node, std::size_t index, const std::string& role) const;
  void add_broadcast_6(Node& node, const Dims& to, Dims& from);
  void add_bias(const SecretVector<double>& bias);

  Model model_;
  Ending ending_;
  Network network_;
  Batch batch_;
  ElementType type_ = ElementType::f32;
  std::int64_t per_sample_ = 0;        // elements of the chain's newest value
  std::size_t version_ = 0;            // how often the chain's values have changed
  SecretVector<double> pending_bias_;  // added before any affine map: goes into the next
  std::string pending_from_;           // the node that did
  std::string ended_by_;              // the trailing Softmax, LogSoftmax or ArgMax
  std::map<std::string, Value> values_;
  std::map<std::string, int> uses_;  // how many nodes and outputs read a name
};

}  // namespace smpc
