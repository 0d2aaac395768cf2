// The products of the demo model's first layer, 200 x 109,350, beside a float product over the same weights.
#include <benchmark/benchmark.h>

#include <Eigen/Core>
#include <random>

#include "smpc/ring/kernels.h"
#include "smpc/ring/ring.h"

namespace smpc {
namespace {

constexpr std::size_t rows = 200;
constexpr std::size_t cols = 109'350;
constexpr unsigned bits = 44;

template <class T>
std::vector<T> random_values(std::size_t n) {
  std::mt19937_64 rng(1);
  std::vector<T> v(n);
  for (T& x : v) x = static_cast<T>(rng() >> 40);
  return v;
}

void float_product(benchmark::State& state) {
  const auto batch = state.range(0);
  using Matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  const Matrix w = Matrix::Random(rows, cols);
  const Eigen::MatrixXf x = Eigen::MatrixXf::Random(cols, batch);
  Eigen::MatrixXf y(rows, batch);
  for (auto _ : state) {
    y.noalias() = w * x;
    benchmark::DoNotOptimize(y.data());
  }
}

template <class Weight>
void ring_product(benchmark::State& state) {
  const auto batch = static_cast<std::size_t>(state.range(0));
  const auto w = random_values<Weight>(rows * cols);
  const auto x = random_values<std::uint64_t>(cols * batch);
  std::vector<std::uint64_t> y(rows * batch);
  for (auto _ : state) {
    accumulate_product(std::span<const Weight>(w), cols, x, batch, y, rows, 0, Ring{bits});
    benchmark::DoNotOptimize(y.data());
  }
}

BENCHMARK(float_product)->Arg(1)->Arg(20)->Unit(benchmark::kMillisecond);
BENCHMARK_TEMPLATE(ring_product, std::int16_t)->Arg(1)->Arg(20)->Unit(benchmark::kMillisecond);
BENCHMARK_TEMPLATE(ring_product, std::int32_t)->Arg(1)->Arg(20)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace smpc
