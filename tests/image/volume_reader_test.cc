#include "smpc/image/volume_reader.h"

#include <gtest/gtest.h>

#include <fstream>
#include <limits>
#include <numeric>

#include "nifti_writer.h"
#include "smpc/base/error.h"

namespace smpc {
namespace {

using testing::gzip;
using testing::nifti_file;
using testing::NiftiSpec;
using testing::TemporaryFile;

std::string three_volumes(float last = 71) {
  NiftiSpec s;
  s.dim = {4, 4, 3, 2, 3, 1, 1, 1};
  std::vector<float> voxels(72);
  std::iota(voxels.begin(), voxels.end(), 0.0F);
  voxels.back() = last;
  return nifti_file(s, voxels);
}

void overwrite(const std::filesystem::path& path, const std::string& content) {
  std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
  file << content;
}

template <class F>
std::string refusal_in(F f) {
  try {
    f();
  } catch (const Error& e) {
    EXPECT_EQ(e.kind(), ErrorKind::bad_input);
    return e.what();
  }
  return "taken";
}

TEST(VolumeReader, GivesWhatLoadScanGivesOneAtATimeAndAgainAfterRewind) {
  for (const bool zipped : {false, true}) {
    for (const char* selection : {"all", "0", "1", "2"}) {
      const TemporaryFile f(zipped ? gzip(three_volumes()) : three_volumes());
      const Scan scan = load_scan(f.path(), parse_volume_selection(selection));
      VolumeReader reader(f.path(), parse_volume_selection(selection));
      EXPECT_EQ(reader.indices(), scan.indices);
      EXPECT_EQ(reader.header().volumes, 3U);
      for (int pass = 0; pass < 3; ++pass) {
        for (const auto& expected : scan.volumes) EXPECT_TRUE(reader.next() == expected) << selection;
        reader.rewind();
      }
    }
  }
}

TEST(VolumeReader, GivesTheFirstSoManyAndChecksTheOthers) {
  const TemporaryFile f(three_volumes());
  const Scan all = load_scan(f.path(), {.all = true});
  VolumeReader two(f.path(), {.all = true, .first = 2});
  EXPECT_EQ(two.indices(), (std::vector<std::size_t>{0, 1}));
  EXPECT_TRUE(two.next() == all.volumes[0]);
  EXPECT_TRUE(two.next() == all.volumes[1]);
  EXPECT_EQ(VolumeReader(f.path(), {.all = true, .first = 9}).indices().size(), 3U);
  const TemporaryFile damaged(three_volumes(std::numeric_limits<float>::infinity()));
  EXPECT_NE(refusal_in([&] { VolumeReader(damaged.path(), {.all = true, .first = 2}); }).find("finite"), std::string::npos);
}

TEST(VolumeReader, RewindsFromTheMiddle) {
  const TemporaryFile f(gzip(three_volumes()));
  VolumeReader reader(f.path(), {true, {}});
  EXPECT_EQ(reader.next()[0], 0.0);
  EXPECT_EQ(reader.next()[0], 24.0);
  reader.rewind();
  EXPECT_EQ(reader.next()[0], 0.0);
}

TEST(VolumeReader, RefusesBeforeAVolumeIsGivenWhateverLoadScanRefuses) {
  const std::string good = three_volumes();
  const std::string bad[] = {good.substr(0, good.size() - 1), gzip(good) + gzip("x"), gzip(good + "x"),
                             three_volumes(std::numeric_limits<float>::quiet_NaN()),
                             gzip(good).substr(0, gzip(good).size() - 3)};
  for (const std::string& content : bad) {
    const TemporaryFile f(content);
    for (const char* selection : {"all", "0", "3", ""}) {
      const VolumeSelection chosen = parse_volume_selection(selection);
      const std::string expected = refusal_in([&] { load_scan(f.path(), chosen); });
      EXPECT_NE(expected, "taken");
      EXPECT_EQ(refusal_in([&] { VolumeReader(f.path(), chosen); }), expected);
    }
  }
}

TEST(VolumeReader, RefusesAVolumeThatChangedAfterItWasChecked) {
  const TemporaryFile f(three_volumes());
  VolumeReader reader(f.path(), {true, {}});
  EXPECT_EQ(reader.next()[0], 0.0);
  overwrite(f.path(), three_volumes(70));
  EXPECT_EQ(reader.next()[0], 24.0);  // this one is as it was
  EXPECT_NE(refusal_in([&] { reader.next(); }).find("has changed since"), std::string::npos);
}

TEST(VolumeReader, RefusesAFileThatWasCutOrReshapedAfterItWasChecked) {
  const TemporaryFile f(three_volumes());
  VolumeReader reader(f.path(), {true, {}});
  std::filesystem::resize_file(f.path(), three_volumes().size() - 4);
  reader.next();
  reader.next();
  EXPECT_NE(refusal_in([&] { reader.next(); }).find("cut short"), std::string::npos);

  const TemporaryFile g(three_volumes());
  VolumeReader other(g.path(), {true, {}});
  NiftiSpec s;
  s.dim = {4, 4, 3, 2, 2, 1, 1, 1};
  overwrite(g.path(), nifti_file(s, std::vector<float>(48)));
  EXPECT_NE(refusal_in([&] { other.next(); }).find("has changed since"), std::string::npos);
}

TEST(VolumeReader, AFileThatTakesItsPlaceIsNotRead) {
  const TemporaryFile f(three_volumes());
  const TemporaryFile other(three_volumes(5));
  VolumeReader reader(f.path(), {true, {}});
  std::filesystem::rename(other.path(), f.path());
  for (int i = 0; i < 2; ++i) reader.next();
  EXPECT_EQ(reader.next().back(), 71.0);
}

TEST(VolumeReader, ErrorsCallTheFileByTheNameGiven) {
  const TemporaryFile cut(three_volumes().substr(0, 500));
  const auto words = [&](const std::string& name) { return refusal_in([&] { VolumeReader(cut.path(), {true, {}}, name); }); };
  const std::string by_path = words("");
  ASSERT_TRUE(by_path.starts_with(cut.path().string() + ": ")) << by_path;
  EXPECT_EQ(words("scan.nii"), "scan.nii" + by_path.substr(cut.path().string().size()));
}

TEST(VolumeReader, AStopEndsTheReadingBeforeTheNextVolume) {
  const TemporaryFile f(three_volumes());
  std::stop_source stop;
  VolumeReader reader(f.path(), {true, {}}, "scan.nii", stop.get_token());
  EXPECT_EQ(reader.next().size(), 24U);
  stop.request_stop();
  EXPECT_EQ(refusal_in([&] { reader.next(); }), "scan.nii: its reading was stopped");
  EXPECT_EQ(refusal_in([&] { VolumeReader(f.path(), {true, {}}, "scan.nii", stop.get_token()); }), "scan.nii: its reading was stopped");
}

TEST(VolumeReader, RealScansOfSeveralVolumes) {
  const std::filesystem::path nifti = std::filesystem::path(SMPC_SHARED_DATA) / "nifti";
  if (!std::filesystem::exists(nifti)) GTEST_SKIP() << "no test data at " << nifti;
  for (const char* name : {"nibabel_functional.nii", "nibabel_example4d.nii.gz", "nibabel_example_nifti2.nii.gz"}) {
    const Scan scan = load_scan(nifti / name, {true, {}});
    VolumeReader reader(nifti / name, {true, {}});
    ASSERT_EQ(reader.indices(), scan.indices);
    for (const auto& expected : scan.volumes) EXPECT_TRUE(reader.next() == expected) << name;
  }
}

// RFC 1952, 2.2: a file is a series of members. Zeros behind the last are no part of it (gzip's manual, "tapes").
TEST(VolumeReader, fault_56_SeveralGzipMembersAndZerosAfterThemAreReadAsOne) {
  std::vector<float> v(24);
  std::iota(v.begin(), v.end(), 1.0F);
  const std::string plain = nifti_file(NiftiSpec{}, v);
  const auto expect_read = [&](const std::string& content) {
    const TemporaryFile f(content);
    EXPECT_EQ(load_scan(f.path(), {}).volumes[0][(3 * 3 + 2) * 2 + 1], 24.0);
    EXPECT_EQ(VolumeReader(f.path(), {}).next()[(1 * 3 + 0) * 2 + 0], 2.0);
  };
  for (const std::size_t at : {0UL, 1UL, 3UL, 100UL, 347UL, 352UL, 400UL, plain.size()}) {
    const std::string two = gzip(plain.substr(0, at)) + gzip(plain.substr(at));
    expect_read(two);
    for (const std::size_t zeros : {1U, 511U, 200'000U}) expect_read(two + std::string(zeros, '\0'));
  }
  std::string each;  // a member for each byte, as no tool writes it
  for (const char c : plain) each += gzip(std::string(1, c));
  expect_read(each);
  expect_read(each + gzip(""));  // as bgzip ends a file
}

// NaN is no signal, whatever the scale makes of a stored 0.
TEST(VolumeReader, NanIsZeroWhereThatIsAskedForAndCounted) {
  NiftiSpec s;
  s.dim = {4, 4, 3, 2, 3, 1, 1, 1};
  s.slope = 2;
  s.intercept = 5;
  std::vector<float> v(72, 1.0F);
  for (const std::size_t i : {24U, 25U, 71U}) v[i] = std::numeric_limits<float>::quiet_NaN();
  const TemporaryFile f(gzip(nifti_file(s, v)));
  const VolumeSelection all{true, {}};
  const Scan scan = load_scan(f.path(), all, NanVoxels::zero);
  EXPECT_EQ(scan.nan_voxels, (std::vector<std::size_t>{0, 2, 1}));
  EXPECT_EQ(scan.volumes[1][0], 0.0);
  EXPECT_EQ(scan.volumes[1][1], 7.0);  // (0, 0, 1)
  EXPECT_EQ(scan.volumes[2][23], 0.0);
  VolumeReader reader(f.path(), all, {}, {}, NanVoxels::zero);
  EXPECT_EQ(reader.nan_voxels(), scan.nan_voxels);
  for (const auto& volume : scan.volumes) EXPECT_TRUE(reader.next() == volume);
  EXPECT_EQ(VolumeReader(f.path(), {false, 1}, {}, {}, NanVoxels::zero).nan_voxels(), (std::vector<std::size_t>{2}));
}

}  // namespace
}  // namespace smpc
