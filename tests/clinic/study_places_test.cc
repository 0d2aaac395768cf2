// Studies whose folders, names and values are not as they should be: what is wrong is told by name, and the others go on.
#include <unistd.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "study_support.h"

namespace smpc::testing {
namespace {

using nlohmann::json;
using Study = StudyFolders;

std::size_t read_volumes(const fs::path& tsv) {
  const std::string text = text_of(tsv);
  return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n')) - 1;  // but for the heading
}

// Closes a folder to everybody, while it is there; and gives up root's rights, who would read it all the same.
class WithoutRights {
 public:
  WithoutRights(const fs::path& above, const fs::path& closed) {
    if (::geteuid() == 0) {
      for (const auto& entry : fs::recursive_directory_iterator(above)) check(::chown(entry.path().c_str(), nobody, nobody));
      check(::chown(above.c_str(), nobody, nobody));
      check(::seteuid(nobody));
      given_up_ = true;
    }
    fs::permissions(closed, fs::perms::none);
  }
  ~WithoutRights() {
    if (given_up_) check(::seteuid(0));
  }
  WithoutRights(const WithoutRights&) = delete;
  WithoutRights& operator=(const WithoutRights&) = delete;

 private:
  static void check(int failed) { EXPECT_EQ(failed, 0); }
  static constexpr uid_t nobody = 65534;
  bool given_up_ = false;
};

// A label that is none of BIDS is nobody's: not the one that it begins with, nor the number behind "subject".
TEST_F(Study, AParticipantWithNoValidLabelFailsByNameAndTheOthersGoOn) {
  put(options.bids_dir / "sub-con_01/func/dr_stage2_subject00008.nii.gz", "2");
  put(options.bids_dir / "sub-CON+01/func/dr_stage2_subject00009.nii.gz", "2");
  const StudyResult r = run();
  EXPECT_EQ(statuses(r), "dddff");
  EXPECT_EQ(r.exit_code(), 3);
  EXPECT_EQ(r.entries[3].scan.name + " " + r.entries[4].scan.name, "sub-CON+01 sub-con_01");
  EXPECT_EQ(r.entries[4].reason,
            "sub-con_01/func/dr_stage2_subject00008.nii.gz: expected sub- and ses- with a label of letters and digits, as BIDS has "
            "them, found 'sub-con_01'; rename it");
  for (const auto& [name, content] : results()) {
    EXPECT_EQ(name.find("sub-00008"), std::string::npos);
    EXPECT_EQ(name.find("sub-con/"), std::string::npos);
  }
  EXPECT_NE(text_of(options.out_dir / "index.html").find("sub-CON+01"), std::string::npos);
  EXPECT_NE(text_of(options.out_dir / "logs/study.tsv").find("sub-con_01\tsub-con_01\tfailed\t0\t3\tsub-con_01/func"), std::string::npos);
  // Renamed, it is done, and the failure is forgotten.
  fs::rename(options.bids_dir / "sub-con_01", options.bids_dir / "sub-con01");
  fs::remove_all(options.bids_dir / "sub-CON+01");
  EXPECT_EQ(statuses(run()), "bbbd");
  EXPECT_EQ(text_of(options.out_dir / "logs/study.tsv").find("failed"), std::string::npos);
}

TEST_F(Study, SeveralMapsOfOneParticipantHaveResultsOfTheirOwn) {
  options.pattern = "*_map.nii.gz";
  put(options.bids_dir / "sub-04/sub-04_space-A_desc-x_map.nii.gz", "1");
  put(options.bids_dir / "sub-04/sub-04_space-A_desc-y_map.nii.gz", "2");
  put(options.bids_dir / "sub-04/sub-04_space-A_map.nii.gz", "3");
  EXPECT_EQ(statuses(run()), "ddd");
  const fs::path func = options.out_dir / "sub-04/func";
  EXPECT_EQ(read_volumes(func / "sub-04_space-A_desc-xNetworks_predictions.tsv"), 1U);
  EXPECT_EQ(read_volumes(func / "sub-04_space-A_desc-yNetworks_predictions.tsv"), 2U);
  EXPECT_EQ(read_volumes(func / "sub-04_space-A_desc-networks_predictions.tsv"), 3U);
  EXPECT_EQ(statuses(run()), "bbb");
  const std::string tsv = text_of(options.out_dir / "logs/study.tsv");
  EXPECT_NE(tsv.find("sub-04\tsub-04_space-A\tdone\t3"), std::string::npos) << tsv;
  EXPECT_NE(tsv.find("sub-04\tsub-04_space-A_desc-y\tdone\t2"), std::string::npos) << tsv;
}

TEST_F(Study, ALinkToItselfIsPassedOverAndTold) {
  fs::create_symlink("loop", options.bids_dir / "loop");
  const StudyResult r = run();
  EXPECT_EQ(statuses(r), "pddd");
  EXPECT_EQ(r.entries[0].scan.name, "./loop");
  EXPECT_EQ(r.entries[0].reason, "loop: a link that leads back to itself, or too many links in a row (Too many levels of symbolic links): "
                                 "mend it, or name the file itself");
  EXPECT_EQ(r.exit_code(), 0);
}

TEST_F(Study, ALinkToItselfInPlaceOfAScanFailsThatScan) {
  fs::remove(scan_of("02"));
  fs::create_symlink(scan_of("02"), scan_of("02"));
  const StudyResult r = run();
  EXPECT_EQ(statuses(r), "dfd");
  EXPECT_EQ(r.exit_code(), 3);
  EXPECT_NE(r.entries[1].reason.find("found a link that leads back to itself"), std::string::npos) << r.entries[1].reason;
}

TEST_F(Study, AScanThatWasNotFetchedSaysHowToFetchIt) {
  fs::remove(scan_of("02"));
  fs::create_symlink(".git/annex/objects/scan", scan_of("02"));
  const StudyResult r = run();
  EXPECT_EQ(statuses(r), "dfd");
  EXPECT_NE(r.entries[1].reason.find("run git annex get"), std::string::npos) << r.entries[1].reason;
}

TEST_F(Study, AFolderThatCannotBeReadFailsByNameAndTheOthersGoOn) {
  const fs::path closed = options.bids_dir / "derivatives/dr/sub-02";
  const WithoutRights no_rights(folder / "", closed);
  StudyResult r = run();
  ASSERT_EQ(r.entries.size(), 3U);
  EXPECT_EQ(r.entries[0].scan.name, "./derivatives/dr/sub-02");
  EXPECT_EQ(statuses(r), "fdd");
  EXPECT_NE(r.entries[0].reason.find("derivatives/dr/sub-02: expected a folder that can be read, found no permission"), std::string::npos)
      << r.entries[0].reason;
  EXPECT_EQ(r.exit_code(), 3);
  EXPECT_NE(text_of(options.out_dir / "logs/study.tsv").find("n/a\t./derivatives/dr/sub-02\tfailed\t0\t3\t"), std::string::npos);
  // Another participant's folder is not looked into.
  options.participants = {"01"};
  r = run();
  EXPECT_EQ(statuses(r), "b");
  EXPECT_EQ(r.exit_code(), 0);
  // Once it can be read, the failure is forgotten.
  fs::permissions(closed, fs::perms::owner_all);
  options.participants.clear();
  EXPECT_EQ(statuses(run()), "bdb");
  EXPECT_EQ(text_of(options.out_dir / "logs/study.tsv").find("failed"), std::string::npos);
}

TEST_F(Study, NanVoxelsThatWereTakenAsZeroAreCountedInEveryResult) {
  run();
  options.nan_as_zero = true;
  EXPECT_EQ(statuses(run()), "ddd");  // other options
  const std::string tsv = text_of(result("01", ".tsv"));
  EXPECT_EQ(tsv.substr(0, tsv.find('\n')), "volume\tindex\tlabel\tprobability\tlogit_0\tlogit_1\tlogit_2\tnan_as_zero");
  EXPECT_NE(tsv.find("\t0.0\t2.5\t0.0\t10\n"), std::string::npos) << tsv;
  const json s = json::parse(text_of(result("01", ".json")));
  EXPECT_EQ(s["Options"]["NanAsZero"], true);
  EXPECT_EQ(s["NanVoxels"], "10 voxels were NaN and were taken as 0, in 2 volumes together");
  EXPECT_TRUE(s["nan_as_zero"].contains("Description"));
  EXPECT_NE(text_of(options.out_dir / "sub-01.html").find("10 voxels were NaN"), std::string::npos);
}

TEST_F(Study, NoCellOfATableIsAFormulaToASpreadsheet) {
  client.labels = {"=1+2", "@SUM(A1)", "'-x"};
  put(options.bids_dir / "=x/sub-a+b/dr_stage2_subject1.nii.gz", "2");
  run();
  const std::string tsv = text_of(result("02", ".tsv"));
  for (const char* cell : {"\t'=1+2\t", "\t'@SUM(A1)\t", "\t''-x\t"}) EXPECT_NE(tsv.find(cell), std::string::npos) << tsv;
  EXPECT_NE(text_of(options.out_dir / "logs/study.tsv").find("\t'=x/sub-a+b/dr_stage2"), std::string::npos);
  const std::string page = text_of(options.out_dir / "sub-02.html");  // where they are read back
  for (const char* label : {"<bdi>=1+2</bdi>", "<bdi>@SUM(A1)</bdi>"}) EXPECT_NE(page.find(label), std::string::npos) << page;
}

}  // namespace
}  // namespace smpc::testing
