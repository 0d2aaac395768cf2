// Headers that are nearly right, orientations that rounding nearly breaks, and what memory and values cost.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "mni_grid.h"
#include "nifti_writer.h"
#include "smpc/base/error.h"
#include "smpc/image/grid_words.h"
#include "smpc/image/scan.h"
#include "support/expect_has.h"

namespace smpc {
namespace {

using testing::gzip;
using testing::nifti_file;
using testing::nifti_header;
using testing::NiftiSpec;
using testing::TemporaryFile;

const std::vector<float> ones(24, 1.0F);

// The refusal's text, or "" where the scan is taken.
std::string refusal_or_none(const std::string& content, const VolumeSelection& selection = {}) {
  const TemporaryFile f(content);
  try {
    load_scan(f.path(), selection);
  } catch (const Error& e) {
    EXPECT_EQ(e.kind(), ErrorKind::bad_input);
    return e.what();
  }
  return "";
}

std::string grid_refusal(const Grid& found, const Grid& expected) {
  ScanHeader h;
  h.grid = found;
  try {
    check_grid(h, expected, "scan.nii");
  } catch (const Error& e) {
    return e.what();
  }
  return "";
}

// The qform of the 4 mm grid, with quaternion (b, c, d).
NiftiSpec qform_spec(double b, double c, double d) {
  NiftiSpec s;
  s.dim = {3, 45, 54, 45, 1, 1, 1, 1};
  s.datatype = DT_UINT8;
  s.bitpix = 8;
  s.sform_code = 0;
  s.qform_code = 1;
  s.pixdim[0] = -1;
  const double q[6] = {b, c, d, 90, -126, -72};
  std::copy(q, q + 6, s.quatern);
  return s;
}

ScanHeader header_of(const NiftiSpec& s, std::size_t bytes) {
  const TemporaryFile f(nifti_file(s, std::vector<std::uint8_t>(bytes)));
  return read_scan_header(f.path());
}

// A half turn is c = 1; in single precision it may be one step less, which must not become a rotation of 0.04 degrees.
TEST(Orientation, AHalfTurnOneRoundingAwayIsAHalfTurn) {
  for (const double c : {1.0, double{std::nextafter(1.0F, 0.0F)}, double{std::nextafter(1.0F, 2.0F)}}) {
    const ScanHeader h = header_of(qform_spec(0, c, 0), 109350);
    EXPECT_EQ(grid_refusal(h.grid, mni()), "") << c;
  }
}

TEST(Orientation, AQuarterTurnAboutZIsReadAsTheStandardSays) {
  const double s = std::sqrt(0.5);
  NiftiSpec spec = qform_spec(0, 0, s);
  spec.pixdim[0] = 1;
  const auto a = header_of(spec, 109350).grid.affine;
  const std::array<double, 16> expected = {0, -4, 0, 90, 4, 0, 0, -126, 0, 0, 4, -72, 0, 0, 0, 1};
  for (std::size_t i = 0; i < 16; ++i) EXPECT_NEAR(a[i], expected[i], 1e-6) << i;
  spec.pixdim[0] = 0;  // counts as 1
  EXPECT_NEAR(header_of(spec, 109350).grid.affine[10], 4, 1e-6);
  spec.pixdim[0] = -1;
  EXPECT_NEAR(header_of(spec, 109350).grid.affine[10], -4, 1e-6);
}

TEST(Orientation, TheSformIsTakenWhereThereAreBoth) {
  NiftiSpec s = qform_spec(0, 0, 0);
  s.sform_code = 2;
  EXPECT_EQ(header_of(s, 109350).grid, mni());
}

// Metres and microns are millimetres where the scan is one.
TEST(Orientation, OtherUnitsOfLengthAreConverted) {
  for (const auto& [unit, factor] : {std::pair(NIFTI_UNITS_METER, 1e-3), std::pair(NIFTI_UNITS_MICRON, 1e3)}) {
    NiftiSpec s;
    s.second = true;
    s.units = unit;
    for (double& v : s.srow) v *= factor;
    const auto a = header_of(s, 96).grid.affine;
    for (std::size_t i = 0; i < 16; ++i) EXPECT_NEAR(a[i], mni().affine[i], 1e-9) << i;
  }
}

// A qform that is not used is not refused; what it says beside the sform is told.
TEST(Orientation, AQformThatDiffersFromTheSformIsTold) {
  NiftiSpec s = qform_spec(0, 1, 0);  // the same as the sform, by a half turn
  s.sform_code = 4;
  EXPECT_LT(header_of(s, 109350).forms_apart.value(), 1e-4);
  EXPECT_EQ(header_caution(header_of(s, 109350)), "");
  s.quatern[3] = 91;
  EXPECT_NEAR(header_of(s, 109350).forms_apart.value(), 1, 1e-4);
  EXPECT_HAS(header_caution(header_of(s, 109350)), "its qform and its sform differ, by up to 1 mm: the sform was taken");
  s.quatern[3] = 90;
  s.quatern[1] = 0;
  s.pixdim[0] = 1;  // x to the right, from the same corner: 44 voxels of 4 mm, and back again
  EXPECT_NEAR(header_of(s, 109350).forms_apart.value(), 2 * 44 * 4, 1e-4);
  EXPECT_EQ(header_of(s, 109350).grid, mni());
  s.quatern[0] = 3;  // no unit quaternion
  EXPECT_EQ(header_of(s, 109350).grid, mni());
  EXPECT_HAS(header_caution(header_of(s, 109350)), "its qform makes no orientation: the sform was taken");
}

TEST(Orientation, WhatIsNoOrientationIsRefused) {
  constexpr double nan = std::numeric_limits<double>::quiet_NaN();
  NiftiSpec s;
  s.srow[0] = nan;
  EXPECT_HAS(refusal_or_none(nifti_file(s, ones)), "NaN");
  s = {};
  s.srow[0] = 0;  // all x alike
  EXPECT_HAS(refusal_or_none(nifti_file(s, ones)), "flat");
  const auto bad_qform = [](auto change) {
    NiftiSpec q = qform_spec(0, 1, 0);
    change(q);
    return refusal_or_none(nifti_file(q, std::vector<std::uint8_t>(109350)));
  };
  EXPECT_EQ(bad_qform([](NiftiSpec&) {}), "");
  EXPECT_HAS(bad_qform([](NiftiSpec& q) { q.quatern[0] = 0.5; }), "quaternion");
  EXPECT_HAS(bad_qform([](NiftiSpec& q) { q.quatern[0] = nan; }), "quaternion");
  EXPECT_HAS(bad_qform([](NiftiSpec& q) { q.pixdim[0] = nan; }), "pixdim[0]");
  EXPECT_HAS(bad_qform([](NiftiSpec& q) { q.pixdim[0] = -3; }), "pixdim[0]");
  EXPECT_HAS(bad_qform([](NiftiSpec& q) { q.pixdim[2] = 0; }), "pixdim");
  EXPECT_HAS(bad_qform([](NiftiSpec& q) { q.pixdim[2] = -4; }), "pixdim");
  EXPECT_HAS(bad_qform([](NiftiSpec& q) { q.pixdim[3] = nan; }), "pixdim");
  EXPECT_HAS(bad_qform([](NiftiSpec& q) { q.units = 5; }), "xyzt_units");
}

TEST(Orientation, MillimetresWhereTheUnitIsUnknown) {
  NiftiSpec s;
  s.units = NIFTI_UNITS_UNKNOWN | NIFTI_UNITS_SEC;
  EXPECT_EQ(header_of(s, 96).grid.affine, mni().affine);
}

TEST(GridWords, SeveralDifferencesAreAllNamed) {
  Grid g = mni();
  g.affine[0] = 4;  // flipped, the origin left where it was
  EXPECT_HAS(grid_refusal(g, mni()), "flipped left-right");
  EXPECT_HAS(grid_refusal(g, mni()), "shifted by (176, 0, 0) mm");
  EXPECT_HAS(grid_refusal(g, mni()), "352 mm apart");
  EXPECT_HAS(grid_refusal(g, mni()), "RAS instead of LAS");
  g = mni();
  g.affine[5] = -3;
  EXPECT_HAS(grid_refusal(g, mni()), "flipped front-back");
  EXPECT_HAS(grid_refusal(g, mni()), "4 x 3 x 4 mm instead of 4 x 4 x 4 mm");
}

TEST(GridWords, AxesInAnotherOrderAndShear) {
  Grid cube = mni();
  cube.shape = {45, 45, 45};
  Grid g = cube;
  g.affine = {0, -4, 0, 90, 4, 0, 0, -126, 0, 0, 4, -72, 0, 0, 0, 1};
  EXPECT_HAS(grid_refusal(g, cube), "its axes run to ALS instead of LAS");
  g = cube;
  g.affine[1] = 0.5;
  EXPECT_HAS(grid_refusal(g, cube), "sheared");
}

TEST(GridWords, AnAxisOfOneVoxelHasASizeToo) {
  Grid slice = mni();
  slice.shape[2] = 1;
  Grid g = slice;
  g.affine[10] = 8;
  EXPECT_HAS(grid_refusal(g, slice), "voxel size");
  g.affine[10] = -4;
  EXPECT_HAS(grid_refusal(g, slice), "flipped top-bottom");
}

TEST(GridWords, JustInsideAndJustOutsideTheTolerance) {
  Grid g = mni();
  g.affine[0] = -4 + 0.0099 / 44;
  EXPECT_EQ(grid_refusal(g, mni()), "");
  g.affine[0] = -4 + 0.0101 / 44;
  EXPECT_NE(grid_refusal(g, mni()), "");
}

TEST(GridWords, AnAffineThatOverflowsIsRefused) {
  Grid g = mni();
  g.affine[0] = 1e308;
  EXPECT_NE(grid_refusal(g, mni()), "");
  for (const std::size_t entry : {0U, 1U, 5U, 11U}) {
    g = mni();
    g.affine[entry] = std::numeric_limits<double>::quiet_NaN();
    EXPECT_NE(grid_refusal(g, mni()), "") << entry;
  }
}

TEST(Values, AreScaledInDoubleLikeNumpy) {
  NiftiSpec s;
  s.datatype = DT_INT64;
  s.bitpix = 64;
  s.second = true;
  s.slope = 0.1;
  s.intercept = -7.3;
  std::vector<std::int64_t> raw(24);
  for (std::size_t i = 0; i < 24; ++i) raw[i] = (std::int64_t{1} << 53) + 1 + static_cast<std::int64_t>(i);
  const TemporaryFile f(nifti_file(s, raw));
  const Scan scan = load_scan(f.path(), {});
  for (std::size_t k = 0; k < 2; ++k) {
    const volatile double product = static_cast<double>(raw[12 * k]) * 0.1;  // no fused multiply-add
    EXPECT_EQ(scan.volumes[0][k], product - 7.3);
  }
}

// Unscaled voxels come out as they went in, the sign of a zero included.
TEST(Values, AnUnscaledMinusZeroStaysOne) {
  const TemporaryFile f(nifti_file(NiftiSpec{}, std::vector<float>(24, -0.0F)));
  EXPECT_TRUE(std::signbit(load_scan(f.path(), {}).volumes[0][0]));
}

TEST(Values, TheFirstBadVoxelAndItsVolumeAreNamedWhicheverIsChosen) {
  NiftiSpec s;
  s.dim = {4, 4, 3, 2, 3, 1, 1, 1};
  std::vector<float> v(72, 1.0F);
  v[24 + 3 + 4 * (2 + 3 * 0)] = std::numeric_limits<float>::infinity();
  v[48] = std::numeric_limits<float>::quiet_NaN();
  for (const std::size_t index : {0U, 1U, 2U}) {
    EXPECT_HAS(refusal_or_none(nifti_file(s, v), {false, index}), "(3, 2, 0) of volume 1");
  }
}

TEST(Strictness, ADimensionOfOneMoreChangesNothing) {
  NiftiSpec s;
  for (const std::int64_t axes : {4, 5, 7}) {
    s.dim = {axes, 4, 3, 2, 1, 1, 1, 1};
    const TemporaryFile f(nifti_file(s, ones));
    EXPECT_EQ(load_scan(f.path(), {}).volumes.size(), 1U);
    EXPECT_FALSE(read_scan_header(f.path()).four_d);
  }
}

TEST(Strictness, fault_58_TheGridIsJudgedBeforeTheData) {
  NiftiSpec s;
  const TemporaryFile f(gzip(nifti_file(s, ones)).substr(0, 100), ".nii.gz");
  EXPECT_THROW(load_scan(f.path(), {}, mni()), Error);
  try {
    const TemporaryFile g(nifti_file(s, ones));
    load_scan(g.path(), {}, mni());
    ADD_FAILURE();
  } catch (const Error& e) {
    EXPECT_HAS(std::string(e.what()), "expected a grid of 45 x 54 x 45");
    EXPECT_HAS(std::string(e.what()), "4 x 3 x 2");
  }
}

// Two megabytes of gzip that hold what their header says, and would take 8 GB as doubles.
TEST(Strictness, fault_57_AnHonestBombIsRefusedBeforeMemoryIsTaken) {
  NiftiSpec s;
  for (double& v : s.srow) v /= 4;
  s.dim = {4, 1000, 1000, 1, 1000, 1, 1, 1};
  s.datatype = DT_UINT8;
  s.bitpix = 8;
  const std::string file = gzip(nifti_header(s) + std::string(1 << 20, '\0')) + std::string(2 << 20, '\0');
  EXPECT_HAS(refusal_or_none(file, {true, {}}), "volumes of this size at once");
}

TEST(Strictness, fault_64_OffsetsThatPointPastTheFile) {
  NiftiSpec s;
  for (const bool second : {false, true}) {
    s.second = second;
    for (const double offset : {1e6, 1e12, 9e18}) {
      s.vox_offset = offset;
      EXPECT_HAS(refusal_or_none(nifti_file(s, ones)), "vox_offset");
      EXPECT_HAS(refusal_or_none(gzip(nifti_file(s, ones))), "vox_offset");
    }
  }
}

TEST(Strictness, fault_66_ExtensionChains) {
  const auto with = [](const std::string& extension) {
    NiftiSpec s;
    s.extension = extension;
    return refusal_or_none(nifti_file(s, ones));
  };
  const std::string flag{1, 0, 0, 0};
  const std::string good = std::string{16, 0, 0, 0, 4, 0, 0, 0} + std::string(8, 'x');
  EXPECT_EQ(with(flag + good), "");
  EXPECT_EQ(with(flag + good + good), "");
  EXPECT_EQ(with(flag + good + std::string(32, '\0')), "") << "zeros may fill up to the data";
  EXPECT_EQ(with(std::string(4, '\0') + std::string(13, 'y')), "") << "no extensions: the gap is passed over";
  EXPECT_HAS(with(flag + good + std::string(31, '\0') + "x"), "extension");
  EXPECT_HAS(with(flag + std::string(16, '\0')), "extension");
  EXPECT_HAS(with(flag + good + std::string(3, 'x')), "extension");
  EXPECT_HAS(with(std::string{7, 0, 0, 0} + good), "extension");
  EXPECT_HAS(with(flag + std::string{-16, -1, -1, -1, 4, 0, 0, 0} + std::string(8, 'x')), "extension");
  EXPECT_HAS(with(flag + std::string{-16, -1, -1, 127, 4, 0, 0, 0} + std::string(8, 'x')), "extension");
  EXPECT_HAS(with(flag + std::string{16, 0, 0, 0, 32, 0, 0, 0} + std::string(8, 'x')), "CIFTI");
}

TEST(Strictness, fault_66_EveryRefusedDatatypeIsNamed) {
  for (const auto& [code, bits, name] : {std::tuple{DT_FLOAT128, 128, "float128"}, {DT_COMPLEX128, 128, "complex128"},
                                         {DT_COMPLEX256, 256, "complex256"}, {DT_RGBA32, 32, "RGBA32"},
                                         {DT_BINARY, 1, "binary"}, {DT_UNKNOWN, 0, "unknown"}}) {
    NiftiSpec s;
    s.datatype = code;
    s.bitpix = bits;
    EXPECT_HAS(refusal_or_none(nifti_file(s, ones)), name);
  }
}

TEST(Strictness, fault_66_AMagicChangedAsTextIsToldFromADamagedOne) {
  NiftiSpec s;
  s.second = true;
  s.magic = std::string("n+2\0\n\032\n\0", 8);
  EXPECT_HAS(refusal_or_none(nifti_file(s, ones)), "as if it were text");
  s.magic = std::string("ni2\0\r\n\032\n", 8);
  EXPECT_HAS(refusal_or_none(nifti_file(s, ones)), ".hdr/.img");
}

TEST(Strictness, CompressionIsToldByContentNotByName) {
  const std::string plain = nifti_file(NiftiSpec{}, ones);
  const TemporaryFile a(gzip(plain), ".nii");
  EXPECT_EQ(load_scan(a.path(), {}).volumes[0][0], 1.0);
  const TemporaryFile b(plain, ".nii.gz");
  EXPECT_EQ(load_scan(b.path(), {}).volumes[0][0], 1.0);
  EXPECT_HAS(refusal_or_none(gzip(gzip(plain))), "gzip twice");
}

// A flipped bit is refused, or lies where it changes nothing that was written (an unused code, the file's time).
TEST(Strictness, fault_56_NoFlippedBitOfAGzippedScanChangesIt) {
  std::vector<float> v(24);
  std::iota(v.begin(), v.end(), 1.0F);
  const std::string whole = gzip(nifti_file(NiftiSpec{}, v));
  const TemporaryFile right(whole);
  const Scan expected = load_scan(right.path(), {});
  std::size_t refused = 0;
  for (std::size_t bit = 0; bit < 8 * whole.size(); ++bit) {
    std::string bad = whole;
    bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << bit % 8));
    const TemporaryFile f(bad);
    try {
      const Scan scan = load_scan(f.path(), {});
      EXPECT_EQ(scan.header.grid, expected.header.grid) << bit;
      EXPECT_TRUE(std::equal(scan.volumes[0].begin(), scan.volumes[0].end(), expected.volumes[0].begin())) << bit;
    } catch (const Error&) {
      ++refused;
    }
  }
  EXPECT_GT(refused, 6 * whole.size());
}

TEST(Strictness, TheOptionVolume) {
  EXPECT_EQ(parse_volume_selection("17").index, std::optional<std::size_t>(17));
  EXPECT_TRUE(parse_volume_selection("all").all);
  for (const char* bad : {"-1", "+1", " 1", "1 ", "1.0", "0x1", "ALL", "99999999999999999999"}) {
    try {
      parse_volume_selection(bad);
      ADD_FAILURE() << bad;
    } catch (const Error& e) {
      EXPECT_EQ(e.kind(), ErrorKind::usage) << bad;
    }
  }
}

}  // namespace
}  // namespace smpc
