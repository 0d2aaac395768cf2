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

// The client alone goes back: the server still knows what was used, and what it refuses is not offered again.
TEST(Restore, fault_37_OfTheClientAlone) {
  World world;
  world.prefetched("alice", 1);
  std::filesystem::copy(world.state("alice"), world.state("backup"), std::filesystem::copy_options::recursive);
  world.expect_good("alice");
  std::filesystem::remove_all(world.state("alice"));
  std::filesystem::copy(world.state("backup"), world.state("alice"), std::filesystem::copy_options::recursive);
  const auto failure = failure_of([&] { world.client("alice")->infer(world.volumes(1)); });
  ASSERT_TRUE(failure) << "a bundle was used twice";
  EXPECT_EQ(failure->kind, ErrorKind::peer);
  EXPECT_EQ(world.serials_used(), 1);
  world.expect_good("alice");
  EXPECT_EQ(world.serials_used(), 2);
}

// The server's journal goes back: its epoch is bumped, and a bundle that it has forgotten is refused all the same.
TEST(Restore, fault_37_OfTheServerWithItsEpochBumped) {
  World world;
  const Bytes header = world.prefetched("alice", 1).front().header_bytes;
  world.stop_server();
  std::filesystem::copy(world.state("server"), world.state("backup"), std::filesystem::copy_options::recursive);
  world.start_server();
  world.expect_good("alice");
  world.stop_server();
  std::filesystem::remove_all(world.state("server"));
  std::filesystem::copy(world.state("backup"), world.state("server"), std::filesystem::copy_options::recursive);
  bump_epoch(world.state("server"));
  world.start_server();
  ASSERT_EQ(world.serials_used(), 0);  // forgotten
  {
    auto session = world.dial("alice");
    const auto refusal = session.ask(session.infer({header}));
    ASSERT_TRUE(refusal) << "a bundle was used twice";
    EXPECT_EQ(refusal->code(), control::BUNDLE);
  }
  world.expect_good("alice");
}

// Both go back: what either of them kept is of an epoch that the server no longer takes.
TEST(Restore, fault_37_OfBothWithTheEpochBumped) {
  World world;
  const ClientBundle kept = world.prefetched("alice", 1).front();
  world.stop_server();
  for (const std::string name : {"server", "alice"}) {
    std::filesystem::copy(world.state(name), world.state("backup-" + name), std::filesystem::copy_options::recursive);
  }
  world.start_server();
  world.expect_good("alice");
  world.stop_server();
  for (const std::string name : {"server", "alice"}) {
    std::filesystem::remove_all(world.state(name));
    std::filesystem::copy(world.state("backup-" + name), world.state(name), std::filesystem::copy_options::recursive);
  }
  const std::uint64_t epoch = bump_epoch(world.state("server"));
  world.start_server();
  EXPECT_EQ(world.serials_used(), 0);           // forgotten
  EXPECT_EQ(world.stored("alice").size(), 0U);  // none that fits
  const auto fresh = world.prefetched("alice", 1);
  EXPECT_NE(fresh.front().header.serial, kept.header.serial);
  EXPECT_EQ(fresh.front().header.epoch, epoch);
  world.expect_good("alice");
  EXPECT_EQ(world.serials_used(), 1);
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
