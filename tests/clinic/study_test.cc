// A study from its beginning to its end, and again, and after it was killed.
#include <nlohmann/json.hpp>
#include <regex>

#include "smpc/base/digest.h"
#include "smpc/base/file.h"
#include "smpc/runtime/interpreter.h"
#include "study_support.h"

namespace smpc::testing {
namespace {

using nlohmann::json;
using Study = StudyFolders;

TEST_F(Study, WritesADerivativeDataset) {
  put(options.bids_dir / "dataset_description.json", R"({"Name": "A study", "BIDSVersion": "1.8.0"})");
  const StudyResult r = run();
  EXPECT_EQ(statuses(r), "ddd");
  EXPECT_EQ(r.exit_code(), 0);
  EXPECT_EQ(r.entries[1].volumes, 5U);
  const json d = json::parse(text_of(options.out_dir / "dataset_description.json"));
  EXPECT_EQ(d["DatasetType"], "derivative");
  EXPECT_EQ(d["BIDSVersion"], "1.8.0");
  EXPECT_EQ(d["Name"], "Brain networks told by a secure two-party inference, of A study");
  EXPECT_EQ(d["GeneratedBy"][0]["Name"], "smpc-client");
  EXPECT_TRUE(std::regex_match(d["GeneratedBy"][0]["Version"].get<std::string>(), std::regex("[0-9.]+")));
  EXPECT_EQ(d["SourceDatasets"][0]["URL"], "file://" + fs::canonical(options.bids_dir).string());
  EXPECT_EQ(d["DatasetLinks"]["source"], d["SourceDatasets"][0]["URL"]);
}

TEST_F(Study, APathLeadsToTheSourceWhereTheResultsAreInItsDerivatives) {
  options.out_dir = options.bids_dir / "derivatives" / "smpc";
  EXPECT_EQ(statuses(run()), "ddd");
  EXPECT_EQ(json::parse(text_of(options.out_dir / "dataset_description.json"))["DatasetLinks"]["source"], "../..");
}

TEST_F(Study, APredictionsTableForEachScan) {
  run();
  const auto p = [](std::vector<double> logits, std::size_t c) { return json(softmax(logits)[c]).dump(); };
  EXPECT_EQ(text_of(result("01", ".tsv")), "volume\tindex\tlabel\tprobability\tlogit_0\tlogit_1\tlogit_2\n"
                                           "0\t0\tLANG-BROCA\t" + p({2, 0, 0}, 0) + "\t2.0\t0.0\t0.0\n"
                                           "1\t1\ta\\ttab\t" + p({0, 2.5, 0}, 1) + "\t0.0\t2.5\t0.0\n");
  const json s = json::parse(text_of(result("01", ".json")));
  EXPECT_EQ(s["Sources"], json::array({"bids:source:derivatives/dr/sub-01/dr_stage2_subject00001.nii.gz"}));
  EXPECT_EQ(s["SourceSHA256"], to_hex(sha256(as_bytes("2"))));
  EXPECT_EQ(s["PredictionsSHA256"], to_hex(sha256(as_bytes(text_of(result("01", ".tsv"))))));
  EXPECT_EQ(s["Program"], client.hash);
  EXPECT_EQ(s["Mask"], "bb");
  EXPECT_EQ(s["Server"], "urn:smpc:server:s");
  EXPECT_EQ(s["Client"], "urn:smpc:client:c");
  EXPECT_EQ(s["Options"], (json{{"NVolumes", "all"}, {"Resample", false}}));
  EXPECT_TRUE(s["Cost"].contains("online"));
  EXPECT_TRUE(s["Reports"].empty());
  EXPECT_TRUE(std::regex_match(s["Date"].get<std::string>(), std::regex("20..-..-..T..:..:..[+-]..:..")));
  // Every column is described.
  std::istringstream header(text_of(result("01", ".tsv")));
  std::string line;
  std::getline(header, line);
  std::istringstream names(line);
  for (std::string name; std::getline(names, name, '\t');) EXPECT_TRUE(s[name].contains("Description")) << name;
}

TEST_F(Study, TheLabelAloneLeavesTheProbabilityOut) {
  client.reveal = Reveal::label;
  run();
  EXPECT_EQ(text_of(result("01", ".tsv")), "volume\tindex\tlabel\tprobability\n0\t0\tLANG-BROCA\tn/a\n1\t1\ta\\ttab\tn/a\n");
}

TEST_F(Study, ValuesAreNoProbabilitiesInAnyFile) {
  client.what = Results::values;
  run();
  EXPECT_EQ(text_of(result("01", ".tsv")), "volume\tindex\tlabel\tvalue_0\tvalue_1\tvalue_2\n"
                                           "0\t0\tLANG-BROCA\t2.0\t0.0\t0.0\n1\t1\ta\\ttab\t0.0\t2.5\t0.0\n");
  const json s = json::parse(text_of(result("01", ".json")));
  EXPECT_EQ(s["Output"], "values");
  EXPECT_TRUE(s["value_2"].contains("Description"));
  for (const auto& [name, content] : results()) EXPECT_EQ(content.find("robab"), std::string::npos) << name;
  // The pages are made of the tables again.
  EXPECT_NE(text_of(options.out_dir / "index.html").find("LANG-BROCA"), std::string::npos);
  EXPECT_EQ(statuses(run()), "bbb");
}

TEST_F(Study, ProbabilitiesThatTheModelGivesStandAsTheyAre) {
  client.what = Results::probabilities;
  client.scores = {{0.5, 0.25, 0.25}};
  run();
  EXPECT_EQ(text_of(result("01", ".tsv")), "volume\tindex\tlabel\tprobability\tvalue_0\tvalue_1\tvalue_2\n"
                                           "0\t0\tLANG-BROCA\t0.5\t0.5\t0.25\t0.25\n1\t1\ta\\ttab\t0.25\t0.5\t0.25\t0.25\n");
  EXPECT_EQ(json::parse(text_of(result("01", ".json")))["Output"], "probabilities");
}

TEST_F(Study, TheFirstVolumesAlone) {
  options.n_volumes = 3;
  const StudyResult r = run();
  EXPECT_EQ(r.entries[0].volumes, 2U);
  EXPECT_EQ(r.entries[1].volumes, 3U);
  EXPECT_EQ(json::parse(text_of(result("02", ".json")))["SourceVolumes"], 5);
}

TEST_F(Study, ResultsAreTheirOwnersAlone) {
  const mode_t before = ::umask(0);
  run({.begun = {}, .ended = {}, .report = [](const auto&, std::size_t, std::span<const double>) { return "<p>"; }, .write = {}});
  ::umask(before);
  std::size_t files = 0;
  for (const auto& e : fs::recursive_directory_iterator(options.out_dir)) {
    struct stat st {};
    ASSERT_EQ(::stat(e.path().c_str(), &st), 0);
    EXPECT_EQ(st.st_mode & 0777, e.is_directory() ? 0700U : 0600U) << e.path();
    files += e.is_regular_file() ? 1 : 0;
  }
  EXPECT_EQ(files, 3U + 3 * 3 + 9);  // description, index and log; TSV, JSON and page; a report a volume
}

TEST_F(Study, ReportsAreMadeOfTheVolumesInOrder) {
  std::string told;
  run({.begun = {}, .ended = {},
       .report = [&](const ScanOutcome& o, std::size_t i, std::span<const double> volume) {
         told += std::to_string(static_cast<int>(volume[0]));
         return o.labels[o.results[i].index];
       },
       .write = {}});
  EXPECT_EQ(told, "010123401");
  EXPECT_EQ(text_of(options.out_dir / "sub-01/func/sub-01_desc-volume001_report.html"), "a\ttab");
  EXPECT_EQ(json::parse(text_of(result("01", ".json")))["Reports"],
            (json{"sub-01_desc-volume000_report.html", "sub-01_desc-volume001_report.html"}));
  EXPECT_NE(text_of(options.out_dir / "sub-01.html").find("href=\"sub-01/func/sub-01_desc-volume001_report.html\""), std::string::npos);
}

TEST_F(Study, ASecondRunAsksNothingAndChangesNoFile) {
  run();
  const auto before = results();
  std::map<std::string, fs::file_time_type> times;
  for (const auto& [name, content] : before) times[name] = fs::last_write_time(options.out_dir / name);
  const std::size_t bundles = client.bundles;
  EXPECT_EQ(statuses(run()), "bbb");
  EXPECT_EQ(client.bundles, bundles);
  EXPECT_EQ(results(), before);
  for (const auto& [name, time] : times) EXPECT_EQ(fs::last_write_time(options.out_dir / name), time) << name;
}

TEST_F(Study, WhatIsNoLongerWhatItWasIsDoneAgain) {
  run();
  put(scan_of("01"), "3");
  EXPECT_EQ(statuses(run()), "dbb");  // another scan
  put(result("02", ".tsv"), "volume\n");
  EXPECT_EQ(statuses(run()), "bdb");  // a result that was changed
  fs::remove(result("03", ".json"));
  EXPECT_EQ(statuses(run()), "bbd");  // one without its sidecar
  put(result("03", ".json"), "{\"Program\": 1");
  EXPECT_EQ(statuses(run()), "bbd");  // one whose sidecar is none
  options.n_volumes = 1;
  EXPECT_EQ(statuses(run()), "ddd");  // other options
  client.hash = std::string(64, 'b');
  EXPECT_EQ(statuses(run()), "ddd");  // another model
  EXPECT_EQ(statuses(run()), "bbb");
}

TEST_F(Study, ReportsThatAreWantedLaterAreMadeAndThoseThatAreThereAreKept) {
  run();
  const StudyHooks with_reports{.begun = {}, .ended = {},
                                .report = [](const auto&, std::size_t, std::span<const double>) { return "<p>"; },
                                .write = {}};
  EXPECT_EQ(statuses(run(with_reports)), "ddd");
  EXPECT_EQ(statuses(run(with_reports)), "bbb");
  EXPECT_EQ(statuses(run()), "bbb");
  fs::remove(options.out_dir / "sub-02/func/sub-02_desc-volume003_report.html");
  EXPECT_EQ(statuses(run()), "bdb");
}

TEST_F(Study, ADamagedScanIsToldAndTheOthersGoOn) {
  put(scan_of("02"), "damaged");
  const StudyResult r = run();
  EXPECT_EQ(statuses(r), "dfd");
  EXPECT_EQ(r.exit_code(), 3);
  EXPECT_EQ(r.entries[1].reason, "dr_stage2_subject00002.nii.gz: damaged");
  EXPECT_FALSE(fs::exists(result("02", ".tsv")));
  EXPECT_EQ(text_of(options.out_dir / "logs/study.tsv"),
            "participant_id\tname\tstatus\tvolumes\texit_code\treason\n"
            "sub-01\tsub-01\tdone\t2\t0\tn/a\n"
            "sub-02\tsub-02\tfailed\t0\t3\tdr_stage2_subject00002.nii.gz: damaged\n"
            "sub-03\tsub-03\tdone\t2\t0\tn/a\n");
  const std::string index = text_of(options.out_dir / "index.html");
  EXPECT_NE(index.find("<b class=\"failed\">failed</b></td><td><bdi>dr_stage2_subject00002.nii.gz: damaged"), std::string::npos);
  EXPECT_NE(index.find("2 scans done, 1 failed"), std::string::npos);
  // Mended, it is done, and the failure is forgotten.
  put(scan_of("02"), "1");
  EXPECT_EQ(statuses(run()), "bdb");
  EXPECT_EQ(text_of(options.out_dir / "logs/study.tsv").find("failed"), std::string::npos);
  EXPECT_EQ(text_of(options.out_dir / "index.html").find("class=\"failed\">"), std::string::npos);
}

TEST_F(Study, AParticipantWithoutOrWithTwoScansFails) {
  put(options.bids_dir / "other/sub-01/dr_stage2_subject00001.nii.gz", "2");
  options.participants = {"01", "03", "77"};
  const StudyResult r = run();
  EXPECT_EQ(statuses(r), "fdf");
  EXPECT_NE(r.entries[0].reason.find("expected one scan, found 2"), std::string::npos);
  EXPECT_EQ(r.entries[2].reason, "sub-77: expected a scan of that participant, found none");
}

TEST_F(Study, AServerThatIsGoneFailsTheRestAtOnce) {
  client.failures.emplace("dr_stage2_subject00001.nii.gz", Error(ErrorKind::peer, "the connection was cut"));
  client.after_answer = {};
  StudyHooks hooks;
  hooks.ended = [&](const StudyEntry&) { client.gone = true; };
  // The first is cut, the server is there still; then it goes.
  const StudyResult r = run(hooks);
  EXPECT_EQ(statuses(r), "fff");
  EXPECT_EQ(client.asked, (std::vector<std::string>{"dr_stage2_subject00001.nii.gz", "dr_stage2_subject00002.nii.gz"}));
  EXPECT_EQ(r.entries[0].reason, "the connection was cut");
  EXPECT_EQ(r.entries[2].reason, "not tried: 127.0.0.1:7200: nobody listens");
  EXPECT_EQ(r.exit_code(), 4);
}

TEST_F(Study, WithoutAServerWhatIsDoneIsDone) {
  options.participants = {"01", "02"};
  run();
  client.gone = true;
  EXPECT_EQ(statuses(run()), "bb");
  options.participants.clear();
  const StudyResult r = run();
  EXPECT_EQ(statuses(r), "bbf");
  EXPECT_EQ(r.exit_code(), 4);
}

TEST_F(Study, ARefusalThatComesTwiceInARowEndsIt) {
  for (const char* label : {"1", "2"}) {
    client.failures.emplace(std::string("dr_stage2_subject0000") + label + ".nii.gz", Error(ErrorKind::no_bundles, "quota"));
  }
  const StudyResult r = run();
  EXPECT_EQ(statuses(r), "fff");
  EXPECT_EQ(r.entries[2].reason, "not tried: quota");
  EXPECT_EQ(r.exit_code(), 5);
}

// The server is asked the same, and as often, as when all results are valid: two in a row do not end it, and nobody asks for the
// program in between.
TEST_F(Study, AResultThatIsNoneFailsItsScanAndTheServerSeesNoDifference) {
  for (const char* label : {"1", "2"}) client.invalid.insert(std::string("dr_stage2_subject0000") + label + ".nii.gz");
  const StudyResult r = run();
  EXPECT_EQ(statuses(r), "ffd");
  EXPECT_EQ(client.asked.size(), 3U);
  EXPECT_EQ(client.asked_for_program, 1);
  EXPECT_NE(r.entries[0].reason.find("expected a class below 3"), std::string::npos) << r.entries[0].reason;
  EXPECT_EQ(r.exit_code(), 4);
}

TEST_F(Study, AScanThatChangesWhileItIsReadFails) {
  client.after_answer = [&](const fs::path& scan) {
    if (scan.filename() == "dr_stage2_subject00002.nii.gz") put(scan, "4");
  };
  const StudyResult r = run();
  EXPECT_EQ(statuses(r), "dfd");
  EXPECT_NE(r.entries[1].reason.find("has changed since"), std::string::npos);
}

TEST_F(Study, KilledAtAnyWriteItLeavesWholeFilesAndGoesOnWhereItStopped) {
  struct Killed {};
  const StudyHooks with_reports{.begun = {}, .ended = {},
                                .report = [](const ScanOutcome& o, std::size_t i, std::span<const double>) {
                                  return "report of " + o.scan + std::to_string(i);
                                },
                                .write = {}};
  run(with_reports);
  auto wanted = results();
  for (auto& [name, content] : wanted) content = std::regex_replace(content, std::regex("20..-..-..T..:..:..[+-]..:.."), "DATE");
  std::size_t writes = 0;
  for (std::size_t killed_at = 0;; ++killed_at) {
    fs::remove_all(options.out_dir);
    client.bundles = 0;
    StudyHooks hooks = with_reports;
    writes = 0;
    hooks.write = [&](const fs::path& path, ByteView data) {
      if (writes++ == killed_at) {
        // What is left of a write that was cut: part of a file under a temporary name.
        put(path.string() + ".Ab12Cd", std::string(as_text(data.first(data.size() / 2))));
        throw Killed();
      }
      write_file(path, data, true);
    };
    bool was_killed = false;
    try {
      run(hooks);
    } catch (const Killed&) {
      was_killed = true;
    }
    if (!was_killed) break;
    // Whatever is there is whole: a sidecar names only what is there.
    for (const auto& [name, content] : results()) {
      const bool whole = !name.ends_with(".json") || !json::parse(content, nullptr, false).is_discarded();
      EXPECT_TRUE(whole) << name;
    }
    std::size_t leftovers = 0;
    for (const auto& e : fs::recursive_directory_iterator(options.out_dir)) {
      if (!e.path().string().ends_with(".Ab12Cd")) continue;
      ++leftovers;
      fs::last_write_time(e.path(), fs::file_time_type::clock::now() - std::chrono::hours(1));
    }
    EXPECT_EQ(leftovers, 1U);
    const StudyResult again = run(with_reports);
    EXPECT_EQ(again.exit_code(), 0);
    // At most the scan that was under way was asked about twice.
    EXPECT_LE(client.bundles, 9U + 5U) << killed_at;
    auto now = results();
    for (auto& [name, content] : now) content = std::regex_replace(content, std::regex("20..-..-..T..:..:..[+-]..:.."), "DATE");
    EXPECT_EQ(now.size(), wanted.size()) << killed_at;
    EXPECT_EQ(now, wanted) << killed_at;
  }
  EXPECT_GT(writes, 20U);
}

TEST_F(Study, ADiskThatIsFullEndsItBeforeMoreBundlesAreSpent) {
  StudyHooks hooks;
  hooks.write = [&](const fs::path& path, ByteView data) {
    if (path.filename().string().ends_with(".tsv")) fail_input(path.string() + ": cannot write: No space left on device");
    write_file(path, data, true);
  };
  EXPECT_THROW(run(hooks), Error);
  EXPECT_EQ(client.asked.size(), 1U);
}

TEST_F(Study, TheStudysOwnFolderIsNeverWrittenTo) {
  const auto refusal = [&](const fs::path& out) {
    options.out_dir = out;
    try {
      run();
    } catch (const Error& e) {
      EXPECT_EQ(e.kind(), ErrorKind::usage);
      return true;
    }
    return false;
  };
  EXPECT_TRUE(refusal(options.bids_dir));
  EXPECT_TRUE(refusal(options.bids_dir / "results"));
  EXPECT_TRUE(refusal(options.bids_dir / "derivatives"));
  EXPECT_TRUE(refusal(options.bids_dir / "derivatives" / ".." / "x"));
  EXPECT_TRUE(refusal(folder / "."));  // it would hold the study
  fs::create_directory_symlink(options.bids_dir, folder / "link");
  EXPECT_TRUE(refusal(folder / "link/results"));
  EXPECT_TRUE(client.asked.empty());
  put(folder / "raw/dataset_description.json", R"({"Name": "raw", "BIDSVersion": "1.8.0"})");
  EXPECT_TRUE(refusal(folder / "raw"));
  EXPECT_FALSE(refusal(options.bids_dir / "derivatives/smpc/"));
}

TEST_F(Study, TheParticipantsOfOneStudyMayBeSharedOutAmongRuns) {
  options.participants = {"01"};
  run();
  options.participants = {"sub-03"};
  run();
  const std::string index = text_of(options.out_dir / "index.html");
  EXPECT_NE(index.find("href=\"sub-01.html\""), std::string::npos);
  EXPECT_NE(index.find("href=\"sub-03.html\""), std::string::npos);
  EXPECT_NE(index.find("2 scans done, 0 failed"), std::string::npos);
}

TEST_F(Study, PagesShowNamesAsText) {
  run();
  const std::string page = text_of(options.out_dir / "sub-02.html");
  EXPECT_EQ(page.find("<script>"), std::string::npos);
  EXPECT_NE(page.find("&lt;script&gt;"), std::string::npos);
  EXPECT_NE(page.find("default-src 'none'"), std::string::npos);
}

}  // namespace
}  // namespace smpc::testing
