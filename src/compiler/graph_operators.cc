// The table of ONNX's ops: who takes each, what it becomes, and what of its attributes and inputs is supported. An attribute
// that a handler does not take is refused by name, so the table cannot promise more than there is.
#include <cmath>

#include "graph_builder.h"

namespace smpc {
namespace {

constexpr const char* every = "all";
constexpr const char* known_values = "a constant";

}  // namespace

const std::map<std::string, GraphBuilder::Operator>& GraphBuilder::table() {
  using B = GraphBuilder;
  static const std::map<std::string, Operator> all = {
      {"Abs", {&B::abs, "a comparison", {}}},
      {"Add", {&B::arithmetic, "a sum; a constant goes into the bias of a linear map before it", {{"axis, broadcast", "opset 6: all"}}}},
      {"ArgMax", {&B::arg_max, "at the end, on one row: the label, or what it is taken of. Elsewhere a tournament of comparisons and products",
                  {{"axis, keepdims, select_last_index", "all"}}}},
      {"AveragePool", {&B::average_pool, "sums, times public factors",
                       {{"kernel_shape, strides, pads, auto_pad, ceil_mode, count_include_pad", every}, {"dilations", "from opset 19 on: all"}}}},
      {"BatchNormalization", {&B::batch_normalization, "into the linear map before it, else a map of its own",
                              {{"epsilon, momentum", "all"}, {"spatial", "1"}, {"is_test", "1"}, {"training_mode", "0"},
                               {"scale, B, mean, var", known_values}}}},
      {"Cast", {&B::pass_on, "nothing", {{"to", "FLOAT, DOUBLE, FLOAT16; of known integers INT64, INT32 too; of an ArgMax at the end also INT32, INT64, UINT32, UINT64"}, {"saturate", "all"}}}},
      {"Clip", {&B::clip, "up to two comparisons", {{"min, max", known_values}}}},
      {"Concat", {&B::concat, "moves", {{"axis", "all"}}}},
      {"ConstantOfShape", {&B::constant_of_shape, "a constant", {{"value", "one number"}, {"input", known_values}}}},
      {"Conv", {&B::conv, "a convolution of one to three dimensions",
                {{"kernel_shape, strides, pads, dilations, auto_pad, group", every}, {"W, B", known_values}}}},
      {"ConvTranspose", {&B::conv_transpose, "a convolution of one to three dimensions with zeros between the input's elements",
                         {{"kernel_shape, strides, pads, dilations, auto_pad, group, output_padding, output_shape", "all; three dimensions with a batch of one"},
                          {"W, B", known_values}}}},
      {"Div", {&B::arithmetic, "times the reciprocal, which is computed for a divisor that is", {{"axis, broadcast", "opset 6: all"}, {"B", "of one sign"}}}},
      {"Dropout", {&B::dropout, "nothing", {{"ratio, seed", "all"}, {"is_test", "1"}, {"training_mode", "false"}, {"mask", "not computed"}}}},
      {"Elu", {&B::smooth, "a spline", {{"alpha", "all"}}}},
      {"Erf", {&B::smooth, "a spline", {}}},
      {"Exp", {&B::smooth, "a spline", {}}},
      {"Expand", {&B::expand, "moves", {{"shape", known_values}}}},
      {"Flatten", {&B::flatten, "nothing", {{"axis", "all"}}}},
      {"Gather", {&B::gather, "moves", {{"axis", "all"}, {"indices", known_values}}}},
      {"Gelu", {&B::gelu, "a spline and products", {{"approximate", "all"}}}},
      {"Gemm", {&B::gemm, "a linear map, or a product of two secrets", {{"alpha, beta, transA, transB, broadcast", "all"}}}},
      {"GlobalAveragePool", {&B::global_average_pool, "sums, times a public factor", {}}},
      {"GlobalMaxPool", {&B::global_max_pool, "comparisons", {}}},
      {"HardSigmoid", {&B::hard_sigmoid, "two comparisons", {{"alpha, beta", "all"}}}},
      {"HardSwish", {&B::hard_swish, "two comparisons and a product", {}}},
      {"Identity", {&B::pass_on, "nothing", {}}},
      {"LRN", {&B::lrn, "a product, sums, a power and a product", {{"size, alpha, beta, bias", "all; bias above 0"}}}},
      {"LayerNormalization", {&B::layer_normalization, "products and a spline",
                              {{"axis, epsilon", "all"}, {"stash_type", "1"}, {"Mean, InvStdDev", "computed where they are read"}}}},
      {"LeakyRelu", {&B::leaky_relu, "a comparison", {{"alpha", "all; public"}}}},
      {"LogSoftmax", {&B::softmax, "at the end alone, on one row: in the clear, by whoever receives the logits", {{"axis", "all"}}}},
      {"MatMul", {&B::mat_mul, "a linear map, or a product of two secrets; batched too", {}}},
      {"Max", {&B::extreme, "a comparison for each input but one", {}}},
      {"MaxPool", {&B::max_pool, "comparisons, before a ReLU that it follows",
                   {{"kernel_shape, strides, pads, dilations, auto_pad, ceil_mode", "at most 256 elements along an axis, or all of it"},
                    {"storage_order", "all"}, {"Indices", "not computed"}}}},
      {"Min", {&B::extreme, "a comparison for each input but one", {}}},
      {"Mul", {&B::arithmetic, "a linear map, or a product of two secrets", {{"axis, broadcast", "opset 6: all"}}}},
      {"Neg", {&B::neg, "a sum", {}}},
      {"PRelu", {&B::p_relu, "a comparison and a linear map, or a product", {}}},
      {"Pad", {&B::pad, "moves", {{"mode", "constant, reflect, edge"}, {"pads, constant_value, axes", known_values}}}},
      {"Pow", {&B::pow, "products, or as Sqrt and Reciprocal", {{"exponent", "-1, -0.5, 0.5, 1, 2 or 3"}}}},
      {"Range", {&B::range, "a constant", {{"start, limit, delta", known_values}}}},
      {"Reciprocal", {&B::reciprocal, "a spline, scaled by the power of two that an input lies above", {{"X", "of one sign by its bounds"}}}},
      {"ReduceMean", {&B::reduce, "sums, times a public factor", {{"axes, keepdims, noop_with_empty_axes", "all"}}}},
      {"ReduceSum", {&B::reduce, "sums", {{"axes, keepdims, noop_with_empty_axes", "all"}}}},
      {"Relu", {&B::relu, "a comparison", {}}},
      {"Reshape", {&B::reshape, "nothing", {{"shape", known_values}, {"allowzero", "all"}}}},
      {"Shape", {&B::shape_of, "a constant", {{"start, end", "all"}}}},
      {"Sigmoid", {&B::smooth, "a spline", {}}},
      {"Slice", {&B::slice, "moves", {{"starts, ends, axes, steps", known_values}}}},
      {"Softmax", {&B::softmax, "at the end, on one row: in the clear, by whoever receives the logits. Elsewhere comparisons, splines and a product",
                   {{"axis", "all"}}}},
      {"Softplus", {&B::smooth, "a spline", {}}},
      {"Split", {&B::split, "moves", {{"axis, num_outputs", "all"}, {"split", known_values}}}},
      {"Sqrt", {&B::sqrt, "a spline, scaled by the power of two that an input lies above", {{"X", "not negative by its bounds"}}}},
      {"Squeeze", {&B::squeeze, "nothing", {{"axes", known_values}}}},
      {"Sub", {&B::arithmetic, "a sum", {{"axis, broadcast", "opset 6: all"}}}},
      {"Sum", {&B::sum, "a sum", {}}},
      {"Tanh", {&B::smooth, "a spline", {}}},
      {"Transpose", {&B::transpose, "moves", {{"perm", "all"}}}},
      {"Unsqueeze", {&B::unsqueeze, "nothing", {{"axes", known_values}}}},
  };
  return all;
}

std::vector<OperatorRow> GraphBuilder::operators() {
  std::vector<OperatorRow> out;
  for (const auto& [op, entry] : table()) {
    OperatorRow& row = out.emplace_back();
    row.op = op;
    row.computed = entry.computed;
    row.supported.assign(entry.supported.begin(), entry.supported.end());
  }
  return out;
}

std::vector<OperatorRow> operators() { return GraphBuilder::operators(); }

std::vector<FunctionPromise> function_promises() {
  constexpr double small = 0x1p-12;
  return {{"Sigmoid, Tanh, Erf, Softplus", small, 0, ""},
          {"Elu", small, 0, "whatever alpha is"},
          {"Exp", small, small, ""},
          {"Sqrt, Reciprocal, Pow", small, small, "exponents -1, -0.5 and 0.5; others are products"},
          {"Div by what is computed", small, small, "of the reciprocal, times the dividend"},
          {"Softmax", 0x1p-11, 0, "where it is not at the end"},
          {"LRN", small, 0x1p-10, "of what x is multiplied by, times x"},
          {"LayerNormalization", 0x1p-11, 0x1p-11,
           "before scale and bias: (1 + \\|y\\|) / sqrt(variance + epsilon) times two last bits of x and 2^-15 of the mean"}};
}

std::string operators_markdown() {
  std::string out =
      "# Operators\n\n"
      "ONNX's ops that the compiler takes, of opsets 6 to 22, beside Constant. Printed by `smpc-compile --operators`. \"A constant\"\n"
      "may be computed from constants; where nothing is said of an op's inputs, each may be a constant or computed. An attribute that\n"
      "is not listed, or a value of one, is refused by name. Linear maps and products cost what their inputs do; a comparison,\n"
      "a spline or a product costs messages too (`--explain`).\n\n"
      "| op | computed as | attributes and inputs | supported |\n|---|---|---|---|\n";
  for (const OperatorRow& row : operators()) {
    std::string names = row.supported.empty() ? "" : row.supported.front().first;
    std::string what = row.supported.empty() ? "" : row.supported.front().second;
    out += "| " + row.op + " | " + row.computed + " | " + names + " | " + what + " |\n";
    for (std::size_t i = 1; i < row.supported.size(); ++i) {
      out += "| | | " + row.supported[i].first + " | " + row.supported[i].second + " |\n";
    }
  }
  out +=
      "\n## How exact\n\n"
      "Values have 16 fractional bits, 20 in a graph with a power or a LayerNormalization, and fewer where their range leaves no room\n"
      "for as many; a spline reads 16 at most. Sums, moves and comparisons are exact. Weights, biases and factors that are not whole\n"
      "are rounded, factors to 15 bits, and so is what a product gives before it is multiplied again. A smooth function of the value\n"
      "that it reads, as it is in fixed point, is within absolute + relative |y| of exact arithmetic, over every range that compiles:\n\n"
      "| op | absolute | relative | |\n|---|---|---|---|\n";
  const auto power = [](double v) { return v > 0 ? "2^" + std::to_string(std::ilogb(v)) : std::string("0"); };
  for (const FunctionPromise& p : function_promises()) {
    out += "| " + p.op + " | " + power(p.absolute) + " | " + power(p.relative) + " | " + p.beside + " |\n";
  }
  out +=
      "\nThe rounding of the value itself comes on top, times the function's slope there: y of the last bit for Exp, y^2 for Reciprocal,\n"
      "so that what is large keeps as many digits as its argument has. `--explain` bounds all of it together.\n";
  return out;
}

std::vector<NodeCheck> check_nodes(Model&& model) { return GraphBuilder(std::move(model)).check(); }

}  // namespace smpc
