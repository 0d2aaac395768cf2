// What a client tells while it works, and how it is stopped.
#include <gtest/gtest.h>

#include <future>
#include <thread>

#include "smpc/net/tls.h"
#include "support.h"

namespace smpc::testing {
namespace {

ClientOptions options_of(World& world, const std::string& name) {
  ClientOptions o;
  o.server = world.server_address();
  o.dealer = world.dealer_address();
  o.state = world.state(name);
  return o;
}

TEST(Progress, TellsEveryPhaseOfAFirstInferenceInOrderWithItsBytes) {
  World world(Reveal::logits);
  std::vector<ClientProgress> told;
  std::vector<std::string> layers;
  ClientOptions o = options_of(world, "alice");
  o.progress = [&](const ClientProgress& p) {
    told.push_back(p);
    if (p.phase == ClientPhase::inference) layers.emplace_back(p.layer);
  };
  ClientService client(world.identity("alice", Role::client), o);
  client.connect();
  EXPECT_EQ(client.bundles(), 0U);
  EXPECT_FALSE(client.has_masked_weights());
  const auto volumes = world.volumes(2);
  world.expect_right(volumes, client.infer(volumes));
  EXPECT_TRUE(client.has_masked_weights());

  std::vector<ClientPhase> phases;
  for (const ClientProgress& p : told) {
    if (p.phase == ClientPhase::connecting || p.phase == ClientPhase::waiting_for_dealer) continue;
    if (phases.empty() || phases.back() != p.phase) phases.push_back(p.phase);
  }
  const std::vector<ClientPhase> wanted = {ClientPhase::program, ClientPhase::masked_weights, ClientPhase::randomness,
                                           ClientPhase::masking, ClientPhase::inference};
  EXPECT_EQ(phases, wanted);
  EXPECT_EQ(layers.back(), "opening");
  EXPECT_EQ(layers.front(), world.mlp().program.ops.front().name);
  const ClientProgress& last = told.back();
  EXPECT_EQ(last.done, last.whole);
  EXPECT_EQ(last.volumes, 2U);
  // All but what was sent before the phase was first told, with its first message.
  EXPECT_LE(last.received, client.cost().online.received);
  EXPECT_GT(last.received, 0U);
}

TEST(Progress, AClientThatTookItsLeaveComesBackWhenItAsks) {
  World world;
  ClientService client(world.identity("alice", Role::client), options_of(world, "alice"));
  client.connect();
  client.disconnect();
  client.disconnect();
  const auto volumes = world.volumes(1);
  world.expect_right(volumes, client.infer(volumes));
}

TEST(Progress, CancellingFromTheReportEndsTheCall) {
  World world;
  ClientService* running = nullptr;
  ClientOptions o = options_of(world, "alice");
  o.progress = [&](const ClientProgress& p) {
    if (p.phase == ClientPhase::masking) running->cancel();
  };
  {
    ClientService client(world.identity("alice", Role::client), o);
    running = &client;
    EXPECT_THROW(client.infer(world.volumes(1)), Cancelled);
    EXPECT_THROW(client.infer(world.volumes(1)), Cancelled);
  }
  EXPECT_EQ(world.stored().size(), 1U);  // nothing had left, so nothing is spent
  world.expect_good();
}

TEST(Progress, CancellingCutsAWaitForASilentServer) {
  World world;
  SilentService silent(world.identity("server", Role::server));
  ClientOptions o;
  o.server = silent.address();
  o.state = world.state("alice");
  ClientService client(world.identity("alice", Role::client), o);
  auto outcome = std::async(std::launch::async, [&] { return failure_of([&] { client.connect(); }); });
  silent.wait_for_a_client();
  client.cancel();
  ASSERT_EQ(outcome.wait_for(std::chrono::seconds(60)), std::future_status::ready);  // its own deadline is two minutes
  const auto failure = outcome.get();
  ASSERT_TRUE(failure);
  EXPECT_EQ(failure->text, "cancelled");
}

}  // namespace
}  // namespace smpc::testing
