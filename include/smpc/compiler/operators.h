// Which of ONNX's ops the compiler takes, and what of a model it would not take.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "smpc/model/model.h"

namespace smpc {

struct OperatorRow {
  std::string op;
  std::string computed;                                         // as what
  std::vector<std::pair<std::string, std::string>> supported;   // attributes and inputs, and what of them
};

// Every op, in the order of the alphabet.
std::vector<OperatorRow> operators();

// A smooth function of the value that it reads, in fixed point, is within absolute + relative * |result| of exact arithmetic. What
// the rounding of the value itself does comes on top.
struct FunctionPromise {
  std::string op;
  double absolute;
  double relative;
  std::string beside;  // what else adds to it
};
std::vector<FunctionPromise> function_promises();

// The same as docs/OPERATORS.md has it.
std::string operators_markdown();

struct NodeCheck {
  std::string node;    // as messages name it
  bool supported = false;
  std::string reason;  // why not, and what to do
};

// Every node of a model, also behind one that is not supported. What only the whole can tell (outputs, bounds) is not here.
std::vector<NodeCheck> check_nodes(Model&& model);

}  // namespace smpc
