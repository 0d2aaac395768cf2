#include <filesystem>
#include <fstream>

#include "onnx_builder.h"
#include "smpc/model/model.h"

namespace smpc::test {
namespace {

const SecretVector<float>& floats(const Model& m, const std::string& name) {
  return std::get<SecretVector<float>>(m.constants.at(name).values);
}

void expect_small_mlp(const Model& m) {
  ASSERT_EQ(m.nodes.size(), 4U);
  EXPECT_EQ(m.nodes[0].op, "Flatten");
  EXPECT_EQ(m.nodes[1].name, "fc1");
  EXPECT_EQ(m.nodes[1].inputs, (Names{"flat", "w1", "b1"}));
  EXPECT_EQ(m.nodes[1].outputs, Names{"h"});
  EXPECT_EQ(std::get<std::int64_t>(m.nodes[1].attributes.at("transB")), 1);
  EXPECT_EQ(m.nodes[3].op, "MatMul");
  ASSERT_EQ(m.inputs.size(), 1U);
  EXPECT_EQ(m.inputs[0].name, "x");
  EXPECT_EQ(m.inputs[0].dims, (Dims{unknown_dim, 2, 2}));
  EXPECT_EQ(m.inputs[0].batch_symbol, "batch");
  ASSERT_EQ(m.outputs.size(), 1U);
  EXPECT_EQ(m.outputs[0].dims, (Dims{unknown_dim, 2}));
  ASSERT_EQ(m.constants.size(), 3U);
  EXPECT_EQ(m.constants.at("w1").dims, (Dims{3, 4}));
  EXPECT_EQ(floats(m, "w1")[11], 12.25F);
  EXPECT_EQ(floats(m, "b1"), (SecretVector<float>{0.375F, -0.625F, 0.875F}));
  EXPECT_EQ(m.constants.at("w2").dims, (Dims{3, 2}));
  EXPECT_EQ(floats(m, "w2"), (SecretVector<float>{0.5F, -0.25F, 1.5F, 2.5F, -3.5F, 0.125F}));
}

class EveryOpset : public ::testing::TestWithParam<int> {};

TEST_P(EveryOpset, LoadsWithItsIrVersion) {
  const int opset = GetParam();
  for (const int ir : {3, 4, 5, 6, 7, 8, 9}) {
    const Model m = small_mlp(opset, ir).load();
    EXPECT_EQ(m.opset, opset);
    expect_small_mlp(m);
  }
}

INSTANTIATE_TEST_SUITE_P(Load, EveryOpset, ::testing::Values(7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22));

TEST(Load, Opset6) {
  OnnxBuilder b(6, 3);
  b.input("x", {1, 4});
  b.node("Relu", {"x"}, {"y"});
  b.output("y", {1, 4});
  EXPECT_EQ(b.load().opset, 6);
}

TEST(Load, FromAFileAsFromBytes) {
  const auto path = std::filesystem::path(::testing::TempDir()) / "smpc_load_test.onnx";
  const OnnxBuilder b = small_mlp();
  {
    const std::string text(as_text(b.bytes()));
    std::ofstream(path, std::ios::binary) << text;
  }
  expect_small_mlp(load_model(path));
  std::filesystem::remove(path);
}

TEST(Load, NoSuchFileOrAFolder) {
  EXPECT_TRUE(has(error_of([] { load_model(std::filesystem::path("/nonexistent.onnx")); }), {"/nonexistent.onnx"}));
  EXPECT_TRUE(has(error_of([] { load_model(std::filesystem::path(::testing::TempDir())); }), {"folder"}));
}

TEST(Load, DoubleAndBoolAndInt64) {
  OnnxBuilder b;
  b.input("x", {1, 2});
  b.node("Relu", {"x"}, {"y"});
  b.output("y", {1, 2});
  auto& d = *b.graph().add_initializer();
  d.set_name("d");
  d.set_data_type(onnx::TensorProto::DOUBLE);
  d.add_dims(2);
  d.add_double_data(1e300);
  d.add_double_data(-0.5);
  auto& raw = *b.graph().add_initializer();
  raw.set_name("raw");
  raw.set_data_type(onnx::TensorProto::INT64);
  raw.add_dims(1);
  const std::int64_t v = -7;
  raw.set_raw_data(&v, sizeof v);
  auto& flag = *b.graph().add_initializer();
  flag.set_name("flag");
  flag.set_data_type(onnx::TensorProto::BOOL);
  flag.add_int32_data(1);
  const Model m = b.load();
  EXPECT_EQ(std::get<SecretVector<double>>(m.constants.at("d").values), (SecretVector<double>{1e300, -0.5}));
  EXPECT_EQ(std::get<std::vector<std::int64_t>>(m.constants.at("raw").values), (std::vector<std::int64_t>{-7}));
  EXPECT_EQ(std::get<std::vector<std::uint8_t>>(m.constants.at("flag").values), (std::vector<std::uint8_t>{1}));
  EXPECT_TRUE(m.constants.at("flag").dims.empty());
}

TEST(Load, ConstantNodesOfEveryKind) {
  OnnxBuilder b;
  b.input("x", {1, 2});
  OnnxBuilder::set_float(b.node("Constant", {}, {"f"}), "value_float", 2.5F);
  OnnxBuilder::set_int(b.node("Constant", {}, {"i"}), "value_int", 5);
  auto& fs = OnnxBuilder::attribute(b.node("Constant", {}, {"fs"}), "value_floats", onnx::AttributeProto::FLOATS);
  fs.add_floats(1);
  fs.add_floats(3);
  auto& is = OnnxBuilder::attribute(b.node("Constant", {}, {"is"}), "value_ints", onnx::AttributeProto::INTS);
  is.add_ints(4);
  b.node("Relu", {"x"}, {"y"});
  b.output("y", {1, 2});
  const Model m = b.load();
  EXPECT_EQ(m.nodes.size(), 1U);
  EXPECT_EQ(floats(m, "f"), SecretVector<float>{2.5F});
  EXPECT_TRUE(m.constants.at("f").dims.empty());
  EXPECT_EQ(floats(m, "fs"), (SecretVector<float>{1, 3}));
  EXPECT_EQ(m.constants.at("fs").dims, Dims{2});
  EXPECT_EQ(std::get<std::vector<std::int64_t>>(m.constants.at("i").values), std::vector<std::int64_t>{5});
  EXPECT_EQ(std::get<std::vector<std::int64_t>>(m.constants.at("is").values), std::vector<std::int64_t>{4});
}

TEST(Load, Metadata) {
  OnnxBuilder b = small_mlp();
  auto& p = *b.model.add_metadata_props();
  p.set_key("smpc.labels");
  p.set_value("[\"a\", \"b\"]");
  EXPECT_EQ(b.load().metadata.at("smpc.labels"), "[\"a\", \"b\"]");
}

TEST(Load, AnotherDomainImportedButNotUsed) {
  OnnxBuilder b = small_mlp();
  auto& import = *b.model.add_opset_import();
  import.set_domain("ai.onnx.ml");
  import.set_version(1);
  EXPECT_EQ(b.load().opset, 13);
}

}  // namespace
}  // namespace smpc::test
