// A model as the compiler sees it, in float: a chain of affine maps and ReLUs over one flattened input, or else a graph.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "smpc/compiler/graph.h"
#include "smpc/model/model.h"

namespace smpc {

// y = W x + bias. W: outputs x inputs, row by row.
struct Affine {
  std::string name;
  std::size_t outputs = 0;
  std::size_t inputs = 0;
  SecretVector<float> weights;
  SecretVector<double> bias;  // one per output
};

struct Relu {
  std::string name;
};

using Layer = std::variant<Affine, Relu>;

// What was taken off the model's end: computed in the clear by whoever receives the logits (softmax), or as the protocol's last
// step (argmax).
enum class Tail { none, softmax, log_softmax, argmax };

// What the values are that the network ends in, its tail taken off. Logits: a Softmax of all of them was taken off, or it would
// change nothing, since the ArgMax that follows it was. Linear: a linear op computes them, so they are logits if they are classes.
// Probabilities: a Softmax inside computes them. Indices: an ArgMax inside does.
enum class Scores { values, linear, logits, probabilities, indices };

// An input or output. Of a chain, and of a graph whose batch is one sample, the shape leaves out the batch.
struct NetworkValue {
  std::string name;
  std::vector<std::size_t> shape;
};

struct Network {
  std::vector<NetworkValue> inputs;   // of a chain one
  std::vector<NetworkValue> outputs;  // of a chain one: the classes
  std::vector<Layer> layers;             // of a chain
  Graph graph;                           // of what is no chain; without nodes: a chain
  Tail tail = Tail::none;
  Scores scores = Scores::values;
};

// Takes a model apart; refuses (bad_input) what it does not know, naming the node and what to do.
//
// The graph is one chain from one input, whose first dimension is the batch (unknown or fixed), to one output of shape
// [batch, classes]. Ops, with the meaning of each opset from 6 to 18: Flatten, Reshape, Squeeze, Unsqueeze, Identity,
// Dropout (inference), Gemm and MatMul with constant weights on the right, Add of a constant, Relu, and at the end
// Softmax, LogSoftmax or ArgMax over the classes, and what changes nothing after it (ending.h); and what exporters compute from shapes (Shape, Gather, Concat).
//  - Weights are float32; those of a double model are rounded to it. Gemm's alpha is multiplied into them.
//  - An Add goes into the bias of the affine map before it or, where there is none, of the one after it.
//  - Two affine maps in a row stay two. A Relu right after a Relu is dropped.
Network build_network(Model&& model);

}  // namespace smpc
