// DICOM is not read; its refusal names the tool that converts it.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

#include "nifti_writer.h"
#include "smpc/base/error.h"
#include "smpc/image/volume_reader.h"
#include "support/expect_has.h"

namespace smpc {
namespace {

namespace fs = std::filesystem;
using testing::gzip;
using testing::nifti_file;
using testing::NiftiSpec;
using testing::TemporaryFile;

// An element with an explicit representation of the value and a length of 2 bytes.
std::string element(const std::string& tag, const std::string& type, const std::string& value) {
  return tag + type + static_cast<char>(value.size()) + std::string(1, '\0') + value;
}

const std::string group_2_length = element({2, 0, 0, 0}, "UL", {52, 0, 0, 0});
const std::string dicom = std::string(128, '\0') + "DICM" + group_2_length + std::string(300, 'x');

std::string refusal_at(const fs::path& path) {
  try {
    VolumeReader(path, {});
  } catch (const Error& e) {
    EXPECT_EQ(e.kind(), ErrorKind::bad_input);
    return e.what();
  }
  return "";
}

std::string refusal_of_bytes(const std::string& content) {
  const TemporaryFile f(content);
  return refusal_at(f.path());
}

// A folder that goes with the test.
class TemporaryFolder {
 public:
  TemporaryFolder() : name_("") {
    fs::remove(path());
    fs::create_directory(path());
  }
  const fs::path& path() const { return name_.path(); }
  void write(const std::string& name, const std::string& content) const {
    fs::create_directories((path() / name).parent_path());
    std::ofstream(path() / name, std::ios::binary) << content;
  }

 private:
  TemporaryFile name_;
};

TEST(Dicom, AFileIsRefusedWithTheToolThatConvertsIt) {
  const TemporaryFile f(dicom, ".dcm");
  EXPECT_EQ(refusal_at(f.path()),
            f.path().string() + ": expected NIfTI, found DICOM; convert the series with dcm2niix and give the .nii.gz "
                                "file that it writes");
  EXPECT_HAS(refusal_of_bytes(gzip(dicom)), "dcm2niix");
  EXPECT_HAS(refusal_of_bytes(std::string(128, 'p') + "DICM"), "dcm2niix");
}

TEST(Dicom, AFileWithoutPreambleToo) {
  const std::string rest(300, ' ');
  EXPECT_HAS(refusal_of_bytes(group_2_length + rest), "dcm2niix");
  EXPECT_HAS(refusal_of_bytes(element({8, 0, 5, 0}, "CS", "ISO_IR 100") + rest), "dcm2niix");
  const std::string implicit{8, 0, 0, 0, 4, 0, 0, 0, 42, 1, 0, 0};
  EXPECT_HAS(refusal_of_bytes(implicit + rest), "dcm2niix");
  EXPECT_HAS(refusal_of_bytes(implicit), "dcm2niix");
}

TEST(Dicom, WhatIsNeitherIsNotTakenForIt) {
  for (const std::string& other : {std::string(128, '\0') + "DICN", std::string(128, '\0') + "DIC",
                                   std::string(127, '\0') + "DICM", std::string{8, 0, 5, 0, 'C'},
                                   std::string{8, 0, 5, 0, 5, 0, 0, 0}, std::string{9, 0, 5, 0, 'C', 'S', 2, 0},
                                   std::string(400, 'a')}) {
    EXPECT_HAS(refusal_of_bytes(other), "found something else") << other.size();
  }
}

// A NIfTI-1 header may hold those letters at that place: they are its cal_min.
TEST(Dicom, AScanIsAScanWhateverItsCalMinIs) {
  std::string scan = nifti_file(NiftiSpec{}, std::vector<float>(24, 1.0F));
  scan.replace(128, 4, "DICM");
  EXPECT_EQ(refusal_of_bytes(scan), "");
}

TEST(Dicom, AFolderOfItIsToldFromOtherFolders) {
  const TemporaryFolder series;
  EXPECT_HAS(refusal_at(series.path()), "found a folder");
  series.write("readme.txt", "no scan");
  series.write("study/scan.nii", nifti_file(NiftiSpec{}, std::vector<float>(24, 1.0F)));
  ASSERT_EQ(::mkfifo((series.path() / "pipe").c_str(), 0600), 0);
  EXPECT_HAS(refusal_at(series.path()), "name the file itself");
  series.write("study/series/IM000001", dicom);
  EXPECT_HAS(refusal_at(series.path()), "found a folder of DICOM files; convert the series with dcm2niix");
  const TemporaryFolder disc;
  disc.write("DICOMDIR", dicom);
  EXPECT_HAS(refusal_at(disc.path()), "dcm2niix");
  EXPECT_HAS(refusal_at(disc.path() / "DICOMDIR"), "dcm2niix");
}

// A chain of folders, so that it does not matter in which order a folder gives its entries.
TEST(Dicom, OnlySoManyEntriesOfAFolderAreLookedAt) {
  const TemporaryFolder series;
  std::string deep;
  for (int depth = 0; depth < 255; ++depth) deep += "d/";
  series.write(deep + "IM000001", dicom);
  EXPECT_HAS(refusal_at(series.path()), "dcm2niix");
  const TemporaryFolder deeper;
  deeper.write(deep + "d/IM000001", dicom);
  EXPECT_HAS(refusal_at(deeper.path()), "name the file itself");
}

}  // namespace
}  // namespace smpc
