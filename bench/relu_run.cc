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

// Of all threads of this process.
double processor_seconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

}  // namespace

ReluRun run_relu(Suite suite, std::size_t count) {
  const Program program = relu_program(suite, count);
  const Plan plan = correlation_plan(program);
  const Schedule schedule = make_schedule(program, plan, 1);
  RingVector input(count);
  std::mt19937_64 rng(1);
  for (auto& x : input) x = program.input().ring.reduce(rng());
  const LocalSources sources = deal_locally(plan, {}, 1);
  auto [to_client, to_server] = memory_channels("urn:smpc:server:s", "urn:smpc:client:c");
  const double start = seconds_now();
  const double processor_start = processor_seconds();
  PartyRun server = PartyRun::server(program, plan, schedule, *sources.server, {});
  PartyRun client = PartyRun::client(program, plan, schedule, *sources.client, input);
  std::jthread other([&server, &channel = *to_client] { server.execute(channel); });
  client.execute(*to_server);
  other.join();
  ReluRun r;
  r.seconds = seconds_now() - start;
  r.processor_seconds = processor_seconds() - processor_start;
  const Cost relu = cost_by_op(program, schedule).front();
  r.online_bytes = static_cast<double>(relu.client_to_server + relu.server_to_client);
  r.bundle_bytes = static_cast<double>(plan.correction_bytes());
  return r;
}

}  // namespace smpc::bench
