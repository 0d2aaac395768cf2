// ReLU with its truncation: what the dealer and both parties do for it, in one process. Wall time, and the
// processor time of both parties together.
#include <benchmark/benchmark.h>

#include <ctime>
#include <random>
#include <thread>

#include "smpc/net/channel.h"
#include "smpc/runtime/local_run.h"
#include "smpc/runtime/two_party.h"

namespace smpc {
namespace {

Program relu_program(Suite suite, std::size_t n) {
  Program p;
  p.suite = suite;
  p.reveal = Reveal::logits;
  p.input_shape = {n};
  p.input_range = 1;
  p.tensors = {{n, 30, Ring{44}}, {n, 15, Ring{44}}};
  p.ops = {{"relu", ReluOp{15}}};
  p.labels.assign(n, "");
  return p;
}

// Process time: of both parties' threads together.
double cpu_seconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

void relu_with_truncation(benchmark::State& state, Suite suite) {
  const auto n = static_cast<std::size_t>(state.range(0));
  const Program program = relu_program(suite, n);
  const Plan plan = correlation_plan(program);
  const Schedule schedule = make_schedule(program, plan, 1);
  RingVector input(n);
  std::mt19937_64 rng(1);
  for (auto& x : input) x = program.input().ring.reduce(rng());
  double cpu = 0;
  for (auto _ : state) {
    state.PauseTiming();
    const LocalSources sources = deal_locally(plan, {}, 1);
    auto [to_client, to_server] = memory_channels("urn:smpc:server:s", "urn:smpc:client:c");
    state.ResumeTiming();
    const double before = cpu_seconds();
    PartyRun server = PartyRun::server(program, plan, schedule, *sources.server, {});
    PartyRun client = PartyRun::client(program, plan, schedule, *sources.client, input);
    std::jthread other([&] { server.execute(*to_client); });
    client.execute(*to_server);
    other.join();
    benchmark::DoNotOptimize(client.result().data());
    cpu += cpu_seconds() - before;
  }
  const auto values = static_cast<double>(n);
  state.counters["cpu_ns_per_value"] = 1e9 * cpu / (static_cast<double>(state.iterations()) * values);
  // The op's own: without the opening of the result and without frame headers.
  const Cost cost = cost_by_op(program, schedule).front();
  state.counters["online_bytes"] = static_cast<double>(cost.client_to_server + cost.server_to_client) / values;
  state.counters["bundle_bytes"] = static_cast<double>(plan.correction_bytes()) / values;
}

BENCHMARK_CAPTURE(relu_with_truncation, cryptflow2, Suite::cryptflow2)
    ->Arg(1 << 10)->Arg(1 << 16)->Arg(1 << 20)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK_CAPTURE(relu_with_truncation, masked, Suite::masked)
    ->Arg(1 << 10)->Arg(1 << 16)->Arg(1 << 20)->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace
}  // namespace smpc
