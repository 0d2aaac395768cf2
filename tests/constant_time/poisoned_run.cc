#include "poisoned_run.h"

#include <thread>

#include "poison.h"
#include "service/recording_channel.h"
#include "smpc/correlation/bundle.h"
#include "smpc/runtime/interpreter.h"

namespace smpc::testing {

Key secret_key() {
  const Key key = random_key();
  poison(key.reveal());
  return key;
}

Weights secret_copy(const Weights& weights) {
  Weights copy = weights;
  for (const LinearWeights& w : copy) {
    w.matrix.visit([](auto values) { poison(values); });
    poison(w.bias);
  }
  return copy;
}

Dealt deal(const Plan& plan, const Weights& secret_weights, std::size_t volumes) {
  const Digest program{};
  const MaskId id = mask_id(secret_key(), program, secret_weights);
  SMPC_CHECK(is_public(id));
  const Key shared = program_key(secret_key(), program, id);
  SMPC_CHECK(is_secret(shared.reveal()));
  const Key mask = mask_key(shared);
  SMPC_CHECK(is_secret(mask.reveal()));
  Dealt d;
  write_masked_weights(plan, secret_weights, mask, [&](ByteView row) {
    SMPC_CHECK(is_public(row));
    d.masked_weights.insert(d.masked_weights.end(), row.begin(), row.end());
  });
  for (std::size_t v = 0; v < volumes; ++v) {
    BundleHeader header;
    header.serial[0] = static_cast<std::byte>(v);
    d.seeds.push_back({server_seed(header, shared), secret_key()});
  }
  for (SecretBytes& corrections : make_corrections(plan, mask, d.seeds)) {
    SMPC_CHECK(is_secret(corrections));
    d.material.push_back({d.seeds[d.material.size()].client, std::move(corrections)});
  }
  finish_corrections(plan, d.masked_weights, d.material);
  for (const ClientMaterial& m : d.material) SMPC_CHECK(is_secret(m.corrections));
  return d;
}

void run(const Program& program, const Weights& weights, const RingVector& input, std::size_t volumes) {
  const Plan plan = correlation_plan(program);
  const Schedule schedule = make_schedule(program, plan, volumes);
  const Weights secret_weights = secret_copy(weights);
  RingVector secret_input = input;
  poison(secret_input);
  Dealt dealt = deal(plan, secret_weights, volumes);
  std::vector<Key> server_seeds;
  for (const BundleSeeds& s : dealt.seeds) server_seeds.push_back(s.server);
  const auto of_server = server_source(plan, std::move(server_seeds));
  const auto of_client = client_source(plan, std::move(dealt.material));
  const auto record = std::make_shared<Record>();
  RecordingChannel to_client(record, true);
  RecordingChannel to_server(record, false);
  PartyRun server = PartyRun::server(program, plan, schedule, *of_server, secret_weights);
  PartyRun client = PartyRun::client(program, plan, schedule, *of_client, std::move(secret_input));
  server.keep_shares();
  client.keep_shares();
  client.prepare();
  {
    std::jthread thread([&] { server.execute(to_client); });
    client.execute(to_server);
  }
  for (const RecordedFrame& f : record->frames()) SMPC_CHECK(is_public(f.header) && is_public(f.payload));
  const RingVector& result = client.result();
  SMPC_CHECK(is_public(result));
  for (std::size_t v = 0; v < volumes; ++v) {
    const std::size_t n = program.input().count;
    const auto volume = std::span(input).subspan(v * n, n);
    const RingVector expected = interpret(program, weights, RingVector(volume.begin(), volume.end())).back();
    SMPC_CHECK(std::ranges::equal(expected, std::span(result).subspan(v * expected.size(), expected.size())));
  }
  // What each holds of all that lies between is secret.
  for (std::size_t i = 1; i < program.tensors.size(); ++i) {
    const OpKind& kind = program.ops[i - 1].kind;
    if (std::holds_alternative<ArgMaxOp>(kind)) break;
    // Of a sign bit that is shifted out nothing is left: that result is zero for everyone.
    const auto* relu = std::get_if<ReluOp>(&kind);
    if (relu != nullptr && relu->shift + 1 == program.tensors[program.inputs_of(i - 1)[0]].ring.bits) continue;
    // What each does alone may be public: the server's share of the input is zero, and so are slices that are not there.
    if (std::holds_alternative<LocalPlan>(plan.ops[i - 1])) continue;
    SMPC_CHECK(is_secret(server.share(i)));
    SMPC_CHECK(is_secret(client.share(i)));
  }
}

}  // namespace smpc::testing
