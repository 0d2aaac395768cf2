// Bad scans: each is refused in one line that names what was expected and what was found. Numbers are those of the
// project's list of faults.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cmath>
#include <limits>

#include "nifti_writer.h"
#include "smpc/base/error.h"
#include "smpc/image/scan.h"

namespace smpc {
namespace {

using testing::gzip;
using testing::nifti_file;
using testing::NiftiSpec;
using testing::TemporaryFile;

const std::vector<float> voxels(24, 1.0F);

// The refusal's text; fails when the scan is taken.
std::string refusal(const std::filesystem::path& path, const std::string& selection = "") {
  try {
    load_scan(path, parse_volume_selection(selection));
  } catch (const Error& e) {
    EXPECT_EQ(e.kind(), ErrorKind::bad_input);
    EXPECT_EQ(std::string(e.what()).find('\n'), std::string::npos);
    return e.what();
  }
  ADD_FAILURE() << path << " was taken";
  return "";
}

std::string refusal_of(const std::string& content, const std::string& selection = "") {
  const TemporaryFile f(content);
  return refusal(f.path(), selection);
}

#define EXPECT_HAS(text, part) EXPECT_NE((text).find(part), std::string::npos) << (text)

TEST(Refusal, fault_56_EveryCutOfAGzippedScan) {
  const std::string whole = gzip(nifti_file(NiftiSpec{}, voxels));
  for (std::size_t cut = 0; cut < whole.size(); ++cut) refusal_of(whole.substr(0, cut));
}

TEST(Refusal, fault_56_EveryCutOfAPlainScan) {
  const std::string whole = nifti_file(NiftiSpec{}, voxels);
  for (std::size_t cut = 0; cut < whole.size(); ++cut) refusal_of(whole.substr(0, cut));
}

TEST(Refusal, fault_56_BadChecksumAndTrailingMember) {
  std::string whole = gzip(nifti_file(NiftiSpec{}, voxels));
  EXPECT_HAS(refusal_of(whole + whole), "bytes after it");
  EXPECT_HAS(refusal_of(whole + "x"), "bytes after it");
  whole[whole.size() - 6] = static_cast<char>(whole[whole.size() - 6] ^ 1);
  EXPECT_HAS(refusal_of(whole), "damaged");
}

TEST(Refusal, fault_57_GzipBombStopsAtTheSizeOfItsHeader) {
  const std::string bomb = gzip(nifti_file(NiftiSpec{}, voxels) + std::string(64 << 20, '\0'));
  EXPECT_HAS(refusal_of(bomb), "found more");
}

TEST(Refusal, fault_58_VolumesThatAreNotThere) {
  NiftiSpec s;
  s.dim = {4, 4, 3, 2, 3, 1, 1, 1};
  const std::string four = nifti_file(s, std::vector<float>(72, 1.0F));
  EXPECT_HAS(refusal_of(four), "4-D scan of 3 volumes");
  EXPECT_HAS(refusal_of(four), "--volume");
  EXPECT_HAS(refusal_of(four, "3"), "from 0 to 2");
  EXPECT_HAS(refusal_of(nifti_file(NiftiSpec{}, voxels), "1"), "from 0 to 0");
  s.dim = {5, 4, 3, 2, 1, 3, 1, 1};
  EXPECT_HAS(refusal_of(nifti_file(s, std::vector<float>(72, 1.0F))), "3-D or 4-D");
}

TEST(Refusal, fault_59_ImpossibleDimensions) {
  for (const std::int64_t n : {0, 8, -1, 1, 2}) {
    NiftiSpec s;
    s.dim[0] = n;
    refusal_of(nifti_file(s, voxels));
  }
  for (const std::int64_t n : {0, -3}) {
    NiftiSpec s;
    s.dim[2] = n;
    EXPECT_HAS(refusal_of(nifti_file(s, voxels)), "positive dimensions");
  }
}

TEST(Refusal, DimensionsWhoseProductWrapsAroundAreNoCifti) {
  NiftiSpec s;
  s.second = true;
  s.dim = {5, std::int64_t{1} << 62, 5, 1, 1, 2, 1, 1};
  EXPECT_HAS(refusal_of(nifti_file(s, std::vector<float>(24, 1.0F))), "3-D or 4-D");
  s.dim = {5, 1, 1, 1, 1, 2, 1, 1};
  EXPECT_HAS(refusal_of(nifti_file(s, std::vector<float>(24, 1.0F))), "CIFTI");
}

TEST(Refusal, fault_60_AHugeClaimInASmallFile) {
  NiftiSpec s;
  s.dim = {4, 32767, 32767, 32767, 32767, 1, 1, 1};
  refusal_of(gzip(nifti_header(s)));
  refusal_of(nifti_header(s) + std::string(25, '\0'), "all");
  s.second = true;
  s.dim = {4, 1LL << 40, 1LL << 40, 1LL << 40, 1, 1, 1, 1};
  refusal_of(nifti_header(s));
}

TEST(Refusal, fault_61_NanAndInfiniteVoxelsAreNamed) {
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    std::vector<float> v = voxels;
    v[2 + 4 * (1 + 3 * 1)] = bad;
    EXPECT_HAS(refusal_of(nifti_file(NiftiSpec{}, v)), "(2, 1, 1)");
  }
}

TEST(Refusal, fault_63_InfiniteSlopeOrOverflow) {
  NiftiSpec s;
  s.slope = std::numeric_limits<double>::infinity();
  refusal_of(nifti_file(s, voxels));
  s.slope = 1;
  s.intercept = std::numeric_limits<double>::quiet_NaN();
  refusal_of(nifti_file(s, voxels));
  s.second = true;
  s.intercept = 0;
  s.slope = 1e308;
  refusal_of(nifti_file(s, std::vector<float>(24, 1e30F)));
}

TEST(Refusal, fault_64_ImpossibleDataOffsets) {
  for (const double offset : {std::numeric_limits<double>::quiet_NaN(), 1e30, -5.0, 0.0, 100.0, 351.0, 352.5}) {
    NiftiSpec s;
    s.vox_offset = offset;
    EXPECT_HAS(refusal_of(nifti_file(s, voxels)), "vox_offset");
  }
}

TEST(Refusal, fault_65_WhatIsNoFile) {
  refusal_of("");
  refusal("/dev/zero");
  refusal("/");
  refusal("/no/such/file.nii");
  const TemporaryFile place("");
  std::filesystem::remove(place.path());
  ASSERT_EQ(::mkfifo(place.path().c_str(), 0600), 0);
  EXPECT_HAS(refusal(place.path()), "pipe");
}

TEST(Refusal, fault_66_MagicDatatypesAndExtensions) {
  NiftiSpec s;
  s.magic = std::string("ni1\0", 4);
  EXPECT_HAS(refusal_of(nifti_file(s, voxels)), ".hdr/.img");
  s.magic = std::string("xyz\0", 4);
  EXPECT_HAS(refusal_of(nifti_file(s, voxels)), "magic");
  s = {};
  s.datatype = DT_COMPLEX64;
  s.bitpix = 64;
  EXPECT_HAS(refusal_of(nifti_file(s, std::vector<float>(48))), "complex64");
  s.datatype = DT_RGB24;
  s.bitpix = 24;
  EXPECT_HAS(refusal_of(nifti_file(s, voxels)), "RGB");
  s.datatype = 77;
  EXPECT_HAS(refusal_of(nifti_file(s, voxels)), "77");
  s = {};
  s.bitpix = 16;
  EXPECT_HAS(refusal_of(nifti_file(s, voxels)), "bits per voxel");
  s = {};
  s.extension = std::string{1, 0, 0, 0} + std::string{17, 0, 0, 0, 4, 0, 0, 0} + std::string(8, 'x');
  EXPECT_HAS(refusal_of(nifti_file(s, voxels)), "extensions");
  s.extension = std::string{1, 0, 0, 0} + std::string{64, 0, 0, 0, 4, 0, 0, 0} + std::string(8, 'x');
  EXPECT_HAS(refusal_of(nifti_file(s, voxels)), "extensions");
  refusal_of(std::string(400, 'a'));
}

TEST(Refusal, NoOrientation) {
  NiftiSpec s;
  s.sform_code = 0;
  EXPECT_HAS(refusal_of(nifti_file(s, voxels)), "orientation");
}

}  // namespace
}  // namespace smpc
