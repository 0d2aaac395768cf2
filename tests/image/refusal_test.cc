// Bad scans: each is refused in one line that names what was expected and what was found. Numbers are those of the
// project's list of faults.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cmath>
#include <limits>

#include "nifti_writer.h"
#include "smpc/base/error.h"
#include "smpc/image/scan.h"
#include "support/expect_has.h"

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

TEST(Refusal, fault_56_EveryCutOfAGzippedScan) {
  const std::string whole = gzip(nifti_file(NiftiSpec{}, voxels));
  for (std::size_t cut = 0; cut < whole.size(); ++cut) refusal_of(whole.substr(0, cut));
}

TEST(Refusal, fault_56_EveryCutOfAPlainScan) {
  const std::string whole = nifti_file(NiftiSpec{}, voxels);
  for (std::size_t cut = 0; cut < whole.size(); ++cut) refusal_of(whole.substr(0, cut));
}

// A file in `count` gzip members, of as many bytes each but for the last.
std::string members(const std::string& plain, std::size_t count) {
  std::string out;
  const std::size_t each = plain.size() / count;
  for (std::size_t i = 0; i < count; ++i) out += gzip(plain.substr(i * each, i + 1 == count ? plain.npos : each));
  return out;
}

TEST(Refusal, fault_56_EveryCutOfSeveralMembers) {
  const std::string whole = members(nifti_file(NiftiSpec{}, voxels), 3);
  for (std::size_t cut = 0; cut < whole.size(); ++cut) refusal_of(whole.substr(0, cut));
}

TEST(Refusal, fault_56_ABadMemberOrOtherBytesThanZerosAfterTheLast) {
  const std::string plain = nifti_file(NiftiSpec{}, voxels);
  std::string whole = gzip(plain);
  EXPECT_HAS(refusal_of(whole + whole), "found more");
  EXPECT_HAS(refusal_of(whole + "x"), "nothing but zeros after the last gzip member");
  EXPECT_HAS(refusal_of(whole + std::string(100'000, '\0') + "x"), "nothing but zeros after the last gzip member");
  EXPECT_HAS(refusal_of(whole + std::string(9, '\0') + gzip("")), "nothing but zeros after the last gzip member");
  EXPECT_HAS(refusal_of(whole + "\x1f"), "cut short");
  EXPECT_HAS(refusal_of(whole + "\x1f\x8c and no member"), "damaged");
  EXPECT_HAS(refusal_of(gzip(plain.substr(0, 400)) + "x"), "nothing but zeros after the last gzip member");
  EXPECT_HAS(refusal_of(gzip(plain.substr(0, 400)) + std::string(512, '\0')), "cut short");
  for (const std::size_t count : {1U, 2U, 5U}) {
    std::string bad = members(plain, count);
    bad[bad.size() - 6] = static_cast<char>(bad[bad.size() - 6] ^ 1);  // of the last member's checksum
    EXPECT_HAS(refusal_of(bad), "damaged");
    bad = members(plain, count);
    bad[gzip(plain.substr(0, plain.size() / count)).size() - 6] ^= 1;  // of the first one's
    EXPECT_HAS(refusal_of(bad), "damaged");
  }
}

TEST(Refusal, fault_57_GzipBombStopsAtTheSizeOfItsHeader) {
  const std::string bomb = gzip(nifti_file(NiftiSpec{}, voxels) + std::string(64 << 20, '\0'));
  EXPECT_HAS(refusal_of(bomb), "found more");
  EXPECT_HAS(refusal_of(gzip(nifti_file(NiftiSpec{}, voxels)) + gzip(std::string(64 << 20, '\0'))), "found more");
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
    EXPECT_HAS(refusal_of(nifti_file(NiftiSpec{}, v)), std::isnan(bad) ? "that is NaN at (2, 1, 1)" : "that is infinite at (2, 1, 1)");
  }
}

// With --nan-as-zero infinity stays what it is; without, the option is named where the command has it.
TEST(Refusal, fault_61_OfNanNamesTheOptionAndInfinityIsRefusedWithItToo) {
  std::vector<float> v = voxels;
  v[5] = std::numeric_limits<float>::quiet_NaN();
  const auto said = [&](NanVoxels nan) {
    const TemporaryFile f(nifti_file(NiftiSpec{}, v));
    try {
      load_scan(f.path(), {}, nan);
    } catch (const Error& e) {
      return std::string(e.what());
    }
    return std::string();
  };
  EXPECT_HAS(said(NanVoxels::offer), "give --nan-as-zero");
  EXPECT_EQ(said(NanVoxels::refuse).find("--nan-as-zero"), std::string::npos);
  EXPECT_EQ(said(NanVoxels::zero), "");
  v[9] = -std::numeric_limits<float>::infinity();
  EXPECT_HAS(said(NanVoxels::zero), "that is infinite at (1, 2, 0)");
  v[5] = 0;
  EXPECT_EQ(said(NanVoxels::offer).find("--nan-as-zero"), std::string::npos);
}

TEST(Refusal, APointerOfGitAnnexOrGitLfsIsNamed) {
  EXPECT_HAS(refusal_of("/annex/objects/MD5E-s1234--0123456789abcdef0123456789abcdef.nii.gz\n"), "git annex get");
  EXPECT_HAS(refusal_of("version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n"), "git lfs pull");
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

// 4 mm said to be 4 m; a scan of nowhere else either.
TEST(Refusal, AScanOfMetresOrOfLessThanAMillimetre) {
  NiftiSpec s;
  s.units = NIFTI_UNITS_METER;
  EXPECT_HAS(refusal_of(nifti_file(s, voxels)), "found 4 x 3 x 2 voxels of 4000 x 4000 x 4000 mm, since xyzt_units says that its lengths are metres");
  s.units = NIFTI_UNITS_MICRON;
  EXPECT_HAS(refusal_of(nifti_file(s, voxels)), "expected a scan of 1 mm or more");
  EXPECT_HAS(refusal_of(nifti_file(s, voxels)), "microns");
  s.units = NIFTI_UNITS_MM;
  for (double& v : s.srow) v *= 26;  // voxels of 104 mm
  EXPECT_HAS(refusal_of(nifti_file(s, voxels)), "voxels of at most 100 mm");
  s.sform_code = 0;
  s.qform_code = 1;
  s.pixdim[2] = 840;  // 3 of them are 2.52 m
  EXPECT_HAS(refusal_of(nifti_file(s, voxels)), "at most 2500 mm along each axis");
}

TEST(Refusal, NoOrientation) {
  NiftiSpec s;
  s.sform_code = 0;
  EXPECT_HAS(refusal_of(nifti_file(s, voxels)), "orientation");
}

}  // namespace
}  // namespace smpc
