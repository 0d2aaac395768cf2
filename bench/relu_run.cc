#include "relu_run.h"

#include <ctime>
#include <random>
#include <thread>

#include "machine.h"
#include "smpc/net/channel.h"
#include "smpc/runtime/local_run.h"
#include "smpc/runtime/two_party.h"

namespace smpc::bench {
namespace {

// A linear map of one input hands on n values, as in a network: its mask is then the opening's in suite masked.
Program relu_program(Suite suite, std::size_t n) {
  Program p;
  p.suite = suite;
  p.reveal = Reveal::logits;
  p.inputs = {{"x", {1}, -1, 1}};
  p.tensors = {{1, 15, Ring{44}}, {n, 30, Ring{44}}, {n, 15, Ring{44}}};
  p.ops = {{"linear", LinearOp{1, n}}, {"relu", ReluOp{15}}};
  p.labels.assign(n, "");
  return p;
}

Weights random_weights(std::size_t n) {
  std::mt19937_64 rng(1);
  WeightMatrix::Wide matrix(n);
  for (auto& w : matrix) w = static_cast<std::int32_t>(rng());
  Weights all(1);
  all[0].matrix = WeightMatrix(std::move(matrix));
  all[0].bias.resize(n);
  return all;
}

// Of all threads of this process.
double processor_seconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

}  // namespace

ReluRun run_relu(Suite suite, std::size_t count) {
  const Program program = relu_program(suite, count);
  const Plan plan = correlation_plan(program);
  const Schedule schedule = make_schedule(program, plan, 1);
  const Weights weights = random_weights(count);
  const RingVector input(1, 12345);
  const LocalSources sources = deal_locally(plan, weights, 1);
  auto [to_client, to_server] = memory_channels("urn:smpc:server:s", "urn:smpc:client:c");
  const double start = seconds_now();
  const double processor_start = processor_seconds();
  PartyRun server = PartyRun::server(program, plan, schedule, *sources.server, weights);
  PartyRun client = PartyRun::client(program, plan, schedule, *sources.client, input);
  std::jthread other([&server, &channel = *to_client] { server.execute(channel); });
  client.execute(*to_server);
  other.join();
  ReluRun r;
  r.seconds = seconds_now() - start;
  r.processor_seconds = processor_seconds() - processor_start;
  const Cost relu = cost_by_op(program, schedule).at(1);
  const std::size_t of_linear = correction_bytes(plan.demands[std::get<LinearPlan>(plan.ops[0]).demand]);
  r.online_bytes = static_cast<double>(relu.client_to_server + relu.server_to_client);
  r.bundle_bytes = static_cast<double>(plan.correction_bytes() - of_linear);
  return r;
}

}  // namespace smpc::bench
