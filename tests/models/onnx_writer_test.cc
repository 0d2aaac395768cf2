#include "onnx_writer.h"

#include <gtest/gtest.h>
#include <onnx/checker.h>
#include <onnx/onnx_pb.h>

#include <cstring>
#include <map>
#include <nlohmann/json.hpp>

#include "volume.h"

namespace smpc::demo {
namespace {

class OnnxWriter : public ::testing::Test {
 protected:
  // One model for all cases: it is large.
  static void SetUpTestSuite() {
    table() = networks();
    brain() = brain_voxels();
    Random random(5, 5);
    mlp() = initial_mlp(static_cast<Eigen::Index>(brain().size()), random);
    for (Layer& layer : mlp().layers) layer.bias.setLinSpaced(-1, 1);
    ASSERT_TRUE(model().ParseFromString(onnx_model(mlp(), brain(), table())));
  }
  static void TearDownTestSuite() {
    model().Clear();
    mlp() = {};
  }
  static onnx::ModelProto& model() {
    static onnx::ModelProto value;
    return value;
  }
  static Mlp& mlp() {
    static Mlp value;
    return value;
  }
  static std::vector<std::uint32_t>& brain() {
    static std::vector<std::uint32_t> value;
    return value;
  }
  static std::vector<Network>& table() {
    static std::vector<Network> value;
    return value;
  }

  static std::vector<float> values(const std::string& name, std::vector<std::int64_t> shape) {
    for (const onnx::TensorProto& tensor : model().graph().initializer()) {
      if (tensor.name() != name) continue;
      EXPECT_EQ(tensor.data_type(), onnx::TensorProto::FLOAT);
      EXPECT_EQ(std::vector<std::int64_t>(tensor.dims().begin(), tensor.dims().end()), shape);
      std::vector<float> out(tensor.raw_data().size() / 4);
      std::memcpy(out.data(), tensor.raw_data().data(), tensor.raw_data().size());
      return out;
    }
    ADD_FAILURE() << "no initializer " << name;
    return {};
  }
};

TEST_F(OnnxWriter, PassesOnnxsOwnChecker) { EXPECT_NO_THROW(onnx::checker::check_model(model())); }

TEST_F(OnnxWriter, HasTheGraphThatIsPromised) {
  ASSERT_EQ(model().opset_import_size(), 1);
  EXPECT_EQ(model().opset_import(0).version(), 13);
  const onnx::GraphProto& graph = model().graph();
  std::string types;
  for (const onnx::NodeProto& node : graph.node()) types += node.op_type() + " ";
  EXPECT_EQ(types, "Flatten Gemm Relu Gemm Relu Gemm Relu Gemm ");
  ASSERT_EQ(graph.input_size(), 1);
  EXPECT_EQ(graph.input(0).name(), "volume");
  const onnx::TensorShapeProto& shape = graph.input(0).type().tensor_type().shape();
  ASSERT_EQ(shape.dim_size(), 4);
  EXPECT_EQ(shape.dim(0).dim_param(), "N");
  EXPECT_EQ(shape.dim(1).dim_value(), 45);
  EXPECT_EQ(shape.dim(2).dim_value(), 54);
  EXPECT_EQ(shape.dim(3).dim_value(), 45);
  ASSERT_EQ(graph.output_size(), 1);
  EXPECT_EQ(graph.output(0).name(), "logits");
  EXPECT_EQ(graph.output(0).type().tensor_type().shape().dim(1).dim_value(), 58);
}

TEST_F(OnnxWriter, HoldsTheWeightsInTheOrderOfTheGrid) {
  const std::vector<float> first = values("fc1.weight", {200, 109350});
  EXPECT_EQ(first, spread_weights(mlp().layers[0].weight, brain()));
  const std::vector<std::vector<std::int64_t>> shapes{{200, 109350}, {200, 200}, {200, 200}, {58, 200}};
  for (std::size_t n = 1; n < layer_count; ++n) {
    const std::string name = "fc" + std::to_string(n + 1);
    const Layer& layer = mlp().layers[n];
    const std::vector<float> weight = values(name + ".weight", shapes[n]);
    EXPECT_TRUE(
        std::equal(weight.begin(), weight.end(), layer.weight.data(), layer.weight.data() + layer.weight.size()));
    const std::vector<float> bias = values(name + ".bias", {shapes[n][0]});
    EXPECT_TRUE(std::equal(bias.begin(), bias.end(), layer.bias.data(), layer.bias.data() + layer.bias.size()));
  }
}

TEST_F(OnnxWriter, TellsLabelsGridRangeAndRootMeanSquare) {
  std::map<std::string, nlohmann::json> metadata;
  for (const onnx::StringStringEntryProto& entry : model().metadata_props()) {
    metadata[entry.key()] = nlohmann::json::parse(entry.value());
  }
  ASSERT_EQ(metadata.size(), 4U);
  ASSERT_EQ(metadata["smpc.labels"].size(), 58U);
  for (std::size_t n = 0; n < table().size(); ++n) EXPECT_EQ(metadata["smpc.labels"][n], table()[n].name);
  EXPECT_EQ(metadata["smpc.grid"], nlohmann::json::parse(R"({"shape":[45,54,45],
      "affine":[[-4,0,0,90],[0,4,0,-126],[0,0,4,-72],[0,0,0,1]]})"));
  EXPECT_EQ(metadata["smpc.input-range"], 32);
  EXPECT_EQ(metadata["smpc.input-rms"], 1);
}

}  // namespace
}  // namespace smpc::demo
