// ONNX's own test suite: every case whose ops are all in the list below goes through loader, compiler, interpreter and two
// parties. What is computed is the suite's output within the error that the compiler states, and the two executions agree in
// every bit. What is refused stands in refused.txt with its reason, so that no refusal can appear, or go, unnoticed.
//
// A case's first input is the client's. Its others are operands that the standard passes as inputs; they are the server's. Where
// an op takes two secrets the case runs once more, with all of them the client's.
#include <gtest/gtest.h>
#include <onnx/onnx_pb.h>

#include <cmath>
#include <fstream>
#include <iostream>
#include <map>
#include <set>

#include "smpc/base/error.h"
#include "smpc/base/file.h"
#include "smpc/compiler/compile.h"
#include "smpc/model/model.h"
#include "support/two_party.h"

namespace smpc {
namespace {

namespace fs = std::filesystem;
using onnx::ModelProto;
using onnx::TensorProto;

const fs::path suite = "/usr/share/libonnx-testdata/data";

const std::set<std::string> ops = {
    // linear
    "Conv", "ConvTranspose", "Gemm", "MatMul", "BatchNormalization", "Add", "Sub", "Mul", "Div", "ReduceMean", "ReduceSum",
    "AveragePool", "GlobalAveragePool", "Concat", "Sum", "Neg",
    // comparisons
    "Relu", "LeakyRelu", "PRelu", "Clip", "MaxPool", "GlobalMaxPool", "Max", "Min", "Abs", "ArgMax",
    // smooth
    "Sigmoid", "Tanh", "HardSigmoid", "HardSwish", "Erf", "Exp", "Softplus", "Elu", "Sqrt", "Reciprocal", "Softmax",
    "LogSoftmax", "LayerNormalization",
    // shapes
    "Reshape", "Flatten", "Transpose", "Squeeze", "Unsqueeze", "Slice", "Split", "Gather", "Pad", "Expand", "Cast", "Shape",
    "Identity", "Dropout", "Constant", "ConstantOfShape"};

template <class Proto>
Proto parsed(const fs::path& path) {
  Proto p;
  std::ifstream in(path, std::ios::binary);
  if (!p.ParseFromIstream(&in)) throw std::runtime_error(path.string() + " cannot be read");
  return p;
}

double half(std::uint16_t h) {
  const int exponent = h >> 10 & 31;
  const double size = exponent == 0 ? std::ldexp(h & 1023, -24) : std::ldexp(1024 + (h & 1023), exponent - 25);
  return h >> 15 != 0 ? -size : size;
}

std::vector<double> values_of(const TensorProto& t) {
  std::vector<double> out;
  if (t.has_raw_data()) {
    const std::string& raw = t.raw_data();
    if (t.data_type() == TensorProto::FLOAT) {
      std::vector<float> v(raw.size() / 4);
      std::memcpy(v.data(), raw.data(), v.size() * 4);
      out.assign(v.begin(), v.end());
    } else if (t.data_type() == TensorProto::DOUBLE) {
      out.resize(raw.size() / 8);
      std::memcpy(out.data(), raw.data(), out.size() * 8);
    } else if (t.data_type() == TensorProto::FLOAT16) {
      std::vector<std::uint16_t> v(raw.size() / 2);
      std::memcpy(v.data(), raw.data(), v.size() * 2);
      for (const std::uint16_t h : v) out.push_back(half(h));
    } else if (t.data_type() == TensorProto::INT64) {
      std::vector<std::int64_t> v(raw.size() / 8);
      std::memcpy(v.data(), raw.data(), v.size() * 8);
      for (const std::int64_t x : v) out.push_back(static_cast<double>(x));
    }
  } else {
    out.assign(t.float_data().begin(), t.float_data().end());
    if (t.data_type() == TensorProto::FLOAT16) {
      for (const std::int32_t h : t.int32_data()) out.push_back(half(static_cast<std::uint16_t>(h)));
    }
    if (t.data_type() == TensorProto::DOUBLE) out.assign(t.double_data().begin(), t.double_data().end());
    if (t.data_type() == TensorProto::INT64) {
      for (const std::int64_t x : t.int64_data()) out.push_back(static_cast<double>(x));
    }
  }
  return out;
}

struct Case {
  std::string name;
  ModelProto model;
  std::vector<TensorProto> inputs;
  std::vector<TensorProto> outputs;
};

bool in_the_list(const ModelProto& m) {
  for (const auto& node : m.graph().node()) {
    if (ops.count(node.op_type()) == 0 || !node.domain().empty()) return false;
  }
  return m.graph().node_size() > 0;
}

std::vector<Case> cases(const std::string& folder) {
  std::vector<fs::path> paths;
  for (const auto& entry : fs::directory_iterator(suite / folder)) paths.push_back(entry.path());
  std::sort(paths.begin(), paths.end());
  std::vector<Case> out;
  for (const fs::path& path : paths) {
    Case c;
    c.name = folder + "/" + path.filename().string();
    c.model = parsed<ModelProto>(path / "model.onnx");
    if (!in_the_list(c.model)) continue;
    const fs::path data = path / "test_data_set_0";
    for (std::size_t i = 0; fs::exists(data / ("input_" + std::to_string(i) + ".pb")); ++i) {
      c.inputs.push_back(parsed<TensorProto>(data / ("input_" + std::to_string(i) + ".pb")));
    }
    for (std::size_t i = 0; fs::exists(data / ("output_" + std::to_string(i) + ".pb")); ++i) {
      c.outputs.push_back(parsed<TensorProto>(data / ("output_" + std::to_string(i) + ".pb")));
    }
    out.push_back(std::move(c));
  }
  return out;
}

std::vector<std::string> open_inputs(const Case& c) {
  std::set<std::string> filled;
  for (const TensorProto& t : c.model.graph().initializer()) filled.insert(t.name());
  std::vector<std::string> open;
  for (const auto& in : c.model.graph().input()) {
    if (filled.count(in.name()) == 0) open.push_back(in.name());
  }
  if (open.size() > c.inputs.size()) throw std::runtime_error("fewer inputs than the model has");
  return open;
}

// The operands that the standard passes as inputs become constants, all but the first.
ModelProto bound(const Case& c) {
  ModelProto model = c.model;
  auto* graph = model.mutable_graph();
  const std::vector<std::string> open = open_inputs(c);
  std::set<std::string> constant;
  for (std::size_t i = 1; i < open.size(); ++i) {
    TensorProto t = c.inputs[i];
    t.set_name(open[i]);
    *graph->add_initializer() = t;
    constant.insert(open[i]);
  }
  if (model.ir_version() >= 4) {  // before that an initializer must be an input too
    auto* inputs = graph->mutable_input();
    for (int i = inputs->size(); i-- > 0;) {
      if (constant.count(inputs->Get(i).name()) != 0) inputs->DeleteSubrange(i, 1);
    }
  }
  return model;
}

const std::set<std::string> of_two_secrets = {"Add", "Sub", "Mul", "Div", "MatMul", "Gemm", "Max", "Min", "Sum", "Concat", "PRelu"};

bool takes_two_secrets(const Case& c) {
  if (open_inputs(c).size() < 2) return false;
  for (const TensorProto& t : c.inputs) {
    if (t.data_type() != TensorProto::FLOAT && t.data_type() != TensorProto::DOUBLE && t.data_type() != TensorProto::FLOAT16) return false;
  }
  return std::all_of(c.model.graph().node().begin(), c.model.graph().node().end(),
                     [](const auto& n) { return of_two_secrets.count(n.op_type()) != 0; });
}

struct Outcome {
  std::map<std::string, std::string> refused;
  std::size_t agreed = 0;
  double largest_part = 0;  // of the error that was stated
};

// The range of an input is that of its data, rounded outwards to quarters.
Range range_of_data(const std::vector<double>& values) {
  const auto [low, high] = std::minmax_element(values.begin(), values.end());
  Range r{std::floor(*low * 4) / 4, std::ceil(*high * 4) / 4};
  if (r.low == r.high) r.high += 0.25;
  return r;
}

void run(const Case& c, bool all_the_clients, Outcome& outcome) {
  const std::string name = c.name + (all_the_clients ? " (two secrets)" : "");
  SCOPED_TRACE(name);
  Compiled compiled;
  Network network;
  std::vector<double> values;
  try {
    if (c.inputs.empty()) fail_input("no input at all");
    const ModelProto proto = all_the_clients ? c.model : bound(c);
    const std::string bytes = proto.SerializeAsString();
    Model model = load_model(as_bytes(bytes), "model.onnx");
    CompileOptions options;
    options.reveal = Reveal::logits;
    options.suite = Suite::masked;
    for (std::size_t i = 0; i < model.inputs.size(); ++i) {
      const std::vector<double> one = values_of(c.inputs[i]);
      if (!one.empty()) options.input_ranges[model.inputs[i].name] = range_of_data(one);
      values.insert(values.end(), one.begin(), one.end());
    }
    const auto metadata = model.metadata;
    network = build_network(std::move(model));
    compiled = compile(Network(network), options, metadata);
  } catch (const Error& e) {
    EXPECT_EQ(e.kind(), ErrorKind::bad_input) << e.what();
    outcome.refused.emplace(name, e.what());
    return;
  }
  // A chain takes a batch sample by sample.
  const std::size_t n = compiled.program.whole_input();
  ASSERT_EQ(values.size() % n, 0U);
  const std::size_t volumes = values.size() / n;
  RingVector input;
  RingVector expected_output;
  std::vector<std::vector<RingVector>> reference;
  for (std::size_t v = 0; v < volumes; ++v) {
    const RingVector one = quantise(compiled.program, std::span(values).subspan(v * n, n), "the input");
    input.insert(input.end(), one.begin(), one.end());
    reference.push_back(interpret(compiled.program, compiled.weights, one));
    expected_output.insert(expected_output.end(), reference.back().back().begin(), reference.back().back().end());
  }
  const LocalRun two = testing::run_two_party(compiled.program, compiled.weights, input, volumes);
  for (std::size_t t = 0; t < two.tensors.size(); ++t) {
    RingVector all;
    for (const auto& one : reference) all.insert(all.end(), one[t].begin(), one[t].end());
    ASSERT_EQ(two.tensors[t], all) << "tensor " << t << ", of " << (t > 0 ? compiled.program.ops[t - 1].name : "the input");
  }
  ASSERT_EQ(two.output, expected_output);
  std::vector<double> y = dequantise(compiled.program.output(), two.output);
  // What ends a model is done in the clear, by whoever receives the logits.
  if (network.tail == Tail::softmax || network.tail == Tail::log_softmax) y = softmax(y);
  if (network.tail == Tail::log_softmax) std::transform(y.begin(), y.end(), y.begin(), [](double p) { return std::log(p); });
  if (network.tail == Tail::argmax) y = {static_cast<double>(std::max_element(y.begin(), y.end()) - y.begin())};
  std::vector<double> expected;
  for (const TensorProto& t : c.outputs) {
    const std::vector<double> one = values_of(t);
    expected.insert(expected.end(), one.begin(), one.end());
  }
  ASSERT_EQ(y.size(), expected.size());
  // Of a chain it is an estimate of one standard deviation, for inputs of the usual size.
  const double error = compiled.error_bound.value_or(0x1p-9);
  const bool half_precision = std::any_of(c.outputs.begin(), c.outputs.end(), [](const auto& t) { return t.data_type() == TensorProto::FLOAT16; });
  for (std::size_t i = 0; i < y.size(); ++i) {
    const double rounding = (half_precision ? 1e-3 : 1e-5) * std::max(1.0, std::abs(expected[i]));  // the suite's own
    EXPECT_NEAR(y[i], expected[i], error + rounding) << "element " << i;
    outcome.largest_part = std::max(outcome.largest_part, std::abs(y[i] - expected[i]) / (error + rounding));
  }
  // A smooth function by itself is close to float whatever is stated.
  static const std::set<std::string> smooth = {"Sigmoid", "Tanh", "Erf", "Exp", "Softplus", "Elu", "Sqrt", "Reciprocal", "HardSigmoid",
                                               "HardSwish", "Softmax", "LayerNormalization"};
  if (c.model.graph().node_size() == 1 && smooth.count(c.model.graph().node(0).op_type()) != 0 && c.outputs.size() == 1) {
    for (std::size_t i = 0; i < y.size(); ++i) EXPECT_NEAR(y[i], expected[i], 0x1p-10 * std::max(1.0, std::abs(expected[i]))) << i;
    EXPECT_LE(error, 0x1p-10 * std::max(1.0, std::abs(*std::max_element(y.begin(), y.end())))) << "what is stated";
  }
  ++outcome.agreed;
}

std::map<std::string, std::string> known_refusals(const std::string& folder) {
  std::map<std::string, std::string> out;
  std::ifstream in(SMPC_CONFORMANCE_FOLDER "/refused.txt");
  for (std::string line; std::getline(in, line);) {
    const auto tab = line.find('\t');
    if (line.rfind(folder + "/", 0) == 0 && tab != line.npos) out.emplace(line.substr(0, tab), line.substr(tab + 1));
  }
  return out;
}

class Conformance : public ::testing::TestWithParam<std::string> {};

TEST_P(Conformance, EveryCaseAgreesOrIsRefusedAsListed) {
  if (!fs::exists(suite)) GTEST_SKIP() << "ONNX's test data (package libonnx-testdata) is not installed";
  Outcome outcome;
  for (const Case& c : cases(GetParam())) {
    run(c, false, outcome);
    if (!HasFatalFailure() && takes_two_secrets(c)) run(c, true, outcome);
    if (HasFatalFailure()) return;
  }
  for (const auto& [name, reason] : outcome.refused) std::cout << name << "\t" << reason << "\n";
  std::cout << GetParam() << ": " << outcome.agreed << " cases agree, with at most " << outcome.largest_part
            << " of the stated error; " << outcome.refused.size() << " are refused\n";
  EXPECT_EQ(outcome.refused, known_refusals(GetParam()));
  EXPECT_GT(outcome.agreed, 0U);
}

INSTANTIATE_TEST_SUITE_P(Onnx, Conformance, ::testing::Values("node", "pytorch-converted", "pytorch-operator", "simple"),
                         [](const auto& given) {
                           std::string name = given.param;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

}  // namespace
}  // namespace smpc
