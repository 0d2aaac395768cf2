// What good parties get, and what it costs.
#include <future>

#include "service/support.h"
#include "smpc/runtime/schedule.h"
#include "smpc/service/limits.h"

namespace smpc {
namespace {

using testing::failure_of;
using testing::World;

TEST(Inference, TheLabelIsTheInterpretersBitForBit) {
  World world(Reveal::label);
  for (int i = 0; i < 5; ++i) world.expect_good();
  world.expect_good("alice", 3);
  world.expect_good("bob");
  EXPECT_EQ(world.serials_used(), 9);
}

TEST(Inference, TheLogitsAreTheInterpretersBitForBit) {
  World world(Reveal::logits);
  for (int i = 0; i < 5; ++i) world.expect_good();
  world.expect_good("alice", 3);
}

TEST(Inference, MeasuredTrafficIsThePredictedExactly) {
  for (const Reveal reveal : {Reveal::label, Reveal::logits}) {
    World world(reveal);
    for (const std::size_t n : {1U, 2U, 20U}) {
      const auto client = world.client();
      const auto input = world.volumes(n);
      world.expect_right(input, client->infer(input));
      const Cost expected = predicted_cost(make_schedule(world.mlp().program, world.plan(), n));
      EXPECT_EQ(client->cost().online.sent, expected.client_to_server) << n;
      EXPECT_EQ(client->cost().online.received, expected.server_to_client) << n;
      EXPECT_EQ(client->cost().messages, expected.messages) << n;
      EXPECT_EQ(client->cost().rounds, expected.messages) << n;
    }
  }
}

TEST(Inference, TwentyVolumesTakeAsManyMessagesAsOne) {
  World world;
  const auto one = world.client("alice");
  one->infer(world.volumes(1));
  const auto twenty = world.client("bob");
  const auto input = world.volumes(20);
  world.expect_right(input, twenty->infer(input));
  EXPECT_GT(one->cost().messages, 0U);
  EXPECT_EQ(twenty->cost().messages, one->cost().messages);
}

TEST(Inference, SeventyVolumesAreCutIntoTwoBatches) {
  World world;
  const auto client = world.client();
  const auto input = world.volumes(70);
  world.expect_right(input, client->infer(input));
  const Cost first = predicted_cost(make_schedule(world.mlp().program, world.plan(), most_volumes));
  const Cost second = predicted_cost(make_schedule(world.mlp().program, world.plan(), 70 - most_volumes));
  EXPECT_EQ(client->cost().messages, first.messages + second.messages);
  EXPECT_EQ(client->cost().online.sent, first.client_to_server + second.client_to_server);
  EXPECT_EQ(client->cost().online.received, first.server_to_client + second.server_to_client);
  EXPECT_EQ(world.serials_used(), 70);
}

TEST(Inference, WhatOneOfSeveralCostsIsToldApart) {
  World world;
  const auto client = world.client();
  client->prefetch(1);
  client->infer(world.volumes(1));
  const ClientCost before = client->cost();
  client->infer(world.volumes(3));
  const ClientCost own = client->cost() - before;
  const Cost expected = predicted_cost(make_schedule(world.mlp().program, world.plan(), 3));
  EXPECT_EQ(own.online.sent, expected.client_to_server);
  EXPECT_EQ(own.online.received, expected.server_to_client);
  EXPECT_EQ(own.rounds, expected.messages);
  EXPECT_EQ(own.setup.received, 0U);
  EXPECT_GT(own.offline.received, 0U);
  EXPECT_GT(own.control.received, 0U);
}

// A batch has been computed before a volume of the next one is asked for; a volume that cannot be had costs no bundle of
// its own batch.
TEST(Inference, VolumesAreAskedForWhenTheirBatchComes) {
  World world;
  const auto input = world.volumes(70);
  std::size_t asked = 0;
  {
    const auto client = world.client();
    const auto failure = failure_of([&] {
      client->infer(input.size(), [&]() -> RingVector {
        if (asked == most_volumes) {
          EXPECT_EQ(world.serials_used(), most_volumes);
        }
        if (asked == most_volumes + 3) fail_input("the file has changed");
        return input[asked++];
      });
    });
    ASSERT_TRUE(failure);
    EXPECT_EQ(failure->kind, ErrorKind::bad_input);
    EXPECT_EQ(failure->text, "the file has changed");
  }
  EXPECT_EQ(asked, most_volumes + 3);
  EXPECT_EQ(world.serials_used(), most_volumes);
  EXPECT_EQ(world.stored().size(), 6U);
}

TEST(Inference, CostsOfSetupAndBundlesAreCountedWhereTheyArise) {
  World world;
  const auto first = world.client();
  first->infer(world.volumes(1));
  const Bytes program = encode(world.mlp().program);
  std::uint64_t masked = 0;
  for (const Demand& d : world.plan().demands) {
    if (const auto* l = std::get_if<LinearDemand>(&d)) {
      masked += l->outputs * (MaskedLayout::row_bytes(*l) + frame_header_bytes);
    }
  }
  EXPECT_EQ(first->cost().setup.received, program.size() + frame_header_bytes + masked + frame_header_bytes + sizeof(Digest));
  EXPECT_GT(first->cost().offline.received, 32 + world.plan().correction_bytes());
  EXPECT_LE(first->cost().offline.received,
            32 + world.plan().correction_bytes() + longest_bundle_header + 2 * frame_header_bytes);
  EXPECT_GT(first->cost().control.received, 0U);
  const auto prefetching = world.client("bob");
  prefetching->prefetch(1);
  EXPECT_EQ(prefetching->cost().online.sent, 0U);
}

TEST(Inference, ASecondRunFetchesNothingAgain) {
  World world;
  world.client()->prefetch(3);
  const auto client = world.client();
  const auto input = world.volumes(2);
  world.expect_right(input, client->infer(input));
  EXPECT_EQ(client->cost().setup.received, 0U);
  EXPECT_EQ(client->cost().setup.sent, 0U);
  EXPECT_EQ(client->cost().offline.received, 0U);
  EXPECT_EQ(client->cost().offline.sent, 0U);
  EXPECT_EQ(world.stored().size(), 1U);
}

TEST(Inference, fault_30_NoDealerAndBundlesStored) {
  World world;
  world.client()->prefetch(3);
  world.stop_dealer();
  world.expect_good("alice", 2);
  world.expect_good("alice", 1);
  EXPECT_EQ(world.serials_used(), 3);
}

TEST(Inference, fault_30_NoDealerAndNothingStored) {
  World world;
  world.client("bob")->prefetch(1);
  world.stop_dealer();
  const auto input = world.volumes(2);
  for (const char* name : {"alice", "bob"}) {  // bob has one of the two that he needs: counted before the start
    const auto failure = failure_of([&] { world.client(name)->infer(input); });
    ASSERT_TRUE(failure);
    EXPECT_EQ(failure->kind, ErrorKind::no_bundles) << failure->text;
  }
  EXPECT_EQ(world.serials_used(), 0);
  world.expect_good("bob");
  world.start_dealer();
  world.expect_good("alice", 2);
}

TEST(Inference, ADealerThatStartsAgainKeepsItsRegistrations) {
  World world;
  world.expect_good();
  world.stop_dealer();
  world.start_dealer();
  world.expect_good("alice", 2);
}

// A client that comes while the server still waits for its dealer waits too, and is served.
TEST(Inference, AClientThatComesBeforeTheDealerIsServed) {
  World world;
  world.stop_server();
  world.stop_dealer();
  world.start_dealer();
  const std::string dealer = world.dealer_address();
  world.stop_dealer();
  world.start_server();  // it waits: nobody listens
  std::jthread later([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    world.start_dealer(dealer);
  });
  world.dial();
  later.join();
  world.expect_good();
}

// Nor does a server that is told to stop wait for a dealer on behalf of its clients.
TEST(Inference, AServerThatWaitsForItsDealerStops) {
  World world;
  world.stop_server();
  world.stop_dealer();
  world.start_server();
  const std::string address = world.server_address();
  const Identity& alice = world.identity("alice", Role::client);
  std::jthread client([&] {
    EXPECT_THROW(
        {
          const auto channel = tls_connect(address, alice, Role::server, test::within(test::plenty));
          receive_control<control::ServerHello>(*channel);
        },
        Error);
  });
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  auto stopped = std::async(std::launch::async, [&] { world.stop_server(); });
  EXPECT_EQ(stopped.wait_for(std::chrono::seconds(20)), std::future_status::ready);
}

TEST(Inference, ClientsAtOnceAreAllServed) {
  World world;
  const auto input = world.volumes(4);
  std::vector<std::vector<VolumeResult>> results(6);
  for (std::size_t i = 0; i < results.size(); ++i) world.identity("client-" + std::to_string(i), Role::client);
  {
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < results.size(); ++i) {
      threads.emplace_back([&, i] { results[i] = world.client("client-" + std::to_string(i))->infer(input); });
    }
  }
  for (const auto& r : results) world.expect_right(input, r);
  EXPECT_EQ(world.serials_used(), 24);
}

}  // namespace
}  // namespace smpc
