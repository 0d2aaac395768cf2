#include "smpc/runtime/local_run.h"

#include <thread>

#include "smpc/correlation/masks.h"
#include "smpc/net/channel.h"
#include "smpc/runtime/two_party.h"

namespace smpc {

namespace {

// What a linear map's result carries for the opening that follows it, all volumes'; empty if nothing.
RingVector carried_mask(const Plan& plan, const OpPlan& op, const std::vector<BundleSeeds>& seeds) {
  RingVector all;
  const auto* linear = std::get_if<LinearPlan>(&op);
  if (linear == nullptr) return all;
  const auto& demand = std::get<LinearDemand>(plan.demands[linear->demand]);
  if (!demand.opening) return all;
  for (const BundleSeeds& s : seeds) {
    const RingVector one = opening_mask(plan, *demand.opening, s);
    all.insert(all.end(), one.begin(), one.end());
  }
  return all;
}

}  // namespace

LocalSources deal_locally(const Plan& plan, const Weights& weights, std::size_t volumes) {
  const Key mask = random_key();
  Bytes masked;
  masked.reserve(MaskedLayout(plan).bytes());
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
  return {std::move(seeds), server_source(plan, std::move(server_seeds)), client_source(plan, std::move(material))};
}

LocalRun run_locally(const Program& program, const Weights& weights, const RingVector& input, std::size_t volumes, bool tensors) {
  const Plan plan = correlation_plan(program);
  const Schedule schedule = make_schedule(program, plan, volumes);
  const LocalSources sources = deal_locally(plan, weights, volumes);
  const auto ends = memory_channels("urn:smpc:server:local", "urn:smpc:client:local");
  Channel& to_client = *ends.first;
  Channel& to_server = *ends.second;
  PartyRun server = PartyRun::server(program, plan, schedule, *sources.server, weights);
  PartyRun client = PartyRun::client(program, plan, schedule, *sources.client, input);
  if (tensors) server.keep_shares();
  if (tensors) client.keep_shares();
  std::jthread server_thread([&] { server.execute(to_client); });
  client.execute(to_server);
  server_thread.join();
  LocalRun run;
  run.output = client.result();
  const Traffic t = to_server.traffic();
  run.measured = {t.sent_bytes, t.received_bytes, t.sent_frames + t.received_frames};
  for (std::size_t i = 0; tensors && i < program.tensors.size(); ++i) {
    if (i > 0 && std::holds_alternative<ArgMaxOp>(program.ops[i - 1].kind)) break;
    RingVector joined = server.share(i);
    const RingVector& mine = client.share(i);
    if (joined.empty()) joined.resize(mine.size());
    const Ring ring = program.tensors[i].ring;
    for (std::size_t k = 0; k < joined.size(); ++k) joined[k] = ring.reduce(joined[k] + mine[k]);
    if (i > 0) {
      const RingVector mask = carried_mask(plan, plan.ops[i - 1], sources.seeds);
      for (std::size_t k = 0; k < mask.size(); ++k) joined[k] = ring.reduce(joined[k] - mask[k]);
    }
    run.tensors.push_back(std::move(joined));
  }
  return run;
}

}  // namespace smpc
