// ONNX files made in code.
#pragma once

#include <gtest/gtest.h>
#include <onnx/onnx_pb.h>

#include <cstring>
#include <string>
#include <vector>

#include "smpc/base/bytes.h"
#include "smpc/base/error.h"
#include "smpc/model/model.h"

namespace smpc::test {

using Names = std::vector<std::string>;
using Dims = std::vector<std::int64_t>;

inline Bytes bytes_of(const onnx::ModelProto& model) {
  const std::string text = model.SerializeAsString();
  const ByteView view = as_bytes(text);
  return {view.begin(), view.end()};
}

inline Bytes public_bytes(ByteView bytes) { return {bytes.begin(), bytes.end()}; }

struct OnnxBuilder {
  explicit OnnxBuilder(int opset = 13, int ir = 7) {
    model.set_ir_version(ir);
    model.set_producer_name("test");
    auto& import = *model.add_opset_import();
    import.set_domain("");
    import.set_version(opset);
    graph().set_name("graph");
  }

  onnx::GraphProto& graph() { return *model.mutable_graph(); }

  // -1: a symbolic dimension.
  static void set_type(onnx::ValueInfoProto& v, const std::string& name, const Dims& dims, int type) {
    v.set_name(name);
    auto& tensor = *v.mutable_type()->mutable_tensor_type();
    tensor.set_elem_type(type);
    auto& shape = *tensor.mutable_shape();
    for (const auto d : dims) {
      if (d == -1) {
        shape.add_dim()->set_dim_param("batch");
      } else {
        shape.add_dim()->set_dim_value(d);
      }
    }
  }
  void input(const std::string& name, const Dims& dims, int type = onnx::TensorProto::FLOAT) {
    set_type(*graph().add_input(), name, dims, type);
  }
  void output(const std::string& name, const Dims& dims, int type = onnx::TensorProto::FLOAT) {
    set_type(*graph().add_output(), name, dims, type);
  }

  static void fill(onnx::TensorProto& t, const Dims& dims, const std::vector<float>& values, bool raw) {
    t.set_data_type(onnx::TensorProto::FLOAT);
    for (const auto d : dims) t.add_dims(d);
    if (raw) {
      t.set_raw_data(values.data(), values.size() * sizeof(float));
    } else {
      for (const float v : values) t.add_float_data(v);
    }
  }
  onnx::TensorProto& weights(const std::string& name, const Dims& dims, const std::vector<float>& values,
                             bool raw = true) {
    auto& t = *graph().add_initializer();
    t.set_name(name);
    fill(t, dims, values, raw);
    return t;
  }
  onnx::TensorProto& ints(const std::string& name, const std::vector<std::int64_t>& values) {
    auto& t = *graph().add_initializer();
    t.set_name(name);
    t.set_data_type(onnx::TensorProto::INT64);
    t.add_dims(static_cast<std::int64_t>(values.size()));
    for (const auto v : values) t.add_int64_data(v);
    return t;
  }

  onnx::NodeProto& node(const std::string& op, const Names& inputs, const Names& outputs,
                        const std::string& name = "") {
    auto& n = *graph().add_node();
    n.set_op_type(op);
    n.set_name(name);
    for (const auto& i : inputs) n.add_input(i);
    for (const auto& o : outputs) n.add_output(o);
    return n;
  }
  static onnx::AttributeProto& attribute(onnx::NodeProto& n, const std::string& name,
                                         onnx::AttributeProto::AttributeType type) {
    auto& a = *n.add_attribute();
    a.set_name(name);
    a.set_type(type);
    return a;
  }
  static void set_int(onnx::NodeProto& n, const std::string& name, std::int64_t v) {
    attribute(n, name, onnx::AttributeProto::INT).set_i(v);
  }
  static void set_float(onnx::NodeProto& n, const std::string& name, float v) {
    attribute(n, name, onnx::AttributeProto::FLOAT).set_f(v);
  }

  Bytes bytes() const { return bytes_of(model); }
  Model load() const { return load_model(bytes(), "m.onnx"); }

  onnx::ModelProto model;
};

// x [batch, 2, 2] -> Flatten -> Gemm (transB) -> Relu -> MatMul with a Constant node -> y [batch, 2]
inline OnnxBuilder small_mlp(int opset = 13, int ir = 7) {
  OnnxBuilder b(opset, ir);
  b.input("x", {-1, 2, 2});
  b.node("Flatten", {"x"}, {"flat"}, "flatten");
  auto& gemm = b.node("Gemm", {"flat", "w1", "b1"}, {"h"}, "fc1");
  OnnxBuilder::set_int(gemm, "transB", 1);
  b.node("Relu", {"h"}, {"r"}, "relu");
  auto& constant = b.node("Constant", {}, {"w2"}, "constant");
  OnnxBuilder::fill(*OnnxBuilder::attribute(constant, "value", onnx::AttributeProto::TENSOR).mutable_t(), {3, 2},
                    {0.5F, -0.25F, 1.5F, 2.5F, -3.5F, 0.125F}, false);
  b.node("MatMul", {"r", "w2"}, {"y"}, "fc2");
  b.weights("w1", {3, 4}, {1.25F, 2.25F, 3.25F, 4.25F, 5.25F, 6.25F, 7.25F, 8.25F, 9.25F, 10.25F, 11.25F, 12.25F});
  b.weights("b1", {3}, {0.375F, -0.625F, 0.875F}, false);
  b.output("y", {-1, 2});
  if (ir < 4) {
    b.input("w1", {3, 4});
    b.input("b1", {3});
  }
  return b;
}

// The one-line error of whatever `run` refuses.
template <class Run>
std::string error_of(Run run) {
  try {
    run();
  } catch (const Error& e) {
    EXPECT_EQ(e.kind(), ErrorKind::bad_input);
    EXPECT_EQ(std::string(e.what()).find('\n'), std::string::npos);
    return e.what();
  }
  ADD_FAILURE() << "nothing was refused";
  return {};
}

inline std::string load_error(const OnnxBuilder& b) {
  return error_of([&] { b.load(); });
}

inline ::testing::AssertionResult has(const std::string& text, const Names& parts) {
  for (const auto& p : parts) {
    if (text.find(p) == std::string::npos) return ::testing::AssertionFailure() << "no \"" << p << "\" in: " << text;
  }
  return ::testing::AssertionSuccess();
}

}  // namespace smpc::test
