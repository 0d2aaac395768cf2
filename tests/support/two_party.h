// Both parties in one process, with a dealer: what protocol and runtime tests share.
#pragma once

#include <gtest/gtest.h>

#include <thread>

#include "smpc/correlation/dealer.h"
#include "smpc/correlation/masks.h"
#include "smpc/correlation/source.h"
#include "smpc/net/channel.h"
#include "smpc/runtime/interpreter.h"
#include "smpc/runtime/two_party.h"

namespace smpc::testing {

struct Sources {
  std::unique_ptr<CorrelationSource> server;
  std::unique_ptr<CorrelationSource> client;
};

// Correlations for `volumes` inferences of the plan, as dealer and client make them. `weights` may be empty where the
// plan has no linear op.
inline Sources deal(const Plan& plan, const Weights& weights, std::size_t volumes) {
  const Key mask = random_key();
  Bytes masked;
  write_masked_weights(plan, weights, mask, [&](ByteView row) { masked.insert(masked.end(), row.begin(), row.end()); });
  std::vector<BundleSeeds> seeds(volumes);
  std::vector<Key> server_seeds;
  for (BundleSeeds& s : seeds) {
    s = {random_key(), random_key()};
    server_seeds.push_back(s.server);
  }
  std::vector<SecretBytes> corrections = make_corrections(plan, mask, seeds);
  std::vector<ClientMaterial> material;
  for (std::size_t v = 0; v < volumes; ++v) material.push_back({seeds[v].client, std::move(corrections[v])});
  finish_corrections(plan, masked, material);
  return {server_source(plan, std::move(server_seeds)), client_source(plan, std::move(material))};
}

struct TwoPartyResult {
  RingVector output;                  // the client's
  std::vector<RingVector> tensors;    // both shares joined, tensor by tensor (not an opened index)
  Cost measured;                      // by the client's channel
};

// Runs a program between two threads over a memory channel.
inline TwoPartyResult run_two_party(const Program& program, const Weights& weights, const RingVector& input,
                                    std::size_t volumes) {
  const Plan plan = correlation_plan(program);
  const Schedule schedule = make_schedule(program, plan, volumes);
  Sources sources = deal(plan, weights, volumes);
  auto [to_client, to_server] = memory_channels("urn:smpc:server:s", "urn:smpc:client:c");
  PartyRun server = PartyRun::server(program, plan, schedule, *sources.server, weights);
  PartyRun client = PartyRun::client(program, plan, schedule, *sources.client, input);
  std::jthread server_thread([&] { server.execute(*to_client); });
  client.execute(*to_server);
  server_thread.join();
  TwoPartyResult result;
  result.output = client.result();
  const Traffic t = to_server->traffic();
  result.measured = {t.sent_bytes, t.received_bytes, t.sent_frames + t.received_frames};
  EXPECT_EQ(result.measured, predicted_cost(schedule));
  for (std::size_t i = 0; i < program.tensors.size(); ++i) {
    if (i > 0 && std::holds_alternative<ArgMaxOp>(program.ops[i - 1].kind)) break;
    RingVector joined = server.share(i);
    for (std::size_t k = 0; k < joined.size(); ++k) {
      joined[k] = program.tensors[i].ring.reduce(joined[k] + client.share(i)[k]);
    }
    result.tensors.push_back(std::move(joined));
  }
  return result;
}

}  // namespace smpc::testing
