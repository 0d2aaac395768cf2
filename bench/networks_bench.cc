// Architectures of realistic size, each compiled and run between two parties in one process, ResNet-50 among them: what they
// cost, how long each part takes, and how much memory each party's run takes.
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstring>

#include "smpc/compiler/compile.h"
#include "smpc/compiler/float_reference.h"
#include "smpc/runtime/explain.h"
#include "smpc/runtime/interpreter.h"
#include "smpc/runtime/local_run.h"
#include "support/architectures.h"

namespace smpc::bench {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

bool run(const testing::Architecture& a, Suite suite) {
  const Network network = build_network(a.make());
  CompileOptions options;
  options.reveal = Reveal::logits;
  options.suite = suite;
  options.input_range = a.range;
  options.mixed_scales = a.mixed_scales;
  auto start = Clock::now();
  const Compiled c = compile(Network(network), options, {});
  const double compiling = seconds_since(start);
  std::mt19937 rng(11);
  std::uniform_real_distribution<double> any(-a.range, a.range);
  std::vector<double> x(c.program.whole_input());
  for (double& v : x) v = any(rng);
  const RingVector input = quantise(c.program, x, "x");
  start = Clock::now();
  const RingVector fixed = interpret(c.program, c.weights, input).back();
  const double clear = seconds_since(start);
  start = Clock::now();
  const LocalRun two = run_locally(c.program, c.weights, input, 1, false);
  const double secure = seconds_since(start);
  const auto exact = float_layers(network, x).back();
  const auto y = dequantise(c.program.output(), two.output);
  double error = 0;
  for (std::size_t i = 0; i < y.size(); ++i) error = std::max(error, std::abs(y[i] - exact[i]));
  unsigned widest = 0;
  for (const TensorType& t : c.program.tensors) widest = std::max(widest, t.ring.bits);
  const Explanation e = explain(c.program);
  const bool equal = two.output == fixed;
  std::printf("%-18s %4zu %3u %9.2f %8.2f %8.2f %11.2f %6zu %9.2f %9.1f %9.1e %9.1f %9.1f %s\n", a.name, c.program.ops.size(), widest, compiling, clear,
              secure, static_cast<double>(e.client_to_server + e.server_to_client) / 1e6, e.messages, static_cast<double>(e.bundle_bytes) / 1e6,
              static_cast<double>(e.masked_weight_bytes) / 1e6, error, static_cast<double>(e.memory.server) / 1e6, static_cast<double>(e.memory.client) / 1e6, equal ? "yes" : "NO");
  std::fflush(stdout);
  return equal;
}

}  // namespace
}  // namespace smpc::bench

int main(int argc, char** argv) {
  using namespace smpc;
  std::vector<testing::Architecture> all(std::begin(testing::architectures), std::end(testing::architectures));
  all.push_back({"ResNet50", testing::resnet50, 2});
  const char* wanted = argc > 1 ? argv[1] : "";
  std::printf("%-18s %4s %3s %9s %8s %8s %11s %6s %9s %9s %9s %9s %9s %s\n", "network", "ops", "l", "compile s", "clear s", "secure s", "online MB",
              "msgs", "bundle MB", "masked MB", "error", "server MB", "client MB", "bit-exact");
  bool equal = true;
  for (const auto& a : all) {
    if (std::strstr(a.name, wanted) != nullptr) equal = bench::run(a, Suite::masked) && equal;
  }
  return equal ? 0 : 1;
}
