// fault 42: a client past its quota, or all of them past theirs, also after a restart.
#include "server_state.h"
#include "service/support.h"

namespace smpc {
namespace {

using testing::failure_of;
using testing::World;

void expect_over_quota(World& world, const std::string& name, std::size_t volumes) {
  const auto used = world.serials_used();
  world.client(name)->prefetch(volumes);
  const auto before = world.stored(name).size();
  const auto failure = failure_of([&] { world.client(name)->infer(world.volumes(volumes)); });
  ASSERT_TRUE(failure) << "the quota was passed";
  EXPECT_EQ(failure->kind, ErrorKind::peer);
  EXPECT_NE(failure->text.find("quota"), std::string::npos) << failure->text;
  EXPECT_EQ(world.serials_used(), used);
  EXPECT_EQ(world.stored(name).size(), before) << "a refusal cost a bundle";
}

TEST(Quota, fault_42_PerClientAlsoAfterARestart) {
  World world(Reveal::label, {.quota = 3});
  world.expect_good("alice", 2);
  expect_over_quota(world, "alice", 2);
  world.expect_good("alice", 1);
  expect_over_quota(world, "alice", 1);
  world.expect_good("bob", 3);
  world.restart_server();
  expect_over_quota(world, "alice", 1);
  expect_over_quota(world, "bob", 1);
  world.expect_good("carol", 1);
}

TEST(Quota, fault_42_InTotalAlsoAfterARestart) {
  World world(Reveal::label, {.quota_total = 3});
  world.expect_good("alice", 1);
  world.expect_good("bob", 1);
  expect_over_quota(world, "carol", 2);
  world.expect_good("carol", 1);
  world.restart_server();
  for (const char* name : {"alice", "bob", "carol", "dave"}) expect_over_quota(world, name, 1);
}

TEST(Quota, fault_42_InOneSession) {
  World world(Reveal::label, {.quota = 65});
  // The second batch is refused: 64 of 70 volumes are within it, and 6 more are not.
  EXPECT_TRUE(failure_of([&] { world.client()->infer(world.volumes(70)); }));
  EXPECT_EQ(world.serials_used(), 64);
  world.expect_good("alice", 1);
}

Serial serial(unsigned n) {
  Serial s{};
  s[0] = static_cast<std::byte>(n);
  return s;
}

AuditSubject inference(std::vector<Serial> serials) {
  return {.peer = "a", .program = {}, .reveal = "label", .bundles = std::move(serials)};
}

// Journaled but not yet released, as at the moment when the client has its result: it counts once.
TEST(Quota, CountsAVolumeOnceWhileItsSessionEnds) {
  const test::TemporaryFolder folder;
  ServerState state(folder.path());
  using R = ServerState::Reserve;
  ASSERT_EQ(state.reserve({serial(1)}, "a", 2, 2), R::done);
  state.record(inference({serial(1)}));
  EXPECT_EQ(state.reserve({serial(1)}, "a", 2, 2), R::spent);
  ASSERT_EQ(state.reserve({serial(2)}, "a", 2, 2), R::done);
  state.release({serial(1)}, "a");
  EXPECT_EQ(state.reserve({serial(3)}, "a", 2, 0), R::over_quota) << "serial 2 is still in use";
  EXPECT_EQ(state.reserve({serial(3)}, "b", 2, 2), R::over_quota);
  state.release({serial(2)}, "a");
  EXPECT_EQ(state.reserve({serial(3)}, "a", 2, 2), R::done);
  EXPECT_EQ(state.reserve({serial(4)}, "a", 2, 2), R::over_quota);
}

TEST(Quota, fault_21_ARecordedSerialIsNotRecordedAgain) {
  const test::TemporaryFolder folder;
  {
    ServerState state(folder.path());
    state.record(inference({serial(1), serial(2)}));
    EXPECT_THROW(state.record(inference({serial(3), serial(2)})), Error);
    EXPECT_EQ(state.reserve({serial(3)}, "a", 0, 0), ServerState::Reserve::done) << "half of a transaction was kept";
  }
  ServerState again(folder.path());
  EXPECT_EQ(again.reserve({serial(2)}, "b", 0, 0), ServerState::Reserve::spent);
}

}  // namespace
}  // namespace smpc
