// The limit that an inference is compared with: the same layers as float products (Eigen), one thread, no bias, no ReLU.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace smpc::bench {

struct LayerShape {
  std::size_t outputs = 0;
  std::size_t inputs = 0;
};

// y = W x. W: outputs x inputs, row by row; x: `columns` vectors of `inputs`, back to back; y likewise.
using FloatKernel = void (*)(const float* w, std::size_t outputs, std::size_t inputs, const float* x,
                             std::size_t columns, float* y);

// The product as compiled for one instruction set.
struct FloatTarget {
  std::string name;
  FloatKernel kernel;
};

// As this build compiles everything else, then, where compiler and processor have more, x86-64-v3 (AVX2 and FMA) and
// x86-64-v4 (AVX-512).
std::vector<FloatTarget> float_targets();

// The layers of one network with random weights, ready to be multiplied.
class FloatNetwork {
 public:
  FloatNetwork(const std::vector<LayerShape>& layers, std::size_t columns);
  void run(FloatKernel kernel);  // every layer once

 private:
  struct Layer {
    LayerShape shape;
    std::vector<float> weights;
    std::vector<float> in;
    std::vector<float> out;
  };
  std::size_t columns_;
  std::vector<Layer> layers_;
};

}  // namespace smpc::bench
