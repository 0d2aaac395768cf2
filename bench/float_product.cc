#include "float_product.h"

#include <random>

namespace smpc::bench {

void float_kernel_default(const float*, std::size_t, std::size_t, const float*, std::size_t, float*);
#ifdef SMPC_FLOAT_WIDE
void float_kernel_v3(const float*, std::size_t, std::size_t, const float*, std::size_t, float*);
void float_kernel_v4(const float*, std::size_t, std::size_t, const float*, std::size_t, float*);
#endif

std::vector<FloatTarget> float_targets() {
  std::vector<FloatTarget> out{{"as built", float_kernel_default}};
#ifdef SMPC_FLOAT_WIDE
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) out.push_back({"x86-64-v3", float_kernel_v3});
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512cd") &&
      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl")) {
    out.push_back({"x86-64-v4", float_kernel_v4});
  }
#endif
  return out;
}

FloatNetwork::FloatNetwork(const std::vector<LayerShape>& layers, std::size_t columns) : columns_(columns) {
  std::minstd_rand rng(1);
  const auto random = [&](std::size_t n) {
    std::vector<float> v(n);
    for (float& x : v) x = static_cast<float>(rng()) / 2e9F - 0.5F;
    return v;
  };
  for (const LayerShape& s : layers) {
    layers_.push_back({s, random(s.outputs * s.inputs), random(s.inputs * columns),
                       std::vector<float>(s.outputs * columns)});
  }
}

void FloatNetwork::run(FloatKernel kernel) {
  for (Layer& l : layers_) {
    kernel(l.weights.data(), l.shape.outputs, l.shape.inputs, l.in.data(), columns_, l.out.data());
    // The compiler may not drop a product whose result nobody reads.
    asm volatile("" : : "r"(l.out.data()) : "memory");
  }
}

}  // namespace smpc::bench
