// Options that a command would not act on are refused, and a signal that comes early is acted on: neither is ignored.
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

TEST(AuditUsage, WhatMakesNoSenseIsRefused) {
  for (const std::string tool : {"smpc-client", "smpc-server"}) {
    const auto refused = [&](std::vector<std::string> arguments, const std::string& word) {
      arguments.insert(arguments.begin(), "audit");
      const Outcome o = run(tool, arguments);
      EXPECT_EQ(o.exit_code, 2) << word;
      EXPECT_EQ(o.out, "");
      EXPECT_NE(o.err.find(word), o.err.npos) << o.err;
    };
    refused({}, "action");
    refused({"look"}, "look");
    refused({"show", "--expect", std::string(64, '0')}, "--expect");
    refused({"verify", "--expect", "zz"}, "64 hexadecimal digits");
  }
  const Outcome o = run("smpc-client", {"audit", "verify", "--image", "scan.nii"});
  EXPECT_EQ(o.exit_code, 2);
  EXPECT_NE(o.err.find("--image"), o.err.npos) << o.err;
}

TEST(DealerUsage, ASignalAtItsFirstLineEndsItInOrder) {
  const TemporaryFolder folder;
  ASSERT_EQ(run("smpc-certs", {"init", (folder / "id").string()}).exit_code, 0);
  EXPECT_EQ(stopped_at_its_first_line("smpc-dealer",
                                      {"--identity", (folder / "id/dealer").string(), "--state", (folder / "state").string(),
                                       "--listen", "127.0.0.1:0"},
                                      folder / "log"),
            0);
}

}  // namespace
}  // namespace smpc::testing
