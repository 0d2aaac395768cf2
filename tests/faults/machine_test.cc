// What a machine does to a tool: a wrong clock, a torn journal, an end under load.
#include <algorithm>
#include <csignal>
#include <fstream>
#include <future>

#include "faults/world.h"

namespace smpc::faults {
namespace {

namespace fs = std::filesystem;

constexpr int refused = 3;  // bad input, the state folder's included
constexpr int peer_failed = 4;

class Machine : public ::testing::Test {
 protected:
  void start_well() {
    world_.dealer_environment = world_.traced("dealer");
    world_.server_environment = world_.traced("server");
    world_.start();
  }
  void expect_good_afterwards() {
    start_well();
    world_.expect_good();
    world_.server.reset();
    world_.dealer.reset();
  }

  World world_;
};

constexpr long day = 86400;

TEST_F(Machine, fault_39_CertificatesAndBundlesFollowTheClock) {
  start_well();
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
      start_well();
      world_.expect_good();
      world_.server->kill();
      world_.dealer->kill();
      const fs::path file = world_.state(role) / (role + end);
      if (!fs::exists(file)) continue;  // the client's log is emptied at the end of a run
      const auto whole = fs::file_size(file);
      fs::resize_file(file, whole * 2 / 3 + 7);
      bool started = true;
      try {
        start_well();
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
      world_.server.reset();
      world_.dealer.reset();
    }
  }
  world_.forget_state();
  expect_good_afterwards();
}

TEST_F(Machine, fault_43_StoppedUnderLoadTheJournalsBalance) {
  start_well();
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
