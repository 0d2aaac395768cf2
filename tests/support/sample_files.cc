#include "support/sample_files.h"

#include <onnx/onnx_pb.h>

#include <cmath>
#include <fstream>
#include <random>
#include <stdexcept>

#include "image/nifti_writer.h"

namespace smpc::testing {
namespace {

using Random = std::minstd_rand;

void add_weights(onnx::GraphProto& graph, const std::string& name, std::vector<std::int64_t> dims, float scale, Random& rng) {
  onnx::TensorProto& t = *graph.add_initializer();
  t.set_name(name);
  t.set_data_type(onnx::TensorProto::FLOAT);
  std::size_t n = 1;
  for (const std::int64_t d : dims) {
    t.add_dims(d);
    n *= static_cast<std::size_t>(d);
  }
  std::vector<float> values(n);
  std::uniform_real_distribution<float> uniform(-scale, scale);
  for (float& v : values) v = uniform(rng);
  t.set_raw_data(values.data(), n * sizeof(float));
}

onnx::NodeProto& add_node(onnx::GraphProto& graph, const std::string& op, const std::vector<std::string>& inputs,
                          const std::string& output) {
  onnx::NodeProto& n = *graph.add_node();
  n.set_op_type(op);
  n.set_name(output);
  for (const std::string& i : inputs) n.add_input(i);
  n.add_output(output);
  return n;
}

void set_int(onnx::NodeProto& n, const std::string& name, std::int64_t value) {
  onnx::AttributeProto& a = *n.add_attribute();
  a.set_name(name);
  a.set_type(onnx::AttributeProto::INT);
  a.set_i(value);
}

void describe(onnx::ValueInfoProto& v, const std::string& name, const std::vector<std::size_t>& dims) {
  v.set_name(name);
  auto& type = *v.mutable_type()->mutable_tensor_type();
  type.set_elem_type(onnx::TensorProto::FLOAT);
  type.mutable_shape()->add_dim()->set_dim_param("N");
  for (const std::size_t d : dims) type.mutable_shape()->add_dim()->set_dim_value(static_cast<std::int64_t>(d));
}

void set_ints(onnx::NodeProto& n, const std::string& name, const std::vector<std::int64_t>& values) {
  onnx::AttributeProto& a = *n.add_attribute();
  a.set_name(name);
  a.set_type(onnx::AttributeProto::INTS);
  for (const std::int64_t v : values) a.add_ints(v);
}

void add_metadata(onnx::ModelProto& model, const std::string& key, const std::string& value) {
  auto& entry = *model.add_metadata_props();
  entry.set_key(key);
  entry.set_value(value);
}

// Its grid and range, and the file.
void finish(onnx::ModelProto& model, Shape image, const std::filesystem::path& path) {
  const auto side = [&](std::size_t a) { return std::to_string(image[a]); };
  add_metadata(model, "smpc.input-range", "32");
  add_metadata(model, "smpc.grid", "{\"shape\": [" + side(0) + ", " + side(1) + ", " + side(2) +
                                       "], \"affine\": [[-4,0,0,90],[0,4,0,-126],[0,0,4,-72],[0,0,0,1]]}");
  std::ofstream out(path, std::ios::binary);
  if (!model.SerializeToOstream(&out)) throw std::runtime_error("cannot write " + path.string());
}

}  // namespace

void write_random_mlp(const std::filesystem::path& path, Shape image, const std::vector<std::size_t>& layers,
                      const std::vector<std::string>& end) {
  onnx::ModelProto model;
  model.set_ir_version(7);
  model.add_opset_import()->set_version(13);
  onnx::GraphProto& graph = *model.mutable_graph();
  graph.set_name("random");
  describe(*graph.add_input(), "volume", {image.begin(), image.end()});
  describe(*graph.add_output(), "logits", {layers.back()});
  set_int(add_node(graph, "Flatten", {"volume"}, "voxels"), "axis", 1);
  Random rng(1);
  std::string values = "voxels";
  std::size_t inputs = image[0] * image[1] * image[2];
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const std::string name = "fc" + std::to_string(i);
    const auto out = static_cast<std::int64_t>(layers[i]);
    add_weights(graph, name + ".weight", {out, static_cast<std::int64_t>(inputs)},
                std::sqrt(3 / static_cast<float>(inputs)), rng);
    add_weights(graph, name + ".bias", {out}, 0.1F, rng);
    const bool last = i + 1 == layers.size();
    const std::string sum = last && end.empty() ? "logits" : name;
    set_int(add_node(graph, "Gemm", {values, name + ".weight", name + ".bias"}, sum), "transB", 1);
    values = "relu" + std::to_string(i);
    if (!last) add_node(graph, "Relu", {sum}, values);
    inputs = layers[i];
  }
  values = "fc" + std::to_string(layers.size() - 1);
  for (std::size_t i = 0; i < end.size(); ++i) {
    const std::string result = i + 1 == end.size() ? "logits" : "end" + std::to_string(i);
    add_node(graph, end[i], {values}, result);
    values = result;
  }
  finish(model, image, path);
}

void write_random_cnn(const std::filesystem::path& path, Shape image, std::size_t classes) {
  onnx::ModelProto model;
  model.set_ir_version(7);
  model.add_opset_import()->set_version(13);
  onnx::GraphProto& graph = *model.mutable_graph();
  graph.set_name("random");
  constexpr std::int64_t channels = 6;
  const auto outputs = static_cast<std::int64_t>(classes);
  describe(*graph.add_input(), "volume", {1, image[0], image[1], image[2]});
  describe(*graph.add_output(), "logits", {classes});
  Random rng(1);
  add_weights(graph, "w1", {channels, 1, 5, 5, 5}, 0.1F, rng);
  add_weights(graph, "b1", {channels}, 0.1F, rng);
  onnx::NodeProto& first = add_node(graph, "Conv", {"volume", "w1", "b1"}, "conv1");
  set_ints(first, "strides", {3, 3, 3});
  set_ints(first, "pads", {2, 2, 2, 2, 2, 2});
  for (const char* name : {"scale", "shift", "mean"}) add_weights(graph, name, {channels}, 1, rng);
  onnx::TensorProto& variance = *graph.add_initializer();
  variance.set_name("variance");
  variance.set_data_type(onnx::TensorProto::FLOAT);
  variance.add_dims(channels);
  for (std::int64_t c = 0; c < channels; ++c) variance.add_float_data(1 + 0.25F * static_cast<float>(c));
  add_node(graph, "BatchNormalization", {"conv1", "scale", "shift", "mean", "variance"}, "norm1");
  add_node(graph, "Relu", {"norm1"}, "relu1");
  onnx::NodeProto& pool = add_node(graph, "MaxPool", {"relu1"}, "pool1");
  set_ints(pool, "kernel_shape", {2, 2, 2});
  set_ints(pool, "strides", {2, 2, 2});
  add_weights(graph, "w2", {channels, channels, 3, 3, 3}, 0.1F, rng);
  set_ints(add_node(graph, "Conv", {"pool1", "w2"}, "conv2"), "pads", {1, 1, 1, 1, 1, 1});
  add_node(graph, "Add", {"conv2", "pool1"}, "sum2");
  add_node(graph, "Relu", {"sum2"}, "relu2");
  add_node(graph, "GlobalAveragePool", {"relu2"}, "mean2");
  set_int(add_node(graph, "Flatten", {"mean2"}, "flat"), "axis", 1);
  add_weights(graph, "w3", {outputs, channels}, 1, rng);
  add_weights(graph, "b3", {outputs}, 0.1F, rng);
  set_int(add_node(graph, "Gemm", {"flat", "w3", "b3"}, "logits"), "transB", 1);
  finish(model, image, path);
}

void write_scan(const std::filesystem::path& path, Shape image, const std::vector<std::vector<float>>& volumes,
                std::size_t count) {
  constexpr float slope = 0.001F;
  testing::NiftiSpec spec;
  spec.datatype = DT_INT16;
  spec.bitpix = 16;
  spec.slope = static_cast<double>(slope);
  spec.dim = {count == 1 ? 3 : 4, 0, 0, 0, static_cast<std::int64_t>(count), 1, 1, 1};
  for (std::size_t a = 0; a < 3; ++a) spec.dim[a + 1] = static_cast<std::int64_t>(image[a]);
  std::ofstream out(path, std::ios::binary);
  out << testing::nifti_header(spec);
  Random rng(2);
  std::uniform_real_distribution<float> noise(0.95F, 1.05F);
  std::vector<std::int16_t> stored(image[0] * image[1] * image[2]);
  for (std::size_t v = 0; v < count; ++v) {
    const std::vector<float>& volume = volumes[v % volumes.size()];
    std::size_t from = 0;
    for (std::size_t i = 0; i < image[0]; ++i) {
      for (std::size_t j = 0; j < image[1]; ++j) {
        for (std::size_t k = 0; k < image[2]; ++k) {
          const float value = std::clamp(volume[from++] * noise(rng), -31.9F, 31.9F);
          stored[i + image[0] * (j + image[1] * k)] = static_cast<std::int16_t>(std::lround(value / slope));
        }
      }
    }
    out.write(reinterpret_cast<const char*>(stored.data()), static_cast<std::streamsize>(stored.size() * 2));
  }
  if (!out) throw std::runtime_error("cannot write " + path.string());
}

std::vector<float> random_volume(Shape image) {
  std::vector<float> v(image[0] * image[1] * image[2]);
  Random rng(3);
  std::uniform_real_distribution<float> uniform(-1, 1);
  for (float& x : v) x = uniform(rng);
  return v;
}

}  // namespace smpc::testing
