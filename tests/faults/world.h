// A small model between three processes, into which faults are let in from outside.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "smpc/base/bytes.h"
#include "smpc/compiler/compile.h"
#include "smpc/image/scan.h"
#include "support/three_roles.h"

namespace smpc::faults {

using testing::Environment;
using testing::Outcome;

inline constexpr long memory_cap_kb = 300'000;  // of a tool that refuses something

// One per ctest case: certificates, a model with two hidden layers, and scans on its grid.
class World : public testing::ThreeRoles {
 public:
  World();

  void start();  // dealer and server, without a fault
  // The same with a fault in one of them. False: it, or the other one, was not ready in time, or has ended.
  bool start_with(const std::string& role, const Environment& fault, int seconds = 20);
  void end();           // of both; what was killed has ended already
  void forget_state();  // as new machines

  // `volumes` of the scan; more arguments and a fault as wanted.
  Outcome ask(std::size_t volumes = 2, const Environment& environment = {}, std::vector<std::string> more = {}) const;
  // Everything is as if nothing had happened: the right labels, to the bit, and balanced journals.
  void expect_good(std::size_t volumes = 2);
  // The same of new processes.
  void expect_good_afterwards();
  // The ids of dealer, client and server, from their own databases; and both audit logs, by the tools' own check.
  void expect_balanced() const;
  std::size_t spent() const;  // bundles, by the client's own journal
  // What client and server sent, from the traces of all their processes: no bundle was used in two runs.
  void expect_each_bundle_sent_once() const;

  // Lets a fault into one process.
  Environment fault(const std::string& role, const Environment& what) const;
  std::filesystem::path state(const std::string& role) const { return folder / ("state/" + role); }
  std::filesystem::path scan() const { return folder / "scan.nii"; }
  Environment traced(const std::string& role) const;

 private:
  std::vector<std::string> labels_;  // by the interpreter, volume by volume
};

// An error of a tool: its exit code, and one line on standard error that holds each of `words`.
void expect_refused(const Outcome& o, int exit_code, const std::vector<std::string>& words);

}  // namespace smpc::faults
