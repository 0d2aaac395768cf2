#include "relu_run.h"

#include <random>
#include <thread>

#include "machine.h"
#include "smpc/base/error.h"
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

// A reserved suite makes the plan of another.
bool exists(Suite suite) {
  if (suite == Suite::cryptflow2) return true;
  try {
    return correlation_plan(relu_program(suite, 1000)).correction_bytes() !=
           correlation_plan(relu_program(Suite::cryptflow2, 1000)).correction_bytes();
  } catch (const Error&) {
    return false;
  }
}

}  // namespace

std::optional<ReluRun> run_relu(Suite suite, std::size_t count) {
  if (!exists(suite)) return {};
  const Program program = relu_program(suite, count);
  const Plan plan = correlation_plan(program);
  const Schedule schedule = make_schedule(program, plan, 1);
  RingVector input(count);
  std::mt19937_64 rng(1);
  for (auto& x : input) x = program.input().ring.reduce(rng());
  const LocalSources sources = deal_locally(plan, {}, 1);
  auto [to_client, to_server] = memory_channels("urn:smpc:server:s", "urn:smpc:client:c");
  const double start = seconds_now();
  PartyRun server = PartyRun::server(program, plan, schedule, *sources.server, {});
  PartyRun client = PartyRun::client(program, plan, schedule, *sources.client, input);
  std::jthread other([&server, &channel = *to_client] { server.execute(channel); });
  client.execute(*to_server);
  other.join();
  ReluRun r;
  r.seconds = seconds_now() - start;
  const Cost relu = cost_by_op(program, schedule).front();
  r.online_bytes = static_cast<double>(relu.client_to_server + relu.server_to_client);
  r.bundle_bytes = static_cast<double>(plan.correction_bytes());
  return r;
}

}  // namespace smpc::bench
