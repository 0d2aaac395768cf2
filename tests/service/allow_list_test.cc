// Who may come in, and how a service that is stopped lets go of those who are in.
#include <future>
#include <utility>

#include "service/support.h"
#include "smpc/base/file.h"
#include "smpc/service/allow_list.h"

namespace smpc {
namespace {

using testing::failure_of;
using testing::RawSession;
using testing::World;

constexpr auto alice = "urn:smpc:client:alice";

class AllowListFile : public ::testing::Test {
 protected:
  void write(const std::string& text) { write_file(path_, as_bytes(text)); }
  const test::TemporaryFolder folder_;
  const std::filesystem::path path_ = folder_.path() / "clients";
};

TEST_F(AllowListFile, HoldsIdentitiesCommentsAndEmptyLines) {
  write(std::string("# who\n\n  ") + alice + "  # since May\r\nurn:smpc:client:bob\n");
  const AllowList list(path_);
  EXPECT_EQ(list.turn_away({Role::client, "alice"}), "");
  EXPECT_EQ(list.turn_away({Role::client, "bob"}), "");
  EXPECT_NE(list.turn_away({Role::client, "carol"}).find("urn:smpc:client:carol"), std::string::npos);
  EXPECT_EQ(list.turn_away({Role::server, "carol"}), "");  // not this list's
  EXPECT_EQ(list.text(), "2 clients on the allow-list " + path_.string());
}

TEST_F(AllowListFile, AnEmptyOneLetsNobodyIn) {
  write("");
  EXPECT_NE(AllowList(path_).turn_away({Role::client, "alice"}), "");
}

TEST_F(AllowListFile, WithoutOneEveryClientMayComeIn) { EXPECT_EQ(AllowList("").turn_away({Role::client, "alice"}), ""); }

TEST_F(AllowListFile, WhatCannotBeReadIsRefusedByItsLineAndKeepsTheListOfBefore) {
  write(std::string(alice) + "\n");
  AllowList list(path_);
  for (const char* bad : {"urn:smpc:server:alice", "alice", "urn:smpc:client:", "urn:smpc:client:a b"}) {
    write(std::string("# heading\n") + bad + "\n");
    const auto failure = failure_of([&] { list.reload(); });
    ASSERT_TRUE(failure) << bad;
    EXPECT_EQ(failure->kind, ErrorKind::bad_input);
    EXPECT_NE(failure->text.find("line 2"), std::string::npos) << failure->text;
    EXPECT_EQ(list.turn_away({Role::client, "alice"}), "");
  }
  std::filesystem::remove(path_);
  ASSERT_TRUE(failure_of([&] { list.reload(); }));
  EXPECT_EQ(list.turn_away({Role::client, "alice"}), "");
  write("urn:smpc:client:bob\n");
  list.reload();
  EXPECT_NE(list.turn_away({Role::client, "alice"}), "");
}

// Server and dealer with one list; it is read again while they serve.
TEST_F(AllowListFile, fault_08_AnIdentityTakenOffIsRefusedFromItsNextConnection) {
  write(std::string(alice) + "\nurn:smpc:client:bob\n");
  World world(Reveal::label, {.allow = path_});
  world.expect_good("alice");
  RawSession open = world.dial("alice");
  write("urn:smpc:client:bob\n");
  world.reload();
  // The connection that is open goes on.
  auto request = open.request();
  request.mutable_fetch_program();
  EXPECT_FALSE(open.ask(request));
  const auto used = world.serials_used();
  const auto failure = failure_of([&] { world.client("alice")->prefetch(1); });
  ASSERT_TRUE(failure);
  EXPECT_EQ(failure->kind, ErrorKind::peer);
  EXPECT_NE(failure->text.find("allow-list"), std::string::npos) << failure->text;
  EXPECT_EQ(world.serials_used(), used);
  EXPECT_TRUE(failure_of([&] { world.dial_dealer("alice"); }));
  world.expect_good("bob");
}

TEST(Sessions, OfOneClientAreBoundedAndOthersComeIn) {
  World world(Reveal::label, {.max_sessions_per_peer = 2});
  std::vector<RawSession> open;
  for (int i = 0; i < 2; ++i) open.push_back(world.dial("alice"));
  const auto failure = failure_of([&] { world.dial("alice"); });
  ASSERT_TRUE(failure);
  EXPECT_NE(failure->text.find("busy: all 2 sessions that urn:smpc:client:alice may have at once are taken"), std::string::npos)
      << failure->text;
  world.expect_good("bob");
  open.clear();
  while (failure_of([&] { world.dial("alice"); })) std::this_thread::yield();
}

TEST(Stop, ASessionBetweenTwoRequestsEndsAtOnce) {
  World world;
  RawSession idle = world.dial("alice");
  world.stop_server();  // waits for run() to end; the drain is half a minute
  EXPECT_TRUE(failure_of([&] { receive_control<control::Reply>(*idle.channel); }));
}

TEST(Stop, fault_43_AnInferenceInProgressIsFinished) {
  World world;
  world.client("alice")->prefetch(1);
  std::promise<void> begun;
  std::promise<void> told;
  auto stopped = told.get_future().share();
  ClientOptions options = world.client_options("alice");
  options.progress = [&, once = false](const ClientProgress& p) mutable {
    if (p.phase != ClientPhase::inference || p.done < 2 || std::exchange(once, true)) return;
    begun.set_value();
    stopped.wait();
  };
  const auto input = world.volumes(1);
  auto result = std::async(std::launch::async, [&] {
    return ClientService(world.identity("alice", Role::client), options).infer(input);
  });
  begun.get_future().wait();
  world.stop_server_and([&] { told.set_value(); });
  world.expect_right(input, result.get());
  EXPECT_EQ(world.serials_used(), 1);
}

}  // namespace
}  // namespace smpc
