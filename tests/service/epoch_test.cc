#include "service/support.h"

namespace smpc {
namespace {

using testing::failure_of;
using testing::World;

TEST(Epoch, fault_37_BumpedItRefusesOlderBundles) {
  World world;
  const auto old = world.prefetched("alice", 2);
  world.stop_server();
  const std::uint64_t epoch = bump_epoch(world.state("server"));
  EXPECT_EQ(epoch, old[0].header.epoch + 1);
  world.start_server();
  {
    auto session = world.dial("alice");
    EXPECT_EQ(session.hello.epoch(), epoch);
    const auto refusal = session.ask(session.infer({old[0].header_bytes}));
    ASSERT_TRUE(refusal);
    EXPECT_EQ(refusal->code(), control::BUNDLE);
  }
  EXPECT_EQ(world.serials_used(), 0);
  EXPECT_EQ(world.stored("alice").size(), 0U);  // none that fits
  world.expect_good("alice", 2);                // with new ones
  EXPECT_EQ(world.serials_used(), 2);
}

TEST(Epoch, fault_37_ADealerOfTheOlderEpochHasNothing) {
  World world;
  world.expect_good();
  world.stop_server();
  world.stop_dealer();
  EXPECT_EQ(bump_epoch(world.state("server")), 2U);
  world.start_dealer();  // it knows of epoch 1 alone, until the server comes
  world.start_server();
  world.expect_good();
}

TEST(Epoch, ARunningServersStateIsNotTouched) {
  World world;
  const auto failure = failure_of([&] { bump_epoch(world.state("server")); });
  ASSERT_TRUE(failure);
  EXPECT_EQ(failure->kind, ErrorKind::bad_input);
  world.expect_good();
}

}  // namespace
}  // namespace smpc
