// A trained model, read from an ONNX file and checked: graph, constants and metadata, without any ONNX type.
//
// Accepted: IR versions 3 to 10, opsets 6 to 22 of the default domain, tensors of float, double, float16 (which is float from
// here on), int64, int32 (which is int64 from here on) and bool.
// Everything else is refused by name (bad_input): what was found, and what to do. Nothing is silently ignored: an
// attribute or input that the op's definition does not know, and a field that this version of the format does not know, are
// refused too; metadata and documentation alone, which say nothing of what is computed, are read and left as they are. Values in a file beside the model's are read; a file that is elsewhere, or a link, is refused without being
// opened, and so is every file where the model is given as bytes. Source: onnx/docs/IR.md, onnx/docs/Operators.md.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "smpc/base/bytes.h"
#include "smpc/base/secret.h"

namespace smpc {

// In the order of Tensor::values.
enum class ElementType : std::uint8_t { f32, f64, i64, boolean };
const char* to_text(ElementType type) noexcept;

// Row-major; a scalar has no dims. As many values as the dims say; floating-point values are finite. Moves only: the
// first layer of a model on volumes is 88 MB. Weights are floating-point, and secret; integers are shapes, axes and flags.
struct Tensor {
  std::vector<std::int64_t> dims;
  std::variant<SecretVector<float>, SecretVector<double>, std::vector<std::int64_t>, std::vector<std::uint8_t>> values;

  Tensor() = default;
  Tensor(Tensor&&) noexcept = default;
  Tensor& operator=(Tensor&&) noexcept = default;
  Tensor(const Tensor&) = delete;
  Tensor& operator=(const Tensor&) = delete;
  ~Tensor() = default;

  ElementType type() const noexcept { return static_cast<ElementType>(values.index()); }
  std::size_t size() const noexcept;
};

using Attribute = std::variant<float, std::int64_t, std::string, std::vector<float>, std::vector<std::int64_t>,
                               std::vector<std::string>, Tensor>;

struct Node {
  std::string name;  // may be empty
  std::string op;
  std::vector<std::string> inputs;  // an optional input that is left out is ""
  std::vector<std::string> outputs;
  std::map<std::string, Attribute> attributes;
};

constexpr std::int64_t unknown_dim = -1;

// An input or output of the graph. Of an input, only the first dimension, the batch, may be unknown; of an output,
// any, and the shape may be missing altogether.
struct ValueInfo {
  std::string name;
  ElementType type = ElementType::f32;
  bool has_shape = true;
  std::vector<std::int64_t> dims;
  std::string batch_symbol;  // the name of an unknown first dimension, where it has one
};

struct Model {
  std::string source;  // for messages: the file
  int opset = 0;
  std::vector<Node> nodes;                  // each after those whose outputs it reads; no Constant among them
  std::map<std::string, Tensor> constants;  // initializers, also those listed as inputs, and Constant nodes
  std::vector<ValueInfo> inputs;            // those that no initializer fills
  std::vector<ValueInfo> outputs;
  std::map<std::string, std::string> metadata;
};

// Peak memory: about twice the file.
Model load_model(const std::filesystem::path& path);
Model load_model(ByteView bytes, const std::string& source);

// For messages: a name from a file, in quotes, cut short where it is very long.
std::string quote_name(std::string_view name);
// "node 'fc1' (Gemm)", or by its output where it has no name.
std::string describe(const Node& node);

}  // namespace smpc
