// ReLU with its truncation: what the dealer and both parties do for it, in one process. Time for both parties together.
#include <benchmark/benchmark.h>

#include <random>
#include <thread>

#include "smpc/net/channel.h"
#include "smpc/runtime/local_run.h"
#include "smpc/runtime/two_party.h"

namespace smpc {
namespace {

Program relu_program(std::size_t n) {
  Program p;
  p.reveal = Reveal::logits;
  p.input_shape = {n};
  p.input_range = 1;
  p.tensors = {{n, 30, Ring{44}}, {n, 15, Ring{44}}};
  p.ops = {{"relu", ReluOp{15}}};
  p.labels.assign(n, "");
  return p;
}

void relu_with_truncation(benchmark::State& state) {
  const auto n = static_cast<std::size_t>(state.range(0));
  const Program program = relu_program(n);
  const Plan plan = correlation_plan(program);
  const Schedule schedule = make_schedule(program, plan, 1);
  RingVector input(n);
  std::mt19937_64 rng(1);
  for (auto& x : input) x = program.input().ring.reduce(rng());
  for (auto _ : state) {
    state.PauseTiming();
    const LocalSources sources = deal_locally(plan, {}, 1);
    auto [to_client, to_server] = memory_channels("urn:smpc:server:s", "urn:smpc:client:c");
    state.ResumeTiming();
    PartyRun server = PartyRun::server(program, plan, schedule, *sources.server, {});
    PartyRun client = PartyRun::client(program, plan, schedule, *sources.client, input);
    std::jthread other([&] { server.execute(*to_client); });
    client.execute(*to_server);
    other.join();
    benchmark::DoNotOptimize(client.result().data());
  }
  state.counters["per_element"] =
      benchmark::Counter(static_cast<double>(n), benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
  const Cost cost = predicted_cost(schedule);
  state.counters["online_bytes"] = static_cast<double>(cost.client_to_server + cost.server_to_client) / static_cast<double>(n);
  state.counters["bundle_bytes"] = static_cast<double>(plan.correction_bytes()) / static_cast<double>(n);
}

BENCHMARK(relu_with_truncation)->Arg(1 << 10)->Arg(1 << 16)->Arg(1 << 20)->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace
}  // namespace smpc
