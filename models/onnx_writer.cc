#include "onnx_writer.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <onnx/onnx_pb.h>

#include <bit>
#include <nlohmann/json.hpp>
#include <vector>

#include "smpc/base/error.h"
#include "volume.h"

namespace smpc::demo {
namespace {

static_assert(std::endian::native == std::endian::little, "raw_data is little-endian");

void add_initializer(onnx::GraphProto& graph, const std::string& name, std::span<const std::int64_t> shape,
                     std::span<const float> values) {
  onnx::TensorProto& tensor = *graph.add_initializer();
  tensor.set_name(name);
  tensor.set_data_type(onnx::TensorProto::FLOAT);
  for (const std::int64_t dim : shape) tensor.add_dims(dim);
  tensor.set_raw_data(values.data(), values.size_bytes());
}

onnx::NodeProto& add_node(onnx::GraphProto& graph, const std::string& type, std::initializer_list<std::string> inputs,
                          const std::string& output) {
  onnx::NodeProto& node = *graph.add_node();
  node.set_op_type(type);
  node.set_name(output);
  for (const std::string& input : inputs) node.add_input(input);
  node.add_output(output);
  return node;
}

void add_integer(onnx::NodeProto& node, const std::string& name, std::int64_t value) {
  onnx::AttributeProto& attribute = *node.add_attribute();
  attribute.set_name(name);
  attribute.set_type(onnx::AttributeProto::INT);
  attribute.set_i(value);
}

void describe(onnx::ValueInfoProto& value, const std::string& name, std::initializer_list<std::int64_t> shape) {
  value.set_name(name);
  onnx::TypeProto::Tensor& type = *value.mutable_type()->mutable_tensor_type();
  type.set_elem_type(onnx::TensorProto::FLOAT);
  type.mutable_shape()->add_dim()->set_dim_param("N");
  for (const std::int64_t dim : shape) type.mutable_shape()->add_dim()->set_dim_value(dim);
}

void add_metadata(onnx::ModelProto& model, const std::string& key, const std::string& value) {
  onnx::StringStringEntryProto& entry = *model.add_metadata_props();
  entry.set_key(key);
  entry.set_value(value);
}

void add_all_metadata(onnx::ModelProto& model, std::span<const Network> table) {
  nlohmann::json labels = nlohmann::json::array();
  for (const Network& network : table) labels.push_back(network.name);
  const Grid grid = demo_grid();
  nlohmann::json affine = nlohmann::json::array();
  for (std::size_t row = 0; row < 4; ++row) {
    nlohmann::json line = nlohmann::json::array();
    for (std::size_t c = 0; c < 4; ++c) line.push_back(static_cast<int>(grid.affine[4 * row + c]));
    affine.push_back(line);
  }
  const nlohmann::json place{{"shape", grid.shape}, {"affine", affine}};
  add_metadata(model, "smpc.labels", labels.dump());
  add_metadata(model, "smpc.grid", place.dump());
  add_metadata(model, "smpc.input-range", std::to_string(static_cast<int>(input_range)));
  add_metadata(model, "smpc.input-rms", std::to_string(static_cast<int>(input_rms)));
}

void add_layers(onnx::GraphProto& graph, const Mlp& mlp, std::span<const std::uint32_t> brain) {
  add_integer(add_node(graph, "Flatten", {"volume"}, "voxels"), "axis", 1);
  std::string values = "voxels";
  for (std::size_t n = 0; n < layer_count; ++n) {
    const Layer& layer = mlp.layers[n];
    const std::string name = "fc" + std::to_string(n + 1);
    const std::int64_t out = layer.weight.rows();
    if (n == 0) {
      const std::vector<float> whole = spread_weights(layer.weight, brain);
      add_initializer(graph, name + ".weight", std::vector<std::int64_t>{out, std::int64_t{voxel_count}}, whole);
    } else {
      add_initializer(graph, name + ".weight", std::vector<std::int64_t>{out, layer.weight.cols()},
                      std::span(layer.weight.data(), static_cast<std::size_t>(layer.weight.size())));
    }
    add_initializer(graph, name + ".bias", std::vector<std::int64_t>{out},
                    std::span(layer.bias.data(), static_cast<std::size_t>(out)));
    const bool last = n + 1 == layer_count;
    const std::string sum = last ? "logits" : name;
    add_integer(add_node(graph, "Gemm", {values, name + ".weight", name + ".bias"}, sum), "transB", 1);
    if (last) break;
    values = "relu" + std::to_string(n + 1);
    add_node(graph, "Relu", {sum}, values);
  }
}

}  // namespace

std::string onnx_model(const Mlp& mlp, std::span<const std::uint32_t> brain, std::span<const Network> table) {
  onnx::ModelProto model;
  model.set_ir_version(7);  // the one that came with opset 13
  model.set_producer_name("smpc-demo-model");
  model.set_doc_string(
      "A demonstration, trained on synthetic maps with approximate coordinates. Not a medical device; not the "
      "published "
      "model.");
  onnx::OperatorSetIdProto& opset = *model.add_opset_import();
  opset.set_domain("");
  opset.set_version(13);
  onnx::GraphProto& graph = *model.mutable_graph();
  graph.set_name("smpc-demo");
  describe(*graph.add_input(), "volume", {nx, ny, nz});
  describe(*graph.add_output(), "logits", {std::int64_t{class_count}});
  add_layers(graph, mlp, brain);
  add_all_metadata(model, table);

  std::string bytes;
  {
    google::protobuf::io::StringOutputStream stream(&bytes);
    google::protobuf::io::CodedOutputStream coded(&stream);
    coded.SetSerializationDeterministic(true);
    SMPC_CHECK(model.SerializeToCodedStream(&coded));
  }
  return bytes;
}

}  // namespace smpc::demo
