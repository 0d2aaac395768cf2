// smpc-client study with real processes: three participants, one of them damaged; interrupted, and gone on with.
#include <gtest/gtest.h>

#include <sys/stat.h>

#include <csignal>
#include <fstream>

#include "deployment.h"
#include "smpc/base/file.h"

namespace smpc {
namespace {

using nlohmann::json;
using testing::demo;
using testing::Deployment;
using testing::Outcome;
namespace fs = std::filesystem;

class AStudy : public ::testing::Test {
 protected:
  AStudy() {
    for (const char* label : {"01", "02", "03"}) {
      fs::create_directories(scan(label).parent_path());
      fs::copy_file(demo / "scan4d.nii.gz", scan(label));
    }
    fs::resize_file(scan("02"), 100'000);
    s.start_dealer();
    s.start_server();
  }
  fs::path scan(const std::string& label) const { return bids / ("derivatives/dr/sub-" + label + "/dr_stage2_subject00000.nii.gz"); }
  fs::path result(const std::string& label, const char* ending) const {
    return out / ("sub-" + label) / "func" / ("sub-" + label + "_desc-networks_predictions" + ending);
  }
  std::vector<std::string> command(const std::vector<std::string>& more = {}) const {
    std::vector<std::string> all{"study", bids.string(), out.string(), "participant", "--n-volumes", "2"};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }
  // Everything below a folder: what it is called, how long it is, when it was written.
  static std::map<std::string, std::pair<std::uintmax_t, fs::file_time_type>> listing(const fs::path& folder) {
    std::map<std::string, std::pair<std::uintmax_t, fs::file_time_type>> files;
    for (const auto& e : fs::recursive_directory_iterator(folder)) {
      files[e.path().string()] = {e.is_regular_file() ? e.file_size() : 0, e.last_write_time()};
    }
    return files;
  }
  Deployment s{{"--model", (demo / "mlp.onnx").string(), "--reveal", "logits", "--no-quota"}};
  fs::path bids = s.folder / "bids";
  fs::path out = s.folder / "out";
};

TEST_F(AStudy, IsDoneOnceWithWhatTheCommandForOneScanSays) {
  const auto before = listing(bids);
  const Outcome first = s.client(command());
  EXPECT_EQ(first.exit_code, 3) << first.err;
  EXPECT_EQ(first.out.substr(0, first.out.find("expected")), "sub-01: 2 volumes\n"
                                                            "sub-02: failed: derivatives/dr/sub-02/dr_stage2_subject00000.nii.gz: ");
  EXPECT_NE(first.out.find("\nsub-03: 2 volumes\n3 scans: 2 done, 1 failed\nsee "), std::string::npos) << first.out;
  EXPECT_EQ(first.err, "smpc-client: 1 of 3 scans failed; for the reasons see " + (out / "logs/study.tsv").string() + "\n");
  EXPECT_EQ(listing(bids), before);

  const json direct = s.client({"--image", scan("01").string(), "--volume", "all", "--json"}).json();
  std::ifstream tsv(result("03", ".tsv"));
  std::string line;
  std::getline(tsv, line);
  for (int v = 0; v < 2; ++v) {
    std::getline(tsv, line);
    const json& r = direct["results"][static_cast<std::size_t>(v)];
    std::string wanted = std::to_string(v) + "\t" + r["index"].dump() + "\t" + r["label"].get<std::string>() + "\t" + r["probability"].dump();
    for (const json& logit : r["logits"]) wanted += "\t" + logit.dump();
    EXPECT_EQ(line, wanted);
  }
  EXPECT_FALSE(std::getline(tsv, line));
  const json sidecar = json::parse(std::ifstream(result("03", ".json")));
  EXPECT_EQ(sidecar["Program"], direct["program"]);
  EXPECT_EQ(sidecar["Mask"], direct["mask"]);
  EXPECT_EQ(sidecar["Server"], "urn:smpc:server:server");
  EXPECT_EQ(sidecar["Client"], "urn:smpc:client:client");
  EXPECT_EQ(sidecar["Reports"].size(), 2U);
  EXPECT_EQ(sidecar["Cost"]["setup"]["received"], 0);  // the first scan's run had it
  EXPECT_GT(sidecar["Cost"]["online"]["sent"], 100'000);
  const Bytes report = read_file(result("03", ".json").parent_path() / sidecar["Reports"][0].get<std::string>());
  EXPECT_NE(as_text(report).find(direct["results"][0]["label"].get<std::string>()), std::string_view::npos);
  struct stat st {};
  ASSERT_EQ(::stat(result("03", ".tsv").c_str(), &st), 0);
  EXPECT_EQ(st.st_mode & 0777, 0600U);

  // Again: nothing is asked, so it needs no dealer, no bundle and, where all is done, not even the server.
  s.dealer->stop();
  const auto after = listing(out);
  const Outcome again = s.client(command({"--participant_label", "01", "sub-03", "--json"}));
  ASSERT_EQ(again.exit_code, 0) << again.err;
  EXPECT_EQ(again.json()["scans"][0]["status"], "done before");
  EXPECT_EQ(again.json()["scans"][1]["status"], "done before");
  EXPECT_EQ(listing(out), after);
  s.server->stop();
  EXPECT_EQ(s.client(command({"--participant-label", "01"})).exit_code, 0);
}

TEST_F(AStudy, KilledItGoesOnWhereItStopped) {
  auto arguments = command();
  const Outcome killed = s.run_client(arguments, {.watch = [&](int pid) {
                                        if (fs::exists(result("01", ".json"))) ::kill(pid, SIGKILL);
                                      }});
  ASSERT_EQ(killed.exit_code, 128 + SIGKILL) << killed.out;
  EXPECT_FALSE(fs::exists(result("03", ".json")));
  const auto done = fs::last_write_time(result("01", ".json"));
  const Outcome rest = s.client(command());
  EXPECT_EQ(rest.exit_code, 3) << rest.err;
  EXPECT_NE(rest.out.find("sub-01: 2 volumes, done before\n"), std::string::npos) << rest.out;
  EXPECT_NE(rest.out.find("sub-03: 2 volumes\n"), std::string::npos) << rest.out;
  EXPECT_EQ(fs::last_write_time(result("01", ".json")), done);
}

TEST_F(AStudy, WithoutItsServerTheRestFailsAtOnceAndIsDoneLater) {
  // Two reports are still to be drawn when the table is there.
  bool gone = false;
  const Outcome cut = s.run_client(command(), {.watch = [&](int) {
                                                if (gone || !fs::exists(result("01", ".tsv"))) return;
                                                s.server->kill();
                                                gone = true;
                                              }});
  EXPECT_EQ(cut.exit_code, 4) << cut.out;
  EXPECT_NE(cut.out.find("sub-01: 2 volumes\n"), std::string::npos) << cut.out;
  EXPECT_NE(cut.out.find("sub-03: failed: "), std::string::npos) << cut.out;
  s.start_server();
  const Outcome rest = s.client(command());
  EXPECT_EQ(rest.exit_code, 3) << rest.err;
  EXPECT_TRUE(fs::exists(result("03", ".json")));

  // No server from the beginning: every scan that is not done says so, in no time.
  s.server->kill();
  fs::remove(result("01", ".json"));
  const Outcome none = s.client(command(), 10);
  EXPECT_EQ(none.exit_code, 4) << none.err;
  EXPECT_NE(none.out.find("sub-01: failed: not tried: "), std::string::npos) << none.out;
  EXPECT_NE(none.out.find("sub-03: 2 volumes, done before"), std::string::npos) << none.out;
}

TEST_F(AStudy, IsRefusedInWords) {
  const auto refused = [&](std::vector<std::string> arguments, int code, const std::string& part) {
    const Outcome r = s.client(std::move(arguments));
    EXPECT_EQ(r.exit_code, code) << r.err;
    EXPECT_NE(r.err.find(part), std::string::npos) << r.err;
    EXPECT_EQ(std::count(r.err.begin(), r.err.end(), '\n'), 1) << r.err;
  };
  refused({"study", bids.string(), out.string(), "group"}, 2, "nothing to do for the group");
  refused({"study", bids.string(), out.string()}, 2, "LEVEL is required");
  refused({"study", bids.string(), bids.string(), "participant"}, 2, "does not hold the study");
  refused({"study", bids.string(), (bids / "x").string(), "participant"}, 2, "never written to");
  refused({"study", "/no/such/study", out.string(), "participant"}, 3, "/no/such/study");
  refused({"study", bids.string(), out.string(), "participant", "--pattern", "nothing*"}, 3, "--pattern");
  refused({"study", bids.string(), out.string(), "participant", "--image", "x.nii"}, 2, "none of --image");
}

}  // namespace
}  // namespace smpc
