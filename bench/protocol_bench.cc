// ReLU with its truncation: what both parties do for it, in one process. Wall time, and the processor time of both
// parties together.
#include <benchmark/benchmark.h>

#include "relu_run.h"

namespace smpc::bench {
namespace {

void relu_with_truncation(benchmark::State& state, Suite suite) {
  const auto n = static_cast<std::size_t>(state.range(0));
  const auto values = static_cast<double>(n);
  double processor = 0;
  ReluRun run;
  for (auto _ : state) {
    run = run_relu(suite, n);
    state.SetIterationTime(run.seconds);
    processor += run.processor_seconds;
  }
  state.counters["cpu_ns_per_value"] = 1e9 * processor / (static_cast<double>(state.iterations()) * values);
  state.counters["online_bytes"] = run.online_bytes / values;
  state.counters["bundle_bytes"] = run.bundle_bytes / values;
}

BENCHMARK_CAPTURE(relu_with_truncation, cryptflow2, Suite::cryptflow2)
    ->Arg(1 << 10)->Arg(1 << 16)->Arg(1 << 20)->Unit(benchmark::kMillisecond)->UseManualTime();
BENCHMARK_CAPTURE(relu_with_truncation, masked, Suite::masked)
    ->Arg(1 << 10)->Arg(1 << 16)->Arg(1 << 20)->Unit(benchmark::kMillisecond)->UseManualTime();

}  // namespace
}  // namespace smpc::bench
