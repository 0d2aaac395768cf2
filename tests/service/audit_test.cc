// The audit log of both sides: what it says of an inference, and that no change of it goes unseen.
#include "smpc/service/audit.h"

#include <sqlite3.h>

#include <nlohmann/json.hpp>

#include "server_state.h"
#include "service/support.h"

namespace smpc {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::failure_of;
using testing::World;

std::vector<json> records(const World& world, const std::string& name, Role role) {
  std::vector<json> out;
  read_audit(world.state(name), role, [&](std::string_view line) { out.push_back(json::parse(line)); });
  return out;
}

void edit(const std::filesystem::path& file, const std::string& sql) {
  sqlite3* db = nullptr;
  ASSERT_EQ(sqlite3_open(file.c_str(), &db), SQLITE_OK);
  EXPECT_EQ(sqlite3_exec(db, sql.c_str(), nullptr, nullptr, nullptr), SQLITE_OK) << sqlite3_errmsg(db);
  sqlite3_close(db);
}

TEST(Audit, BothSidesRecordTheSameInference) {
  World world;
  world.expect_good("alice", 2);
  world.stop_server();
  const auto server = records(world, "server", Role::server);
  const auto client = records(world, "alice", Role::client);
  ASSERT_EQ(server.size(), 2U);
  ASSERT_EQ(client.size(), 2U);
  for (const auto* log : {&server, &client}) {
    EXPECT_EQ((*log)[0]["event"], "begun");
    EXPECT_EQ((*log)[1]["event"], "completed");
    EXPECT_EQ((*log)[0]["previous"], std::string(64, '0'));
  }
  EXPECT_EQ(server[0]["peer"], "urn:smpc:client:alice");
  EXPECT_EQ(client[0]["peer"], "urn:smpc:server:server");
  EXPECT_EQ(server[0]["bundles"].size(), 2U);
  for (const char* same : {"bundles", "program", "reveal"}) EXPECT_EQ(server[1][same], client[1][same]) << same;
  EXPECT_EQ(server[1]["sent"], client[1]["received"]);
  EXPECT_EQ(server[1]["received"], client[1]["sent"]);
  EXPECT_GT(client[1]["sent"], 0);
}

// What is not in this list is in no record: no voxel, no share, no result, no text of a peer but its identity.
TEST(Audit, ARecordHoldsNothingElse) {
  World world;
  world.expect_good("alice", 1);
  world.stop_server();
  const std::set<std::string> known{"record", "previous", "time",    "event", "peer",    "program",
                                    "reveal", "bundles",  "refusal", "sent",  "received"};
  for (const auto& [name, role] : {std::pair{"server", Role::server}, std::pair{"alice", Role::client}}) {
    for (const json& r : records(world, name, role)) {
      for (const auto& [key, value] : r.items()) EXPECT_TRUE(known.contains(key)) << key;
    }
  }
}

TEST(Audit, ARefusalIsRecordedWithItsRule) {
  World world(Reveal::label, {.quota = 1});
  world.expect_good("alice", 1);
  EXPECT_TRUE(failure_of([&] { world.client("alice")->infer(world.volumes(1)); }));
  world.stop_server();
  for (const auto& [name, role] : {std::pair{"server", Role::server}, std::pair{"alice", Role::client}}) {
    const auto log = records(world, name, role);
    ASSERT_EQ(log.size(), 3U);
    EXPECT_EQ(log[2]["event"], "refused");
    EXPECT_EQ(log[2]["refusal"], "quota");
    EXPECT_EQ(verify_audit(world.state(name), role, {}).refused, 1U);
  }
}

TEST(Audit, AnInferenceThatIsCutHasFailedOnBothSides) {
  World world;
  world.client("alice")->prefetch(1);
  ClientOptions options = world.client_options("alice");
  ClientService* running = nullptr;
  options.progress = [&](const ClientProgress& p) {
    if (p.phase == ClientPhase::inference && p.done == 2) running->cancel();
  };
  ClientService client(world.identity("alice", Role::client), options);
  running = &client;
  ASSERT_TRUE(failure_of([&] { client.infer(world.volumes(1)); }));
  world.stop_server();
  EXPECT_EQ(verify_audit(world.state("alice"), Role::client, {}).failed, 1U);
  EXPECT_EQ(verify_audit(world.state("server"), Role::server, {}).failed, 1U);
}

TEST(Audit, AnInferenceThatWasCutByTheEndOfTheProcessHasNoEnd) {
  const test::TemporaryFolder folder;
  ServerState(folder.path()).record({.peer = "alice", .program = {}, .reveal = "label", .bundles = {Serial{}}});
  const AuditSummary s = verify_audit(folder.path(), Role::server, {});
  EXPECT_EQ(s.records, 1U);
  EXPECT_EQ(s.unfinished, 1U);
}

class AuditOfOne : public ::testing::TestWithParam<Role> {
 protected:
  AuditOfOne() {
    world_.expect_good("alice", 2);
    world_.expect_good("alice", 1);
    noted_ = verify_audit(state(), role(), {}).head;
    world_.expect_good("alice", 1);
    world_.stop_server();
  }
  Role role() const { return GetParam(); }
  fs::path state() const { return world_.state(role() == Role::server ? "server" : "alice"); }
  fs::path file() const { return state() / (std::string(role_name(role())) + ".db"); }
  std::string verdict() const {
    const auto failure = failure_of([&] { verify_audit(state(), role(), noted_); });
    return failure ? failure->text : "";
  }
  World world_;
  std::optional<Digest> noted_;
};

TEST_P(AuditOfOne, IsWholeAndHoldsWhatWasNoted) {
  const AuditSummary s = verify_audit(state(), role(), noted_);
  EXPECT_EQ(s.records, 6U);
  EXPECT_EQ(s.completed, 3U);
  EXPECT_EQ(s.failed + s.refused + s.unfinished, 0U);
  EXPECT_NE(s.head, *noted_);
}

TEST_P(AuditOfOne, EveryChangedRecordIsFound) {
  for (int n = 0; n < 5; ++n) {
    const std::string at = " WHERE number = " + std::to_string(n);
    edit(file(), "UPDATE audit SET record = replace(record, 'urn', 'nru')" + at);
    EXPECT_NE(verdict().find("record " + std::to_string(n + 1) + ": expected the digest"), std::string::npos) << verdict();
    edit(file(), "UPDATE audit SET record = replace(record, 'nru', 'urn')" + at);
  }
  EXPECT_EQ(verdict(), "");
}

TEST_P(AuditOfOne, EveryRemovedRecordIsFound) {
  for (int n = 0; n < 4; ++n) {
    edit(file(), "CREATE TABLE kept AS SELECT * FROM audit; DELETE FROM audit WHERE number = " + std::to_string(n));
    EXPECT_NE(verdict(), "") << n;
    edit(file(), "UPDATE audit SET number = number - 1 WHERE number > " + std::to_string(n));
    EXPECT_NE(verdict(), "") << n;
    edit(file(), "DELETE FROM audit; INSERT INTO audit SELECT * FROM kept; DROP TABLE kept");
  }
  EXPECT_EQ(verdict(), "");
}

// The end can be cut without breaking the chain: the journal tells it, or what was noted.
TEST_P(AuditOfOne, ACutEndIsFoundByTheJournalOrByWhatWasNoted) {
  edit(file(), "DELETE FROM audit WHERE number >= 4");
  if (role() == Role::server) {
    EXPECT_NE(verdict().find("no record names"), std::string::npos) << verdict();
  }
  edit(file(), "DELETE FROM audit WHERE number >= 2");
  EXPECT_NE(verdict(), "");
}

TEST_P(AuditOfOne, ABundleInTwoInferencesIsFound) {
  const auto log = records(world_, state().filename(), role());
  json again = log[4];
  again["record"] = 6;
  again["previous"] = to_hex(verify_audit(state(), role(), {}).head);
  edit(file(), "INSERT INTO audit VALUES (6, '" + again.dump() + "')");
  EXPECT_NE(verdict().find("record 6: it names a bundle"), std::string::npos) << verdict();
}

INSTANTIATE_TEST_SUITE_P(Audit, AuditOfOne, ::testing::Values(Role::server, Role::client),
                         [](const auto& p) { return std::string(role_name(p.param)); });

TEST(Audit, LookingAtNoStateMakesNone) {
  const test::TemporaryFolder folder;
  const auto failure = failure_of([&] { verify_audit(folder.path() / "none", Role::server, {}); });
  ASSERT_TRUE(failure);
  EXPECT_NE(failure->text.find("server.db"), std::string::npos) << failure->text;
  EXPECT_FALSE(std::filesystem::exists(folder.path() / "none"));
}

}  // namespace
}  // namespace smpc
