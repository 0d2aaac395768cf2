// Options that a command would not act on are refused, and a signal that comes early is acted on: neither is ignored.
#include <gtest/gtest.h>

#include <algorithm>

#include "support/process.h"

namespace smpc::testing {
namespace {

TEST(ClientUsage, SubcommandsRefuseWhatChoosesOneScan) {
  const std::vector<std::vector<std::string>> commands = {
      {"ui"}, {"approve", "--yes"}, {"prefetch", "--count", "1"}, {"study", "in", "out", "participant"}};
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

// Logits of as many volumes as the last layer has inputs tell its weights, so that somebody must have thought of a limit.
TEST(ServerUsage, LogitsAskForALimitOfAllClientsOrTheWordThatThereIsNone) {
  const TemporaryFolder folder;
  const auto served = [&](std::vector<std::string> more) {
    std::vector<std::string> arguments{"--model", "no such.onnx", "--identity", (folder / "none").string()};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run("smpc-server", arguments);
  };
  const std::vector<std::vector<std::string>> refused = {
      {"--reveal", "logits"},
      {"--reveal", "logits", "--quota", "9"},
      {"--reveal", "logits", "--quota-total", "0"},
      {"--reveal", "logits", "--quota", "9", "--quota-total", "0"}};
  for (const auto& options : refused) {
    const Outcome o = served(options);
    EXPECT_EQ(o.exit_code, 2) << o.err;
    EXPECT_EQ(std::count(o.err.begin(), o.err.end(), '\n'), 1) << o.err;
    EXPECT_NE(o.err.find("expected --quota-total N above 0, or --no-quota"), o.err.npos) << o.err;
  }
  // What is missing then is the identity.
  const std::vector<std::vector<std::string>> taken = {{"--reveal", "logits", "--quota-total", "9"},
                                                       {"--reveal", "logits", "--no-quota"},
                                                       {"--reveal", "logits", "--no-quota", "--quota", "9"},
                                                       {"--reveal", "label"},
                                                       {}};
  for (const auto& options : taken) EXPECT_EQ(served(options).exit_code, 3);
  const Outcome both = served({"--reveal", "logits", "--no-quota", "--quota-total", "9"});
  EXPECT_EQ(both.exit_code, 2);
  EXPECT_NE(both.err.find("excludes"), both.err.npos) << both.err;
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
