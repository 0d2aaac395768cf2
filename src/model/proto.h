// What this room's files share: ONNX messages, never seen outside it.
#pragma once

#include <onnx/onnx_pb.h>

#include <array>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "smpc/base/bytes.h"
#include "smpc/model/model.h"

namespace smpc {

constexpr int oldest_opset = 6;
constexpr int newest_opset = 22;
constexpr int export_opset = 18;  // to be recommended: every exporter has it
constexpr int newest_ir = 10;
// ONNX's own checker and schemas in the library go no further.
constexpr int newest_known_opset = 17;
constexpr int newest_known_ir = 8;

[[noreturn]] void fail_model(const std::string& source, const std::string& what);

std::string describe(const onnx::NodeProto& node);
bool is_default_domain(const std::string& domain);

// Parses, and refuses fields that IR version 10 does not know: a weight could hide in one. Those that it has and the library's
// version of the format has not are kept as they are, and mean nothing here: the metadata of nodes, graphs, tensors and values.
onnx::ModelProto parse_model(ByteView bytes, const std::string& source);

// The same of a tensor by itself.
onnx::TensorProto parse_tensor(ByteView bytes, const std::string& source);

// Everything that load_model promises, but for what ONNX's checker adds. Returns the opset.
int check_model(const onnx::ModelProto& model, const std::string& source);

// Payload, dims and type agree; values are finite. `what` names the tensor in errors.
void check_tensor(const onnx::TensorProto& tensor, const std::string& what, const std::string& source);
std::size_t element_count(const onnx::TensorProto& tensor);  // of a checked tensor
const char* data_type_name(int type);

// Reads the values that a model keeps in files beside its own into the model. Refuses, without opening it, a file that is not
// below `folder` by its name alone, or is no plain file with that one name: no "..", no absolute path, no link.
void read_external_data(onnx::ModelProto& model, const std::filesystem::path& folder, const std::string& source);

// What ONNX says of an op in one opset.
struct OpDefinition {
  struct Attribute {
    onnx::AttributeProto::AttributeType type;
    bool required;
  };
  std::array<int, 2> inputs;  // at least, at most
  std::array<int, 2> outputs;
  std::map<std::string, Attribute> attributes;
};
// Of an op that was new or took other inputs, outputs or attributes after the last opset that the library knows; else nothing.
std::optional<OpDefinition> newer_definition(const std::string& op, int opset);
// Whether there is such a definition in any opset.
bool is_newer_op(const std::string& op);

// Op, number of inputs and outputs, and attributes, against their definition in that opset.
void check_op(const onnx::NodeProto& node, int opset, const std::string& source);

// ONNX's own checker, as far as it knows the format; `stripped` is as it was afterwards. Weights must have been taken
// out before: the checker copies.
void run_onnx_checker(onnx::ModelProto& stripped, int opset, const std::string& source);

// A weight that was taken out of a model: either an initializer or a Constant node.
struct Part {
  bool is_node = false;
  std::uint32_t position = 0;  // among the original's initializers, or nodes
  bool listed = false;         // its graph input stood in the original
  onnx::TensorProto tensor;
  onnx::NodeProto node;

  const std::string& name() const { return is_node ? node.output(0) : tensor.name(); }
};

// `model` becomes the stripped one; it must have been checked.
std::vector<Part> detach_weights(onnx::ModelProto& model);
// The reverse. False when the parts do not fit the model.
[[nodiscard]] bool attach_weights(onnx::ModelProto& model, std::vector<Part>&& parts);
// The last of a stripped model's metadata.
void mark_stripped(onnx::ModelProto& model);
void unmark_stripped(onnx::ModelProto& model);
// The first weight left in a model, or nothing.
std::string find_weight(const onnx::ModelProto& model);

// The attribute of a Constant node that holds its value; checked nodes have exactly one.
const onnx::AttributeProto& constant_value(const onnx::NodeProto& node);

// Of a checked tensor, which is wiped.
Tensor to_tensor(onnx::TensorProto&& tensor);

// Of a checked and stripped model and its parts. Takes the tensors apart one by one, so that no two copies of all
// exist.
Model to_model(onnx::ModelProto&& stripped, std::vector<Part>&& parts, int opset, const std::string& source);

}  // namespace smpc
