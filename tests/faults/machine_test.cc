// What a machine does to a tool: a full disk, a disk that fails, no randomness, no memory, no descriptors, a wrong clock,
// a torn journal, an end under load.
#include <algorithm>
#include <csignal>
#include <fstream>
#include <future>

#include "faults/world.h"
#include "support/sample_files.h"

namespace smpc::faults {
namespace {

namespace fs = std::filesystem;

constexpr int refused = 3;  // bad input, the state folder's included
constexpr int peer_failed = 4;
constexpr int patience = 5;  // seconds for a daemon that may never be ready

class Machine : public ::testing::Test {
 protected:
  enum class End { well, clean, aborted };

  // Starts all three with a fault in one of them, and asks. Whoever fails says so in one line. Nothing is sent that is not
  // in a journal: expect_good, which comes afterwards, reads all traces.
  End run_with(const std::string& role, const Environment& what) {
    SCOPED_TRACE(role + " " + what.front().first + "=" + what.front().second);
    End end = End::well;
    const auto failed_with = [&](int code) { end = code == 128 + SIGABRT ? End::aborted : End::clean; };
    if (world_.start_with(role, what, patience)) {
      const Outcome o = world_.ask(2, role == "client" ? world_.fault(role, what) : Environment{});
      if (o.exit_code != 0) {
        failed_with(o.exit_code);
        EXPECT_EQ(std::count(o.err.begin(), o.err.end(), '\n'), 1) << o.err;
        EXPECT_EQ(o.out, "");
      }
    }
    if (role != "client") {
      testing::Daemon& daemon = role == "dealer" ? *world_.dealer : *world_.server;
      const int code = daemon.stop();
      if (code != 0) {
        failed_with(code);
        EXPECT_TRUE(code < 5 || code == 128 + SIGABRT) << code << ": " << daemon.log();
      }
      if (end == End::well && daemon.log().find("ready") == std::string::npos) end = End::clean;  // it went on without
      if (end != End::well) {
        EXPECT_NE(daemon.log(), "");
      }
    }
    world_.end();
    return end;
  }

  World world_;
};

TEST_F(Machine, fault_15_AModelFileThatIsReplacedChangesNothingUntilTheNextStart) {
  world_.start();
  world_.expect_good();
  const fs::path other = world_.folder / "other.onnx";
  testing::write_random_mlp(other, {5, 4, 3}, {6, 5});
  fs::rename(other, world_.folder / "model.onnx");
  world_.expect_good();
  world_.end();
}

TEST_F(Machine, fault_32_AFullDiskAtTheJournalSendsNothing) {
  for (const std::string role : {"dealer", "server", "client"}) {
    long room = 1000;
    int failures = 0;
    for (; room < 10'000'000; room = room * 3 / 2) {
      world_.forget_state();
      const End end = run_with(role, {{"SMPC_FAULT_FULL", std::to_string(room)}});
      EXPECT_NE(end, End::aborted) << role << " " << room;
      if (end == End::well) break;
      ++failures;
      world_.expect_good_afterwards();
      if (HasFailure()) return;
    }
    std::cout << role << ": a full disk at each of " << failures << " sizes\n";
    EXPECT_GE(failures, 5) << role;
    EXPECT_LT(room, 10'000'000) << role;
  }
}

TEST_F(Machine, fault_33_AFailingSyncFailsClosed) {
  for (const std::string role : {"dealer", "server", "client"}) {
    long step = 1;
    for (; step < 100; ++step) {
      world_.forget_state();
      const End end = run_with(role, {{"SMPC_FAULT_FSYNC", std::to_string(step)}});
      EXPECT_NE(end, End::aborted) << role << " " << step;
      if (end == End::well) break;
      world_.expect_good_afterwards();
      if (HasFailure()) return;
    }
    std::cout << role << ": syncs fail from each of " << step - 1 << " on\n";
    EXPECT_GE(step, 5) << role;
    EXPECT_LT(step, 100) << role;
  }
}

TEST_F(Machine, fault_40_WithoutRandomnessNothingIsMade) {
  for (const std::string role : {"dealer", "server", "client"}) {
    world_.forget_state();
    EXPECT_NE(run_with(role, {{"SMPC_FAULT_RANDOM", "1"}}), End::well) << role;
    world_.expect_good_afterwards();
  }
}

TEST_F(Machine, fault_41_OutOfDescriptorsOrMemory) {
  for (const std::string role : {"dealer", "server", "client"}) {
    world_.forget_state();
    for (const int files : {4, 6, 8, 10, 12}) run_with(role, {{"SMPC_FAULT_FILES", std::to_string(files)}});
    for (const long megabytes : {60, 90, 130, 200}) run_with(role, {{"SMPC_FAULT_MEMORY", std::to_string(megabytes << 20)}});
    world_.expect_good_afterwards();
    if (HasFailure()) return;
  }
}

constexpr long day = 86400;

TEST_F(Machine, fault_39_CertificatesAndBundlesFollowTheClock) {
  world_.start();
  world_.expect_good();
  const auto ahead = [&](long days) { return world_.fault("client", {{"SMPC_FAULT_CLOCK", std::to_string(days * day)}}); };
  // Certificates last a year.
  expect_refused(world_.ask(2, ahead(400)), refused, {"expired"});
  // What the dealer makes now has expired in a month, by the client's clock.
  expect_refused(world_.ask(2, ahead(31)), peer_failed, {"the dealer", "expired", "clock"});
  world_.expect_good();
  // And by the server's.
  world_.server.reset();
  world_.server_environment = world_.fault("server", {{"SMPC_FAULT_CLOCK", std::to_string(31 * day)}});
  world_.start_server();
  expect_refused(world_.ask(), peer_failed, {"the server refused", "a bundle has expired"});
  world_.server.reset();
  world_.server_environment = world_.traced("server");
  world_.start_server();
  world_.expect_good();
}

TEST_F(Machine, fault_36_ATornJournalIsRecoveredFromOrRefused) {
  for (const std::string role : {"dealer", "server", "client"}) {
    for (const char* end : {".db-wal", ".db"}) {
      world_.forget_state();
      world_.start();
      world_.expect_good();
      world_.server->kill();
      world_.dealer->kill();
      const fs::path file = world_.state(role) / (role + end);
      if (!fs::exists(file)) continue;  // the client's log is emptied at the end of a run
      const auto whole = fs::file_size(file);
      fs::resize_file(file, whole * 2 / 3 + 7);
      bool started = true;
      try {
        world_.start();
      } catch (const std::runtime_error&) {
        started = false;
        const std::string log = (role == "dealer" ? world_.dealer : world_.server)->log();
        EXPECT_NE(log.find("smpc-" + role + ": "), log.npos) << log;
      }
      if (started) {
        const Outcome o = world_.ask();
        if (o.exit_code != 0) {
          EXPECT_EQ(std::count(o.err.begin(), o.err.end(), '\n'), 1) << o.err;
          EXPECT_EQ(o.out, "");
        }
      }
      world_.end();
    }
  }
  world_.forget_state();
  world_.expect_good_afterwards();
}

TEST_F(Machine, fault_43_StoppedUnderLoadTheJournalsBalance) {
  world_.start();
  world_.expect_good();
  for (int round = 0; round < 3; ++round) {
    std::vector<std::future<Outcome>> asked;
    for (int i = 0; i < 4; ++i) {
      asked.push_back(std::async(std::launch::async, [&] { return world_.ask(); }));
    }
    asked.front().wait_for(std::chrono::milliseconds(100 + 60 * round));
    EXPECT_EQ(world_.server->stop(), 0) << world_.server->log();
    for (auto& a : asked) {
      const Outcome o = a.get();
      if (o.exit_code == 0) continue;
      EXPECT_EQ(std::count(o.err.begin(), o.err.end(), '\n'), 1) << o.err;
    }
    world_.server.reset();
    world_.start_server();
    world_.expect_good();
  }
}

}  // namespace
}  // namespace smpc::faults
