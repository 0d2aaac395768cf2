// Networks as others publish them, with random weights of the size that PyTorch initialises them to.
#pragma once

#include <cmath>
#include <random>

#include "smpc/model/model.h"

namespace smpc::testing {

using ModelShape = std::vector<std::int64_t>;

class NetworkMaker {
 public:
  explicit NetworkMaker(unsigned seed, int opset = 13) : rng_(seed) {
    model_.source = "network.onnx";
    model_.opset = opset;
  }

  std::string input(ModelShape shape) {
    shape.insert(shape.begin(), 1);
    model_.inputs.push_back(value("x", std::move(shape)));
    return "x";
  }
  Model model(const std::string& last, ModelShape shape) {
    shape.insert(shape.begin(), 1);
    model_.nodes.push_back(node("Identity", {last}, "y"));
    model_.outputs.push_back(value("y", std::move(shape)));
    return std::move(model_);
  }

  // kernel: one number for each axis of the image.
  std::string conv(const std::string& x, std::int64_t in, std::int64_t out, ModelShape kernel, std::int64_t stride = 1, std::int64_t pad = 0,
                   std::int64_t groups = 1) {
    ModelShape dims{out, in / groups};
    std::int64_t fan_in = in / groups;
    for (const std::int64_t k : kernel) {
      dims.push_back(k);
      fan_in *= k;
    }
    return conv_by(x, weights(dims, fan_in), weights({out}, fan_in), kernel.size(), stride, pad, groups);
  }
  // Of three by three, with weights of one sign: what it reads grows by their sum.
  std::string growing_conv(const std::string& x, std::int64_t in, std::int64_t out) {
    return conv_by(x, between({out, in, 3, 3}, 0.5F, 1.5F), between({out}, -1, 1), 2, 1, 1, 1);
  }
  // Its scales lie within half of `scale`.
  std::string batch_norm(const std::string& x, std::int64_t channels, float scale = 1) {
    return op("BatchNormalization", {x, between({channels}, 0.5F * scale, 1.5F * scale), between({channels}, -0.2F, 0.2F), between({channels}, -0.2F, 0.2F),
                                     between({channels}, 0.5F, 1.5F)})
        .outputs.front();
  }
  std::string relu(const std::string& x) { return op("Relu", {x}).outputs.front(); }
  std::string add(const std::string& a, const std::string& b) { return op("Add", {a, b}).outputs.front(); }
  std::string mul(const std::string& a, const std::string& b) { return op("Mul", {a, b}).outputs.front(); }
  std::string concat(const std::vector<std::string>& parts) {
    Node& n = op("Concat", parts);
    n.attributes.emplace("axis", std::int64_t{1});
    return n.outputs.front();
  }
  std::string pool(const char* kind, const std::string& x, std::int64_t kernel, std::int64_t stride, std::int64_t pad = 0, std::size_t axes = 2) {
    Node& n = op(kind, {x});
    n.attributes.emplace("kernel_shape", ModelShape(axes, kernel));
    n.attributes.emplace("strides", ModelShape(axes, stride));
    n.attributes.emplace("pads", ModelShape(2 * axes, pad));
    return n.outputs.front();
  }
  std::string global_average(const std::string& x) { return op("GlobalAveragePool", {x}).outputs.front(); }
  std::string flatten(const std::string& x) { return op("Flatten", {x}).outputs.front(); }
  std::string dense(const std::string& x, std::int64_t in, std::int64_t out) {
    Node& n = op("Gemm", {x, weights({out, in}, in), weights({out}, in)});
    n.attributes.emplace("transB", std::int64_t{1});
    return n.outputs.front();
  }
  std::string project(const std::string& x, std::int64_t in, std::int64_t out) {  // of every row
    return add(op("MatMul", {x, weights({in, out}, in)}).outputs.front(), weights({out}, in));
  }
  std::string mat_mul(const std::string& a, const std::string& b) { return op("MatMul", {a, b}).outputs.front(); }
  std::string softmax(const std::string& x) {
    Node& n = op("Softmax", {x});
    n.attributes.emplace("axis", std::int64_t{-1});
    return n.outputs.front();
  }
  std::string layer_norm(const std::string& x, std::int64_t size) {
    return op("LayerNormalization", {x, between({size}, 0.5F, 1.5F), between({size}, -0.2F, 0.2F)}).outputs.front();
  }
  // As PyTorch exports it.
  std::string gelu(const std::string& x) {
    const std::string erf = op("Erf", {op("Div", {x, number(std::sqrt(2.0F))}).outputs.front()}).outputs.front();
    return mul(mul(x, add(erf, number(1))), number(0.5F));
  }
  std::string reshape(const std::string& x, ModelShape shape) {
    Tensor t;
    t.dims = {static_cast<std::int64_t>(shape.size())};
    t.values = std::move(shape);
    return op("Reshape", {x, constant(std::move(t))}).outputs.front();
  }
  std::string transpose(const std::string& x, ModelShape order) {
    Node& n = op("Transpose", {x});
    n.attributes.emplace("perm", std::move(order));
    return n.outputs.front();
  }
  std::string number(float value) {
    Tensor t;
    t.values = SecretVector<float>{value};
    return constant(std::move(t));
  }

 private:
  Node node(const std::string& kind, std::vector<std::string> inputs, const std::string& out) {
    Node n;
    n.name = kind + std::to_string(model_.nodes.size());
    n.op = kind;
    n.inputs = std::move(inputs);
    n.outputs = {out};
    return n;
  }
  Node& op(const std::string& kind, std::vector<std::string> inputs) {
    const std::string out = "v" + std::to_string(model_.nodes.size());
    return model_.nodes.emplace_back(node(kind, std::move(inputs), out));
  }
  std::string weights(const ModelShape& dims, std::int64_t fan_in) {
    const float limit = 1 / std::sqrt(static_cast<float>(fan_in));
    return between(dims, -limit, limit);
  }
  std::string between(const ModelShape& dims, float low, float high) {
    std::size_t count = 1;
    for (const std::int64_t d : dims) count *= static_cast<std::size_t>(d);
    std::uniform_real_distribution<float> one(low, high);
    SecretVector<float> values(count);
    for (float& v : values) v = one(rng_);
    Tensor t;
    t.dims = dims;
    t.values = std::move(values);
    return constant(std::move(t));
  }

  std::string conv_by(const std::string& x, const std::string& w, const std::string& b, std::size_t axes, std::int64_t stride, std::int64_t pad,
                      std::int64_t groups) {
    Node& n = op("Conv", {x, w, b});
    n.attributes.emplace("strides", ModelShape(axes, stride));
    n.attributes.emplace("pads", ModelShape(2 * axes, pad));
    n.attributes.emplace("group", groups);
    return n.outputs.front();
  }
  std::string constant(Tensor t) {
    const std::string name = "c" + std::to_string(model_.constants.size());
    model_.constants.emplace(name, std::move(t));
    return name;
  }
  static ValueInfo value(const std::string& name, ModelShape shape) {
    ValueInfo v;
    v.name = name;
    v.dims = std::move(shape);
    return v;
  }

  Model model_;
  std::mt19937 rng_;
};

// LeCun et al. (1998), with ReLU and MaxPool, on 28 x 28.
inline Model lenet5() {
  NetworkMaker n(1);
  std::string x = n.input({1, 28, 28});
  x = n.pool("MaxPool", n.relu(n.conv(x, 1, 6, {5, 5}, 1, 2)), 2, 2);
  x = n.pool("MaxPool", n.relu(n.conv(x, 6, 16, {5, 5})), 2, 2);
  x = n.relu(n.dense(n.flatten(x), 400, 120));
  x = n.relu(n.dense(x, 120, 84));
  return n.model(n.dense(x, 84, 10), {10});
}

// Three blocks of two convolutions with BatchNormalization, on 32 x 32 in three colours.
inline Model cifar_cnn() {
  NetworkMaker n(2);
  std::string x = n.input({3, 32, 32});
  std::int64_t in = 3;
  for (const std::int64_t out : {32, 64, 128}) {
    x = n.relu(n.batch_norm(n.conv(x, in, out, {3, 3}, 1, 1), out));
    x = n.relu(n.batch_norm(n.conv(x, out, out, {3, 3}, 1, 1), out));
    x = n.pool("MaxPool", x, 2, 2);
    in = out;
  }
  x = n.relu(n.dense(n.flatten(x), 128 * 16, 128));
  return n.model(n.dense(x, 128, 10), {10});
}

// He et al. (2016), on 45 x 45 in three colours, 58 classes: the 2.5-D classifier of Pallikonda Latheef et al. (2023).
inline Model resnet(const std::vector<int>& blocks, bool bottleneck) {
  NetworkMaker n(3);
  std::string x = n.input({3, 45, 45});
  x = n.relu(n.batch_norm(n.conv(x, 3, 64, {7, 7}, 2, 3), 64));
  x = n.pool("MaxPool", x, 3, 2, 1);
  std::int64_t in = 64;
  for (std::size_t stage = 0; stage < blocks.size(); ++stage) {
    const std::int64_t width = std::int64_t{64} << stage;
    const std::int64_t out = bottleneck ? 4 * width : width;
    for (int block = 0; block < blocks[stage]; ++block) {
      const std::int64_t stride = stage > 0 && block == 0 ? 2 : 1;
      std::string y;
      if (bottleneck) {
        y = n.relu(n.batch_norm(n.conv(x, in, width, {1, 1}), width));
        y = n.relu(n.batch_norm(n.conv(y, width, width, {3, 3}, stride, 1), width));
        y = n.batch_norm(n.conv(y, width, out, {1, 1}), out, 0.2F);  // it begins at 0 and stays small (Goyal et al., 2017)
      } else {
        y = n.relu(n.batch_norm(n.conv(x, in, out, {3, 3}, stride, 1), out));
        y = n.batch_norm(n.conv(y, out, out, {3, 3}, 1, 1), out);
      }
      if (in != out || stride != 1) x = n.batch_norm(n.conv(x, in, out, {1, 1}, stride), out);
      x = n.relu(n.add(x, y));
      in = out;
    }
  }
  return n.model(n.dense(n.flatten(n.global_average(x)), in, 58), {58});
}
inline Model resnet18() { return resnet({2, 2, 2, 2}, false); }
inline Model resnet50() { return resnet({3, 4, 6, 3}, true); }

// Iandola et al. (2016), version 1.1, on 45 x 45.
inline Model squeezenet() {
  NetworkMaker n(4);
  std::string x = n.input({3, 45, 45});
  x = n.pool("MaxPool", n.relu(n.conv(x, 3, 64, {3, 3}, 2)), 3, 2);
  std::int64_t in = 64;
  const auto fire = [&](std::int64_t squeeze, std::int64_t expand) {
    const std::string s = n.relu(n.conv(x, in, squeeze, {1, 1}));
    x = n.concat({n.relu(n.conv(s, squeeze, expand, {1, 1})), n.relu(n.conv(s, squeeze, expand, {3, 3}, 1, 1))});
    in = 2 * expand;
  };
  fire(16, 64);
  fire(16, 64);
  x = n.pool("MaxPool", x, 3, 2);
  fire(32, 128);
  fire(32, 128);
  x = n.pool("MaxPool", x, 3, 2, 1);
  fire(48, 192);
  fire(48, 192);
  fire(64, 256);
  fire(64, 256);
  x = n.relu(n.conv(x, in, 58, {1, 1}));
  return n.model(n.flatten(n.global_average(x)), {58});
}

// Huang et al. (2017): the first two dense blocks of DenseNet-121 and their transitions, on 45 x 45.
inline Model densenet_blocks() {
  NetworkMaker n(5);
  constexpr std::int64_t growth = 32;
  std::string x = n.input({3, 45, 45});
  x = n.pool("MaxPool", n.relu(n.batch_norm(n.conv(x, 3, 64, {7, 7}, 2, 3), 64)), 3, 2, 1);
  std::int64_t in = 64;
  for (const int layers : {6, 12}) {
    for (int layer = 0; layer < layers; ++layer) {
      std::string y = n.conv(n.relu(n.batch_norm(x, in)), in, 4 * growth, {1, 1});
      y = n.conv(n.relu(n.batch_norm(y, 4 * growth)), 4 * growth, growth, {3, 3}, 1, 1);
      x = n.concat({x, y});
      in += growth;
    }
    x = n.pool("AveragePool", n.conv(n.relu(n.batch_norm(x, in)), in, in / 2, {1, 1}), 2, 2);
    in /= 2;
  }
  return n.model(n.dense(n.flatten(n.global_average(x)), in, 58), {58});
}

// Three convolutions with pooling over a whole volume of 45 x 54 x 45.
inline Model cnn_3d() {
  NetworkMaker n(6);
  std::string x = n.input({1, 45, 54, 45});
  std::int64_t in = 1;
  for (const std::int64_t out : {8, 16, 32}) {
    x = n.relu(n.batch_norm(n.conv(x, in, out, {3, 3, 3}, 2, 1), out));
    in = out;
  }
  x = n.pool("MaxPool", x, 2, 2, 0, 3);
  return n.model(n.dense(n.flatten(n.global_average(x)), in, 58), {58});
}

// Vaswani et al. (2017): an encoder block of four heads on 32 places of 64 numbers, GELU between.
inline Model transformer_block() {
  NetworkMaker n(7, 17);
  constexpr std::int64_t places = 32, width = 64, heads = 4, each = width / heads;
  const std::string x = n.input({places, width});
  const auto head = [&](const ModelShape& order) {
    return n.transpose(n.reshape(n.project(x, width, width), {1, places, heads, each}), order);
  };
  const std::string q = head({0, 2, 1, 3});
  const std::string k = head({0, 2, 3, 1});
  const std::string v = head({0, 2, 1, 3});
  const std::string scores = n.mul(n.mat_mul(q, k), n.number(1 / std::sqrt(static_cast<float>(each))));
  const std::string mixed = n.mat_mul(n.softmax(scores), v);
  const std::string attended = n.project(n.reshape(n.transpose(mixed, {0, 2, 1, 3}), {1, places, width}), width, width);
  const std::string y = n.layer_norm(n.add(x, attended), width);
  const std::string wide = n.project(n.gelu(n.project(y, width, 2 * width)), 2 * width, width);
  return n.model(n.layer_norm(n.add(y, wide), width), {places, width});
}

// Of nobody's: values grow a hundredfold with every layer, beyond what one scale holds, and meet small ones.
inline Model growing() {
  NetworkMaker n(8);
  constexpr std::int64_t width = 16;
  const std::string first = n.relu(n.growing_conv(n.input({3, 12, 12}), 3, width));
  std::string x = first;
  for (int block = 0; block < 3; ++block) {
    const std::string y = n.relu(n.growing_conv(x, width, width));
    x = n.relu(n.add(n.growing_conv(y, width, width), n.conv(x, width, width, {1, 1})));
  }
  x = n.concat({n.add(x, first), n.growing_conv(first, width, width), n.mul(x, first)});
  x = n.pool("AveragePool", n.pool("MaxPool", n.relu(n.conv(x, 3 * width, width, {1, 1})), 3, 1, 1), 2, 2);
  return n.model(n.dense(n.flatten(n.growing_conv(x, width, width)), width * 36, 10), {10});
}

struct Architecture {
  const char* name;
  Model (*make)();
  double range;               // of the input
  bool mixed_scales = false;
};

inline const Architecture architectures[] = {{"LeNet5", lenet5, 1}, {"CifarCnn", cifar_cnn, 2}, {"ResNet18", resnet18, 2},
                                             {"SqueezeNet", squeezenet, 2}, {"DenseNet121Blocks", densenet_blocks, 2}, {"Cnn3d", cnn_3d, 4},
                                             {"TransformerBlock", transformer_block, 2}, {"Growing", growing, 2, true}};

}  // namespace smpc::testing
