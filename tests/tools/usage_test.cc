// Options that a command would not act on are refused, not ignored.
#include <gtest/gtest.h>

#include "support/process.h"

namespace smpc::testing {
namespace {

TEST(ClientUsage, SubcommandsRefuseWhatChoosesOneScan) {
  const std::vector<std::vector<std::string>> commands = {
      {"ui"}, {"prefetch", "--count", "1"}, {"study", "in", "out", "participant"}};
  const std::vector<std::vector<std::string>> options = {
      {"--image", "scan.nii"}, {"--volume", "0"}, {"--report", "out.html"}, {"--resample"}};
  for (const auto& command : commands) {
    for (const auto& option : options) {
      if (command[0] == "study" && option[0] == "--resample") continue;  // of all its scans
      std::vector<std::string> arguments = command;
      arguments.insert(arguments.end(), option.begin(), option.end());
      const Outcome o = run("smpc-client", arguments);
      EXPECT_EQ(o.exit_code, 2) << command[0] << " " << option[0];
      EXPECT_EQ(o.out, "");
      EXPECT_NE(o.err.find(command[0] + ": expected none of --image"), o.err.npos) << o.err;
      EXPECT_NE(o.err.find(option[0]), o.err.npos) << o.err;
    }
  }
}

}  // namespace
}  // namespace smpc::testing
