// State folders: one process each, and what is stored is used whole or not at all.
#include <future>

#include "service/support.h"
#include "state_lock.h"

namespace smpc {
namespace {

namespace fs = std::filesystem;
using testing::failure_of;
using testing::World;

TEST(StateFolder, fault_38_ASecondDaemonIsRefused) {
  World world;
  DealerOptions dealer;
  dealer.listen = "127.0.0.1:0";
  dealer.state = world.state("dealer");
  ServerOptions server;
  server.listen = "127.0.0.1:0";
  server.state = world.state("server");
  const std::function<void()> starts[] = {
      [&] { DealerService second(world.identity("dealer", Role::dealer), dealer); },
      [&] { ServerService second(world.identity("server", Role::server), world.mlp().program, world.mlp().weights, server); },
  };
  for (const auto& start : starts) {
    const auto failure = failure_of(start);
    ASSERT_TRUE(failure);
    EXPECT_EQ(failure->kind, ErrorKind::bad_input);
    EXPECT_NE(failure->text.find("state folder"), std::string::npos) << failure->text;
  }
  world.expect_good();
}

TEST(StateFolder, fault_38_ASecondClientCommandWaitsItsTurn) {
  World world;
  auto first = world.client("alice");
  first->prefetch(1);
  std::atomic<bool> released = false;
  auto second = std::async(std::launch::async, [&] {
    const auto client = world.client("alice");
    EXPECT_TRUE(released);
    return client->prefetch(2);
  });
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  released = true;
  first.reset();
  EXPECT_EQ(second.get(), 2U);
}

// A command that waits for bundles leaves the folder to others.
TEST(StateFolder, fault_38_AClientThatWaitsForBundlesBlocksNobody) {
  World world;
  world.client("alice")->prefetch(2);
  world.stop_dealer();
  testing::SilentService dealer(world.identity("dealer", Role::dealer));
  ClientOptions options = world.client_options("alice");
  options.dealer = dealer.address();
  ClientService waiting(world.identity("alice", Role::client), options);
  auto ended = std::async(std::launch::async, [&] { return failure_of([&] { waiting.prefetch(3); }); });
  dealer.wait_for_a_client();
  world.expect_good("alice", 2);
  waiting.cancel();
  const auto failure = ended.get();
  ASSERT_TRUE(failure);
  EXPECT_EQ(failure->text, "cancelled");
}

// One whose wait ended with an error takes the folder again before it goes on.
TEST(StateFolder, fault_38_AfterAFailedWaitTheFolderIsTakenAgain) {
  World world;
  const auto client = world.client("alice");
  world.stop_dealer();
  ASSERT_TRUE(failure_of([&] { client->prefetch(1); }));
  client->connect();
  EXPECT_TRUE(failure_of([&] { StateLock(world.state("alice"), "smpc-client", std::chrono::milliseconds(0)); }));
}

// Two that hold the same bundle, whatever made them: the store lets one of them spend it.
TEST(StateFolder, ABundleIsSpentOnceWhoeverHasOpenedIt) {
  World world;
  const auto bundles = world.prefetched("alice", 2);
  ClientState one(world.state("alice"));
  ClientState other(world.state("alice"));
  const auto with = [](std::vector<Serial> serials) {
    return AuditSubject{.peer = "server", .program = {}, .reveal = "label", .bundles = std::move(serials)};
  };
  one.spend(with({bundles[0].header.serial}));
  const auto failure = failure_of([&] { other.spend(with({bundles[0].header.serial, bundles[1].header.serial})); });
  ASSERT_TRUE(failure);
  EXPECT_NE(failure->text.find("spent"), std::string::npos) << failure->text;
  EXPECT_EQ(world.stored("alice").size(), 1U);  // of the other bundle nothing was lost
}

TEST(StateFolder, fault_38_AndIsRefusedWhenItsTurnDoesNotCome) {
  const test::TemporaryFolder folder;
  const StateLock held(folder.path(), "smpc-client", std::chrono::milliseconds(0));
  const auto failure = failure_of([&] { StateLock(folder.path(), "smpc-client", std::chrono::milliseconds(200)); });
  ASSERT_TRUE(failure);
  EXPECT_EQ(failure->kind, ErrorKind::bad_input);
  EXPECT_NE(failure->text.find("smpc-client"), std::string::npos) << failure->text;
}

TEST(StateFolder, IsForItsOwnerAlone) {
  World world;
  world.expect_good();
  for (const char* name : {"dealer", "server", "alice"}) {
    for (const auto& entry : fs::recursive_directory_iterator(world.state(name))) {
      const auto others = entry.status().permissions() & (fs::perms::group_all | fs::perms::others_all);
      EXPECT_TRUE(entry.is_directory() || others == fs::perms::none) << entry.path();
    }
    EXPECT_EQ(fs::status(world.state(name)).permissions(), fs::perms::owner_all);
  }
}

class StoredBundles : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_EQ(world_.prefetched("alice", 3).size(), 3U); }

  void edit(const char* sql) { Database(world_.state("alice") / "client.db", "").execute(sql); }

  // `broken` of the three are of no use; no inference is ever wrong, and what is broken is never offered.
  void expect_set_aside(std::size_t broken) {
    EXPECT_EQ(world_.stored("alice").size(), 3 - broken);
    EXPECT_EQ(world_.stored("alice").size(), 3 - broken);
    world_.stop_dealer();
    if (broken < 3) world_.expect_good("alice", 3 - broken);
    EXPECT_EQ(world_.serials_used(), static_cast<std::int64_t>(3 - broken));
    const auto failure = failure_of([&] { world_.client("alice")->infer(world_.volumes(1)); });
    ASSERT_TRUE(failure);
    EXPECT_EQ(failure->kind, ErrorKind::no_bundles);
    world_.start_dealer();
    world_.expect_good("alice", 2);
  }

  // So many bundles are spent, of which nothing else is stored, and so many are unspent and whole.
  void expect_stored(std::int64_t spent, std::int64_t unspent) {
    Database db(world_.state("alice") / "client.db", "");
    Statement rows = db.prepare(
        "SELECT sum(state = 1), sum(state = 0), sum(state = (c.serial IS NULL)), sum(state = (k.serial IS NULL)), "
        "(SELECT count(*) FROM contents), (SELECT count(*) FROM keys) "
        "FROM bundles b LEFT JOIN (SELECT DISTINCT serial FROM contents) c USING (serial) LEFT JOIN keys k USING (serial)");
    ASSERT_TRUE(rows.step());
    EXPECT_EQ(rows.integer(0), spent);
    EXPECT_EQ(rows.integer(1), unspent);
    EXPECT_EQ(rows.integer(2), spent + unspent);
    EXPECT_EQ(rows.integer(3), spent + unspent);
    EXPECT_EQ(rows.integer(4), unspent);  // one piece each
    EXPECT_EQ(rows.integer(5), unspent);
  }

  World world_;
};

const char* const one = "rowid = (SELECT min(rowid) FROM contents)";

TEST_F(StoredBundles, fault_34_AFlippedByte) {
  Bytes sealed;
  {
    Database db(world_.state("alice") / "client.db", "");
    Statement row = db.prepare(std::string("SELECT sealed FROM contents WHERE ") + one);
    ASSERT_TRUE(row.step());
    sealed = row.blob(0);
  }
  sealed[sealed.size() / 2] ^= std::byte{1};
  {
    Database db(world_.state("alice") / "client.db", "");
    db.prepare(std::string("UPDATE contents SET sealed = ? WHERE ") + one).bind(ByteView(sealed)).run();
  }
  expect_set_aside(1);
}

TEST_F(StoredBundles, fault_34_ACutOne) {
  edit("UPDATE contents SET sealed = substr(sealed, 1, length(sealed) - 1) WHERE rowid = (SELECT min(rowid) FROM bundles)");
  expect_set_aside(1);
}

TEST_F(StoredBundles, fault_34_TwoThatChangedPlaces) {
  edit("CREATE TEMP TABLE t AS SELECT min(rowid) a, max(rowid) b FROM bundles;"
       "CREATE TEMP TABLE s AS SELECT rowid r, sealed FROM contents;"
       "UPDATE contents SET sealed = (SELECT sealed FROM s WHERE r = (SELECT b FROM t)) WHERE rowid = (SELECT a FROM t);"
       "UPDATE contents SET sealed = (SELECT sealed FROM s WHERE r = (SELECT a FROM t)) WHERE rowid = (SELECT b FROM t);");
  expect_set_aside(2);
}

TEST_F(StoredBundles, fault_34_HeadersThatChangedPlaces) {
  edit("CREATE TEMP TABLE t AS SELECT min(rowid) a, max(rowid) b FROM bundles;"
       "CREATE TEMP TABLE s AS SELECT rowid r, header FROM bundles;"
       "UPDATE bundles SET header = (SELECT header FROM s WHERE r = (SELECT b FROM t)) WHERE rowid = (SELECT a FROM t);"
       "UPDATE bundles SET header = (SELECT header FROM s WHERE r = (SELECT a FROM t)) WHERE rowid = (SELECT b FROM t);");
  expect_set_aside(2);
}

TEST_F(StoredBundles, fault_34_AKeyThatIsGone) {
  edit("DELETE FROM keys WHERE serial = (SELECT serial FROM bundles WHERE rowid = (SELECT min(rowid) FROM bundles))");
  expect_set_aside(1);
}

TEST_F(StoredBundles, fault_34_AllOfThem) {
  edit("UPDATE contents SET sealed = zeroblob(length(sealed))");
  expect_set_aside(3);
}

// An inference that meets damage says so, has spent nothing, and the next one goes well.
TEST_F(StoredBundles, fault_34_MetByAnInference) {
  edit("UPDATE contents SET sealed = zeroblob(length(sealed)) WHERE rowid = (SELECT min(rowid) FROM bundles)");
  const auto failure = failure_of([&] { world_.client("alice")->infer(world_.volumes(3)); });
  ASSERT_TRUE(failure);
  EXPECT_EQ(failure->kind, ErrorKind::no_bundles);
  EXPECT_EQ(world_.serials_used(), 0);
  world_.expect_good("alice", 3);
}

// A copy of another client's folder is of no use: the bundles are not for that identity.
TEST_F(StoredBundles, fault_34_SwappedBetweenClients) {
  fs::copy(world_.state("alice"), world_.state("bob"), fs::copy_options::recursive);
  const auto failure = failure_of([&] { world_.client("bob")->infer(world_.volumes(1)); });
  ASSERT_TRUE(failure);
  EXPECT_EQ(failure->kind, ErrorKind::peer);
  EXPECT_EQ(world_.serials_used(), 0);
  world_.expect_good("alice", 3);
}

// Contents stood with the rest once.
TEST_F(StoredBundles, AnOldFolderIsTakenOver) {
  edit("ALTER TABLE bundles ADD COLUMN sealed BLOB NOT NULL DEFAULT x'';"
       "UPDATE bundles SET sealed = (SELECT sealed FROM contents c WHERE c.serial = bundles.serial);"
       "DROP TABLE contents;");
  world_.stop_dealer();
  world_.expect_good("alice", 3);
}

// What is spent leaves neither key nor contents behind.
TEST_F(StoredBundles, AreWipedOnceSpent) {
  world_.expect_good("alice", 2);
  expect_stored(2, 1);
}

// Nor does what a command spent that was killed before it could clear it: the next one does.
TEST_F(StoredBundles, AreWipedByTheNextCommandWhereTheirOwnWasCutShort) {
  edit("CREATE TEMP TABLE t AS SELECT serial FROM bundles WHERE rowid = (SELECT min(rowid) FROM bundles);"
       "UPDATE bundles SET state = 1 WHERE serial IN (SELECT serial FROM t);"
       "DELETE FROM keys WHERE serial IN (SELECT serial FROM t);");
  world_.stop_dealer();
  EXPECT_EQ(world_.client("alice")->prefetch(1), 2U);
  expect_stored(1, 2);
  world_.expect_good("alice", 2);
}

TEST_F(StoredBundles, AreWipedOnceExpired) {
  edit("UPDATE bundles SET expiry = 1 WHERE rowid = (SELECT min(rowid) FROM bundles)");
  world_.expect_good("alice", 1);
  expect_stored(2, 1);
}

}  // namespace
}  // namespace smpc
