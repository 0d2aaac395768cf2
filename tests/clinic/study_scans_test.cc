// Which scans a study has.
#include "study_support.h"

namespace smpc::testing {
namespace {

class Finding : public ::testing::Test {
 protected:
  Finding() {
    options.bids_dir = folder / "bids";
    options.out_dir = folder / "out";
    fs::create_directories(options.bids_dir);
  }
  void file(const std::string& path) { put(options.bids_dir / path, "x"); }
  // "name: file file; ..."
  std::string found() {
    std::string out;
    for (const StudyScan& scan : find_study_scans(options)) {
      out += (out.empty() ? "" : "; ") + scan.name + ":";
      for (const fs::path& f : scan.files) out += " " + f.generic_string();
    }
    return out;
  }
  template <class F>
  std::string refusal(F f) {
    try {
      f();
    } catch (const Error& e) {
      return std::to_string(e.exit_code()) + " " + e.what();
    }
    return "taken";
  }
  TemporaryFolder folder;
  StudyOptions options;
};

TEST_F(Finding, ByTheNamesOfDualRegressionInAnyFolder) {
  file("dr_stage2_subject00000.nii.gz");
  file("derivatives/dr/dr_stage2_subject00001.nii.gz");
  file("dr_stage2_ic0000.nii.gz");
  file("dr_stage1_subject00000.txt");
  file("mask.nii.gz");
  EXPECT_EQ(found(), "sub-00000: dr_stage2_subject00000.nii.gz; sub-00001: derivatives/dr/dr_stage2_subject00001.nii.gz");
}

TEST_F(Finding, ALabelInThePathSaysWhoseItIs) {
  file("derivatives/dr/sub-01/ses-a/dr_stage2_subject00000.nii.gz");
  file("derivatives/dr/sub-01/ses-b/dr_stage2_subject00000.nii.gz");
  file("derivatives/dr/dr_stage2_subject_sub-02_task-rest_run-1.nii.gz");
  EXPECT_EQ(found(),
            "sub-01_ses-a: derivatives/dr/sub-01/ses-a/dr_stage2_subject00000.nii.gz; "
            "sub-01_ses-b: derivatives/dr/sub-01/ses-b/dr_stage2_subject00000.nii.gz; "
            "sub-02_task-rest_run-1: derivatives/dr/dr_stage2_subject_sub-02_task-rest_run-1.nii.gz");
  const auto scans = find_study_scans(options);
  EXPECT_EQ(scans[0].folder, fs::path("sub-01/ses-a/func"));
  EXPECT_EQ(scans[2].folder, fs::path("sub-02/func"));
  EXPECT_EQ(scans[2].participant, "02");
}

TEST_F(Finding, TheZMapBesideAMapIsLeftOutUnlessItIsAskedFor) {
  file("dr_stage2_subject00000.nii.gz");
  file("dr_stage2_subject00000_Z.nii.gz");
  file("dr_stage2_subject00001_Z.nii.gz");  // alone
  EXPECT_EQ(found(), "sub-00000: dr_stage2_subject00000.nii.gz; sub-00001: dr_stage2_subject00001_Z.nii.gz");
  options.pattern = "dr_stage2_subject*_Z.nii.gz";
  EXPECT_EQ(found(), "sub-00000: dr_stage2_subject00000_Z.nii.gz; sub-00001: dr_stage2_subject00001_Z.nii.gz");
}

TEST_F(Finding, AGlobIsForNamesOrForPaths) {
  file("a/sub-01_desc-maps_bold.nii.gz");
  file("b/c/sub-02_desc-maps_bold.nii.gz");
  options.pattern = "*_desc-maps_bold.nii.gz";
  EXPECT_EQ(found(), "sub-01: a/sub-01_desc-maps_bold.nii.gz; sub-02: b/c/sub-02_desc-maps_bold.nii.gz");
  options.pattern = "b/*maps_bold.nii.gz";
  EXPECT_EQ(found(), "sub-02: b/c/sub-02_desc-maps_bold.nii.gz");
  options.pattern = "nothing*";
  EXPECT_NE(refusal([&] { found(); }).find("expected files nothing*, found none"), std::string::npos);
}

TEST_F(Finding, HiddenFoldersLinkedFoldersAndTheResultsAreNotSearched) {
  file("dr_stage2_subject00000.nii.gz");
  file(".git/annex/objects/dr_stage2_subject00007.nii.gz");
  file("derivatives/out/dr_stage2_subject00008.nii.gz");
  options.out_dir = options.bids_dir / "derivatives/out";
  fs::create_directory_symlink(options.bids_dir, options.bids_dir / "derivatives/circle");
  put(folder / "elsewhere", "x");
  fs::create_symlink(folder / "elsewhere", options.bids_dir / "dr_stage2_subject00002.nii.gz");
  fs::create_symlink(folder / "missing", options.bids_dir / "dr_stage2_subject00003.nii.gz");
  EXPECT_EQ(found(),
            "sub-00000: dr_stage2_subject00000.nii.gz; sub-00002: dr_stage2_subject00002.nii.gz; "
            "sub-00003: dr_stage2_subject00003.nii.gz");
}

TEST_F(Finding, ParticipantsAreChosenByLabel) {
  file("sub-01/dr_stage2_subject0.nii.gz");
  file("sub-02/ses-1/dr_stage2_subject0.nii.gz");
  file("sub-02/ses-2/dr_stage2_subject0.nii.gz");
  file("sub-03/dr_stage2_subject0.nii.gz");
  options.participants = {"sub-02", "03", "03", "9"};
  EXPECT_EQ(found(),
            "sub-02_ses-1: sub-02/ses-1/dr_stage2_subject0.nii.gz; sub-02_ses-2: sub-02/ses-2/dr_stage2_subject0.nii.gz; "
            "sub-03: sub-03/dr_stage2_subject0.nii.gz; sub-9:");
  options.participants = {"../x"};
  EXPECT_EQ(refusal([&] { found(); }).substr(0, 21), "2 --participant-label");
}

TEST_F(Finding, TwoFilesOfOneNameAreBothTold) {
  file("a/sub-01/dr_stage2_subject0.nii.gz");
  file("b/sub-01/dr_stage2_subject0.nii.gz");
  EXPECT_EQ(found(), "sub-01: a/sub-01/dr_stage2_subject0.nii.gz b/sub-01/dr_stage2_subject0.nii.gz");
}

// "name", or "name!" with a refusal, or "name?" where it is passed over.
std::string judged(const StudyOptions& options) {
  std::string out;
  for (const StudyScan& scan : find_study_scans(options)) {
    out += (out.empty() ? "" : "; ") + scan.name + (scan.passed_over ? "?" : scan.refusal.empty() ? "" : "!");
  }
  return out;
}

TEST_F(Finding, NobodyIsGuessedFromAPartThatIsNoLabel) {
  options.pattern = "*.nii.gz";
  file("sub-01/sub-01_task-rest_melodic_IC.nii.gz");
  file("sub-02_ses-1_task-x.ica/melodic_IC.nii.gz");
  file("sub-CON+01/dr_stage2_subject00000.nii.gz");
  file("sub-con_01/dr_stage2_subject00001.nii.gz");
  file("sub-con_a/dr_stage2_subject00002.nii.gz");
  file("sub-1.5/dr_stage2_subject00003.nii.gz");
  file("sub-/dr_stage2_subject00004.nii.gz");
  file("sub-05/sub-06_bold.nii.gz");
  file("sub-07/ses-a+b/dr_stage2_subject00005.nii.gz");
  file("x/sub-08_2_bold.nii.gz");
  file("x/dr_stage2_subject_sub-09+1.nii.gz");
  file("x/dr_stage2_subject10+1.nii.gz");
  EXPECT_EQ(judged(options),
            "./sub-07/ses-a+b/dr_stage2_subject00005.nii.gz!; ./x/dr_stage2_subject10+1.nii.gz!; ./x/dr_stage2_subject_sub-09+1.nii.gz!; "
            "sub-!; sub-01_task-rest; sub-02_ses-1_task-x; sub-06_bold!; sub-08_2_bold!; sub-1.5!; sub-CON+01!; sub-con_01!; sub-con_a!");
  options.participants = {"02", "06"};
  EXPECT_EQ(judged(options), "sub-02_ses-1_task-x; sub-06");
}

TEST_F(Finding, MapsOfOneParticipantAreKeptApartByTheirEntities) {
  options.pattern = "*_IC.nii.gz";
  file("sub-01/melodic_space-MNI.ica/melodic_IC.nii.gz");
  file("sub-01/melodic_space-T1w.ica/melodic_IC.nii.gz");
  file("sub-01/sub-01_run-1_echo-1_desc-a_IC.nii.gz");
  file("sub-01/sub-01_run-1_echo-2_desc-a_IC.nii.gz");
  file("sub-01/sub-01_run-1_echo-2_desc-b_IC.nii.gz");
  EXPECT_EQ(judged(options),
            "sub-01_run-1_echo-1_desc-a; sub-01_run-1_echo-2_desc-a; sub-01_run-1_echo-2_desc-b; sub-01_space-MNI; sub-01_space-T1w");
}

TEST_F(Finding, DeadLinksAreToldWhereTheyMayHaveBeenFolders) {
  file("sub-01/dr_stage2_subject00001.nii.gz");
  fs::create_symlink("loop", options.bids_dir / "loop");
  fs::create_symlink("/nowhere/sub-02", options.bids_dir / "sub-02");
  fs::create_symlink(".git/annex/objects/x", options.bids_dir / "sub-01/sub-01_T1w.nii.gz");  // not fetched, not wanted
  fs::create_symlink("dr_stage2_subject00003.nii.gz", options.bids_dir / "dr_stage2_subject00003.nii.gz");
  EXPECT_EQ(judged(options), "./loop?; ./sub-02?; sub-00003; sub-01");
}

TEST_F(Finding, AFileOfNobodyAmongOthersFailsAlone) {
  options.pattern = "*.nii.gz";
  file("bold.nii.gz");
  file("sub-01/bold.nii.gz");
  EXPECT_EQ(judged(options), "./bold.nii.gz!; sub-01");
}

TEST_F(Finding, AFileOfNobodyIsRefused) {
  file("bold.nii.gz");
  options.pattern = "bold.nii.gz";
  EXPECT_EQ(refusal([&] { found(); }).substr(0, 36), "3 bold.nii.gz: expected the particip");
}

}  // namespace
}  // namespace smpc::testing
