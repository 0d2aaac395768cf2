// smpc-client approve, and what the commands make of what was approved.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <sstream>

#include "deployment.h"
#include "support/pty.h"
#include "support/sample_files.h"

namespace smpc {
namespace {

using testing::Deployment;
using testing::Outcome;
using testing::PtyOutcome;
using testing::run_on_terminal;

namespace fs = std::filesystem;

constexpr testing::Shape small_image = {6, 5, 4};

std::string content(const fs::path& path) {
  std::ostringstream out;
  out << std::ifstream(path).rdbuf();
  return out.str();
}

// A small model of range 4, a scan that it takes and one that it does not.
class Approve : public ::testing::Test {
 protected:
  Approve() {
    testing::write_random_mlp(model_, small_image, {8, 5});
    s_ = std::make_unique<Deployment>(std::vector<std::string>{"--model", model_.string(), "--input-range", "4"});
    testing::write_scan(good_, small_image, {testing::random_volume(small_image)}, 1);
    std::vector<float> beyond = testing::random_volume(small_image);
    for (float& v : beyond) v *= 100;
    testing::write_scan(bad_, small_image, {beyond}, 1);
    s_->start_dealer();
    s_->start_server();
    const std::string ready = s_->server->wait_for("ready");
    program_ = ready.substr(ready.find("program ") + 8, 64);
  }

  Outcome client(const std::vector<std::string>& arguments) const { return s_->run_client(arguments, {}); }
  fs::path list() const { return s_->folder / "id/client/programs"; }
  std::string line() const { return program_ + " urn:smpc:server:server label\n"; }
  PtyOutcome approve_on_terminal(const std::string& typed) const {
    return run_on_terminal("smpc-client", {"approve", "--server", "127.0.0.1:" + s_->server_port, "--identity", (s_->folder / "id/client").string(),
                                           "--state", (s_->folder / "state/client").string()},
                           {.columns = 100, .environment = {{"TERM", "xterm"}, {"LC_ALL", "C"}, {"NO_COLOR", "1"}}, .typed = typed});
  }
  static void expect_error(const Outcome& o, int code, const std::string& part) {
    EXPECT_EQ(o.exit_code, code) << o.err;
    EXPECT_EQ(std::count(o.err.begin(), o.err.end(), '\n'), 1) << o.err;
    EXPECT_NE(o.err.find(part), std::string::npos) << o.err;
  }

  testing::TemporaryFolder folder_;
  const fs::path model_ = folder_ / "model.onnx";
  const fs::path good_ = folder_ / "sub-01_good.nii";
  const fs::path bad_ = folder_ / "bad.nii";
  std::unique_ptr<Deployment> s_;
  std::string program_;
};

TEST_F(Approve, ShowsWhatTheProgramIsAndWritesItsLine) {
  const Outcome o = client({"approve", "--yes"});
  ASSERT_EQ(o.exit_code, 0) << o.err;
  const std::vector<std::string> parts = {
      "program  " + program_, "urn:smpc:server:server, at 127.0.0.1:", "reveals  label", "values from -4 to 4",
      "6 x 5 x 4 voxels of 4 x 4 x 4 mm", "5: class_0, class_1", "cryptflow2", "4: 1 ArgMax, 2 Linear, 1 Relu", "masked weights, once: "};
  for (const std::string& part : parts) {
    EXPECT_NE(o.out.find(part), std::string::npos) << part << " in " << o.out;
  }
  EXPECT_NE(content(list()).find("\n" + line()), std::string::npos) << content(list());
  struct stat st {};
  ASSERT_EQ(::stat(list().c_str(), &st), 0);
  EXPECT_EQ(st.st_mode & 0777, 0600U);
  const std::string before = content(list());
  const Outcome again = client({"approve", "--yes", "--json"});
  EXPECT_EQ(again.exit_code, 0) << again.err;
  EXPECT_EQ(again.json()["added"], false);
  EXPECT_EQ(again.json()["program"], program_);
  EXPECT_EQ(content(list()), before);
}

TEST_F(Approve, AsksOnATerminalAndNowhereElse) {
  expect_error(client({"approve"}), 2, "expected a terminal to ask on, without --json, or --yes");
  EXPECT_FALSE(fs::exists(list()));
  if (!testing::has_terminals()) GTEST_SKIP() << "this system gives no pseudo-terminals";
  for (const char* no : {"n\n", "\n", "x\n"}) {
    const PtyOutcome refused = approve_on_terminal(no);
    EXPECT_EQ(refused.exit_code, 3) << refused.drawn;
    EXPECT_NE(refused.drawn.find("approve this program? [y/N]"), std::string::npos) << refused.drawn;
    EXPECT_NE(refused.drawn.find("is not approved"), std::string::npos) << refused.drawn;
    EXPECT_FALSE(fs::exists(list()));
  }
  const PtyOutcome taken = approve_on_terminal("y\n");
  EXPECT_EQ(taken.exit_code, 0) << taken.drawn;
  EXPECT_NE(taken.drawn.find(program_), std::string::npos) << taken.drawn;
  EXPECT_NE(content(list()).find(line()), std::string::npos);
}

// The file beside the identity counts as soon as it is there.
TEST_F(Approve, ARefusedScanNeedsNoServerOnceItIs) {
  const auto ask = [&](const fs::path& scan) { return client({"--image", scan.string(), "--json"}); };
  ASSERT_EQ(client({"approve", "--yes"}).exit_code, 0);
  ASSERT_EQ(ask(good_).exit_code, 0);
  ASSERT_EQ(client({"prefetch", "--count", "1"}).exit_code, 0);
  s_->server->stop();
  expect_error(ask(bad_), 3, "expected finite values from -4 to 4");
  expect_error(ask(good_), 4, "127.0.0.1:" + s_->server_port);
  fs::remove(list());
  expect_error(ask(bad_), 4, "127.0.0.1:" + s_->server_port);  // who has approved nothing has to ask first
  const Outcome audit = client({"audit", "show"});
  EXPECT_NE(audit.out.find("\"refusal\":\"volume: range\""), std::string::npos) << audit.out;
  EXPECT_EQ(client({"audit", "verify"}).exit_code, 0);
}

TEST_F(Approve, AnythingElseIsRefusedByEveryCommand) {
  const std::string other(64, 'a');
  std::ofstream(folder_ / "programs") << other << " urn:smpc:server:server label\n";
  const std::vector<std::vector<std::string>> pins = {{"--program", other}, {"--programs", (folder_ / "programs").string()}};
  for (const auto& pin : pins) {
    for (std::vector<std::string> command : {std::vector<std::string>{"--image", good_.string()}, {"prefetch", "--count", "1"}}) {
      command.insert(command.end(), pin.begin(), pin.end());
      expect_error(client(command), 4, "expected the approved program aaaaaaaaaaaa");
    }
  }
  const Outcome study = client({"study", good_.parent_path().string(), (s_->folder / "out").string(), "participant", "--pattern", "*good.nii",
                                "--program", other});
  EXPECT_EQ(study.exit_code, 4) << study.err;
  EXPECT_NE(study.out.find("expected the approved program aaaaaaaaaaaa"), std::string::npos) << study.out;
  expect_error(client({"approve", "--yes", "--program", other}), 4, "expected the approved program aaaaaaaaaaaa");
  EXPECT_FALSE(fs::exists(list()));
  EXPECT_EQ(client({"--image", good_.string(), "--program", program_}).exit_code, 0);
}

TEST_F(Approve, WhatMakesNoSenseIsRefused) {
  expect_error(client({"--image", good_.string(), "--program", "12ab"}), 2, "--program: expected the 64 hexadecimal digits");
  expect_error(client({"--image", good_.string(), "--programs", (folder_ / "none").string()}), 3, "none");
  std::ofstream(folder_ / "programs") << "# ours\n" << program_ << "\n";
  expect_error(client({"--image", good_.string(), "--programs", (folder_ / "programs").string()}), 3, "line 2: ");
  std::ofstream(folder_ / "programs") << line();
  expect_error(client({"--image", good_.string(), "--programs", (folder_ / "programs").string(), "--program", std::string(64, 'a')}), 3,
              "expected one of the approved programs");
  expect_error(client({"approve", "--yes", "--image", good_.string()}), 2, "approve: expected none of --image");
}

}  // namespace
}  // namespace smpc
