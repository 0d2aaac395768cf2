// Ops of opsets that the library's schemas do not reach, by https://github.com/onnx/onnx/blob/main/docs/Changelog.md.
//
// Listed is what was new or took other inputs, outputs or attributes. Opsets 18 to 22 changed other ops too, but in the types
// of their elements alone (bfloat16, float8, int4), which check_tensor and check_graph refuse by themselves: of
//   19  Constant, Equal, Identity, If, Loop, Reshape, Scan, Shape, Size
//   20  ConstantOfShape, IsInf, IsNaN
//   21  Constant, ConstantOfShape, Flatten, Identity, If, Loop, QLinearMatMul, Reshape, Scan, Shape, Size, Squeeze, Transpose,
//       Unsqueeze
//   22  Acos to Tan, Bernoulli, Conv, ConvTranspose, Det, Dropout, Elu, EyeLike, the global pools, HardSigmoid, HardSwish,
//       InstanceNormalization, GRU, LSTM and RNN, MaxPool, Round, Selu, Softplus and others.
#include <algorithm>
#include <array>
#include <iterator>

#include "proto.h"
#include "smpc/base/error.h"

namespace smpc {
namespace {

using onnx::AttributeProto;

constexpr int any = INT32_MAX;

struct Row {
  std::string_view op;
  int since;
  std::array<int, 2> inputs;  // at least, at most
  std::array<int, 2> outputs;
  // Each with its type: f, i or s for one float, integer or text, I for integers; ! where it must be there.
  std::string_view attributes;
};

constexpr std::string_view reduced = "keepdims:i noop_with_empty_axes:i";
constexpr std::string_view pooled = "auto_pad:s ceil_mode:i dilations:I kernel_shape:I! p:i pads:I strides:I";
constexpr std::string_view resized =
    "antialias:i axes:I coordinate_transformation_mode:s cubic_coeff_a:f exclude_outside:i extrapolation_value:f "
    "keep_aspect_ratio_policy:s mode:s nearest_mode:s";

// Those of one op in the order of their opsets.
constexpr Row rows[] = {
    {"AffineGrid", 20, {2, 2}, {1, 1}, "align_corners:i"},
    {"AveragePool", 19, {1, 1}, {1, 1}, "auto_pad:s ceil_mode:i count_include_pad:i dilations:I kernel_shape:I! pads:I strides:I"},
    {"BitwiseAnd", 18, {2, 2}, {1, 1}, ""},
    {"BitwiseNot", 18, {1, 1}, {1, 1}, ""},
    {"BitwiseOr", 18, {2, 2}, {1, 1}, ""},
    {"BitwiseXor", 18, {2, 2}, {1, 1}, ""},
    {"Cast", 19, {1, 1}, {1, 1}, "saturate:i to:i!"},
    {"CastLike", 19, {2, 2}, {1, 1}, "saturate:i"},
    {"CenterCropPad", 18, {2, 2}, {1, 1}, "axes:I"},
    {"Col2Im", 18, {3, 3}, {1, 1}, "dilations:I pads:I strides:I"},
    {"DFT", 20, {1, 3}, {1, 1}, "inverse:i onesided:i"},
    {"DeformConv", 19, {3, 5}, {1, 1}, "dilations:I group:i kernel_shape:I offset_group:i pads:I strides:I"},
    {"DequantizeLinear", 19, {2, 3}, {1, 1}, "axis:i"},
    {"DequantizeLinear", 21, {2, 3}, {1, 1}, "axis:i block_size:i"},
    {"Gelu", 20, {1, 1}, {1, 1}, "approximate:s"},
    {"GridSample", 20, {2, 2}, {1, 1}, "align_corners:i mode:s padding_mode:s"},
    {"GroupNormalization", 18, {3, 3}, {1, 1}, "epsilon:f num_groups:i!"},
    {"GroupNormalization", 21, {3, 3}, {1, 1}, "epsilon:f num_groups:i! stash_type:i"},
    {"ImageDecoder", 20, {1, 1}, {1, 1}, "pixel_format:s"},
    {"LpPool", 18, {1, 1}, {1, 1}, pooled},
    {"Mish", 18, {1, 1}, {1, 1}, ""},
    {"OptionalGetElement", 18, {1, 1}, {1, 1}, ""},
    {"OptionalHasElement", 18, {0, 1}, {1, 1}, ""},
    {"Pad", 18, {2, 4}, {1, 1}, "mode:s"},
    {"QuantizeLinear", 19, {2, 3}, {1, 1}, "axis:i saturate:i"},
    {"QuantizeLinear", 21, {2, 3}, {1, 1}, "axis:i block_size:i output_dtype:i saturate:i"},
    {"ReduceL1", 18, {1, 2}, {1, 1}, reduced},
    {"ReduceL2", 18, {1, 2}, {1, 1}, reduced},
    {"ReduceLogSum", 18, {1, 2}, {1, 1}, reduced},
    {"ReduceLogSumExp", 18, {1, 2}, {1, 1}, reduced},
    {"ReduceMax", 18, {1, 2}, {1, 1}, reduced},
    {"ReduceMean", 18, {1, 2}, {1, 1}, reduced},
    {"ReduceMin", 18, {1, 2}, {1, 1}, reduced},
    {"ReduceProd", 18, {1, 2}, {1, 1}, reduced},
    {"ReduceSumSquare", 18, {1, 2}, {1, 1}, reduced},
    {"RegexFullMatch", 20, {1, 1}, {1, 1}, "pattern:s"},
    {"Resize", 18, {1, 4}, {1, 1}, resized},
    {"ScatterElements", 18, {3, 3}, {1, 1}, "axis:i reduction:s"},
    {"ScatterND", 18, {3, 3}, {1, 1}, "reduction:s"},
    {"Split", 18, {1, 2}, {1, any}, "axis:i num_outputs:i"},
    {"StringConcat", 20, {2, 2}, {1, 1}, ""},
    {"StringSplit", 20, {1, 1}, {2, 2}, "delimiter:s maxsplit:i"},
};

AttributeProto::AttributeType type_of(char letter) {
  switch (letter) {
    case 'f': return AttributeProto::FLOAT;
    case 'i': return AttributeProto::INT;
    case 's': return AttributeProto::STRING;
    default: SMPC_CHECK(letter == 'I'); return AttributeProto::INTS;
  }
}

OpDefinition definition_of(const Row& row) {
  OpDefinition out{row.inputs, row.outputs, {}};
  std::string_view left = row.attributes;
  while (!left.empty()) {
    const std::size_t end = std::min(left.find(' '), left.size());
    const std::string_view entry = left.substr(0, end);
    const std::size_t colon = entry.find(':');
    out.attributes[std::string(entry.substr(0, colon))] = {type_of(entry[colon + 1]), entry.back() == '!'};
    left.remove_prefix(std::min(end + 1, left.size()));
  }
  return out;
}

}  // namespace

std::optional<OpDefinition> newer_definition(const std::string& op, int opset) {
  const Row* found = nullptr;
  for (const Row& row : rows) {
    if (row.op == op && row.since <= opset) found = &row;
  }
  if (found == nullptr) return std::nullopt;
  return definition_of(*found);
}

bool is_newer_op(const std::string& op) {
  return std::any_of(std::begin(rows), std::end(rows), [&](const Row& row) { return row.op == op; });
}

}  // namespace smpc
