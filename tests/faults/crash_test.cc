// Each party is killed before and after every durable step of a run: where a file is synced, or renamed. Then all start
// again and run again. The steps are enumerated by the run itself: the last one that is killed at is the last there is.
#include <sys/wait.h>

#include <algorithm>
#include <fstream>
#include <thread>

#include "faults/world.h"

namespace smpc::faults {
namespace {

constexpr int by_kill = 128 + 9;

enum class How { before, after, power_before, power_after };

struct Crash {
  const char* role;
  How how;
};

class CrashMatrix : public ::testing::TestWithParam<Crash> {
 protected:
  Environment killed_at(long step) const {
    const bool after = GetParam().how == How::after || GetParam().how == How::power_after;
    Environment e{{after ? "SMPC_FAULT_KILL_AFTER" : "SMPC_FAULT_KILL", std::to_string(step)},
                  {"SMPC_FAULT_COUNT", (world_.folder / "steps").string()}};
    if (GetParam().how == How::power_before || GetParam().how == How::power_after) e.emplace_back("SMPC_FAULT_POWER", "1");
    return world_.fault(GetParam().role, e);
  }

  // A run in which one party dies at this step; false: it had fewer steps.
  bool crash_at(long step) {
    const std::string role = GetParam().role;
    const Environment fault = killed_at(step);
    world_.dealer_environment = role == "dealer" ? fault : world_.traced("dealer");
    world_.server_environment = role == "server" ? fault : world_.traced("server");
    std::optional<Outcome> asked;
    try {
      world_.start_dealer();
      world_.start_server(false);
      if (!ready_before_the_dealer_ended()) return true;
      asked = world_.ask(2, role == "client" ? fault : world_.traced("client"));
    } catch (const std::runtime_error&) {  // a daemon that died before it was ready
    }
    testing::Daemon* victim = role == "dealer" ? world_.dealer.get() : role == "server" ? world_.server.get() : nullptr;
    if (victim == nullptr) {
      EXPECT_TRUE(asked);
      if (asked->exit_code != by_kill) {
        EXPECT_EQ(asked->exit_code, 0) << asked->err;
      }
      return asked->exit_code == by_kill;
    }
    // It may have died already, be about to, or have outlived the run.
    const int code = victim->pid() > 0 ? victim->stop() : by_kill;
    if (code == by_kill && asked && asked->exit_code != 0) {
      EXPECT_EQ(std::count(asked->err.begin(), asked->err.end(), '\n'), 1) << asked->err;
    }
    return code == by_kill;
  }

  bool ready_before_the_dealer_ended() {
    for (;;) {
      siginfo_t info{};
      ::waitid(P_PID, static_cast<id_t>(world_.dealer->pid()), &info, WEXITED | WNOHANG | WNOWAIT);
      if (info.si_pid != 0) return false;
      if (world_.server->log().find("ready") != std::string::npos) return true;
      ::waitid(P_PID, static_cast<id_t>(world_.server->pid()), &info, WEXITED | WNOHANG | WNOWAIT);
      if (info.si_pid != 0) throw std::runtime_error("the server ended");
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  }

  void expect_all_well_after(long step) {
    SCOPED_TRACE(::testing::Message() << GetParam().role << " at step " << step << ", the last: " << last_step());
    world_.server.reset();
    world_.dealer.reset();
    world_.dealer_environment = world_.traced("dealer");
    world_.server_environment = world_.traced("server");
    world_.start();
    world_.expect_good();
    world_.server.reset();
    world_.dealer.reset();
  }

  std::string last_step() const {
    std::ifstream in(world_.folder / "steps");
    std::string last;
    for (std::string line; std::getline(in, line);) last = line;
    return last;
  }

  World world_;
};

TEST_P(CrashMatrix, KilledAtEveryDurableStepNothingIsLostOrReused) {
  long step = 1;
  for (;; ++step) {
    world_.forget_state();
    if (!crash_at(step)) break;
    expect_all_well_after(step);
    if (HasFatalFailure() || HasNonfatalFailure()) return;
  }
  expect_all_well_after(step);
  std::cout << GetParam().role << ": killed at each of " << step - 1 << " durable steps\n";
  EXPECT_GE(step, 10);
}

INSTANTIATE_TEST_SUITE_P(
    fault_23_Killed, CrashMatrix,
    ::testing::Values(Crash{"dealer", How::before}, Crash{"dealer", How::after}, Crash{"server", How::before},
                      Crash{"server", How::after}, Crash{"client", How::before}, Crash{"client", How::after}),
    [](const auto& p) { return std::string(p.param.role) + (p.param.how == How::before ? "_before" : "_after"); });

INSTANTIATE_TEST_SUITE_P(
    fault_35_PowerLost, CrashMatrix,
    ::testing::Values(Crash{"dealer", How::power_before}, Crash{"dealer", How::power_after},
                      Crash{"server", How::power_before}, Crash{"server", How::power_after},
                      Crash{"client", How::power_before}, Crash{"client", How::power_after}),
    [](const auto& p) { return std::string(p.param.role) + (p.param.how == How::power_before ? "_before" : "_after"); });

}  // namespace
}  // namespace smpc::faults
