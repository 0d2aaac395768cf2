// Each party is killed before and after every durable step of a run: where a file is synced, or renamed. Then all start
// again and run again. The steps are enumerated by the run itself: the last one that is killed at is the last there is.
#include <algorithm>
#include <fstream>

#include "faults/world.h"

namespace smpc::faults {
namespace {

constexpr int by_kill = 128 + 9;

struct Crash {
  const char* role;
  bool after;  // the step, or before it
  bool power;  // is lost as well: what was not synced is gone
};

class CrashMatrix : public ::testing::TestWithParam<Crash> {
 protected:
  Environment killed_at(long step) const {
    Environment e{{GetParam().after ? "SMPC_FAULT_KILL_AFTER" : "SMPC_FAULT_KILL", std::to_string(step)},
                  {"SMPC_FAULT_COUNT", (world_.folder / "steps").string()}};
    if (GetParam().power) e.emplace_back("SMPC_FAULT_POWER", "1");
    return e;
  }

  // A run in which one party dies at this step; false: it had fewer steps.
  bool crash_at(long step) {
    const std::string role = GetParam().role;
    const Environment fault = killed_at(step);
    std::optional<Outcome> asked;
    if (world_.start_with(role, fault)) {
      asked = world_.ask(2, role == "client" ? world_.fault(role, fault) : world_.traced("client"));
    }
    if (role == "client") {
      EXPECT_TRUE(asked);
      if (asked->exit_code != by_kill) {
        EXPECT_EQ(asked->exit_code, 0) << asked->err;
      }
      return asked->exit_code == by_kill;
    }
    testing::Daemon* victim = role == "dealer" ? world_.dealer.get() : world_.server.get();
    // It may have died already, be about to, or have outlived the run.
    const int code = victim->pid() > 0 ? victim->stop() : by_kill;
    if (code == by_kill && asked && asked->exit_code != 0) {
      EXPECT_EQ(std::count(asked->err.begin(), asked->err.end(), '\n'), 1) << asked->err;
    }
    return code == by_kill;
  }

  void expect_all_well_after(long step) {
    SCOPED_TRACE(::testing::Message() << GetParam().role << " at step " << step << ", the last: " << last_step());
    world_.expect_good_afterwards();
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
    if (HasFailure()) return;
  }
  expect_all_well_after(step);
  std::cout << GetParam().role << ": killed at each of " << step - 1 << " durable steps\n";
  EXPECT_GE(step, 10);
}

// One step of each role, where there is no time for all.
class OneCrash : public CrashMatrix {};

TEST_P(OneCrash, InTheMiddleOfARunNothingIsLostOrReused) {
  constexpr long in_the_middle = 6;
  ASSERT_TRUE(crash_at(in_the_middle));
  expect_all_well_after(in_the_middle);
}

std::string name_of(const ::testing::TestParamInfo<Crash>& p) {
  return std::string(p.param.role) + (p.param.after ? "_after" : "_before");
}

INSTANTIATE_TEST_SUITE_P(fault_23_Killed, CrashMatrix,
                         ::testing::Values(Crash{"dealer", false, false}, Crash{"dealer", true, false},
                                           Crash{"server", false, false}, Crash{"server", true, false},
                                           Crash{"client", false, false}, Crash{"client", true, false}),
                         name_of);

INSTANTIATE_TEST_SUITE_P(fault_35_PowerLost, CrashMatrix,
                         ::testing::Values(Crash{"dealer", false, true}, Crash{"dealer", true, true},
                                           Crash{"server", false, true}, Crash{"server", true, true},
                                           Crash{"client", false, true}, Crash{"client", true, true}),
                         name_of);

INSTANTIATE_TEST_SUITE_P(fault_23_Killed, OneCrash,
                         ::testing::Values(Crash{"dealer", true, true}, Crash{"server", true, true}, Crash{"client", true, true}), name_of);

}  // namespace
}  // namespace smpc::faults
