// The pictures, decoded: what lies where in the head is there in the picture, whichever way the file stores it.
#include <gtest/gtest.h>

#include "support.h"

namespace smpc {
namespace {

using testing::content;
using testing::Decoded;
using testing::is_cold;
using testing::is_warm;
using testing::Mm;
using testing::mni;
using testing::patch;
using testing::Patch;
using testing::pictures;

constexpr double pixel = 0.5;  // mm

enum View : std::size_t { sagittal, coronal, axial, glass_sagittal, glass_coronal, glass_axial };

const Mm left{-42, 18, 24};

std::string report_of(const Grid& grid, const std::vector<double>& voxels) {
  return report_html(content(grid, voxels));
}

template <class Function>
std::string report_at(const Grid& grid, const Function& f) {
  return report_of(grid, testing::sampled(grid, f));
}

// Where the letter stands in each of the pictures that have it.
std::vector<double> letter_columns(const std::string& html, const std::string& letter) {
  std::vector<double> out;
  for (const std::string& text : testing::all_between(html, "<text class=\"side\" x=\"", "</text>")) {
    if (text.ends_with(">" + letter)) out.push_back(std::stod(text));
  }
  return out;
}

TEST(Pictures, ThePatientsLeftIsAtTheLeftBesideItsLetter) {
  const std::string html = report_at(mni, [](const Mm& at) { return testing::ball(at, left, 16, 9); });
  const std::vector<Decoded> all = pictures(html);
  ASSERT_EQ(all.size(), 6U);
  const std::vector<double> l = letter_columns(html, "L");
  const std::vector<double> r = letter_columns(html, "R");
  ASSERT_EQ(l.size(), 4U) << "two slices and two glass brains show left and right";
  ASSERT_EQ(r.size(), 4U);
  std::size_t n = 0;
  for (const View view : {coronal, axial, glass_coronal, glass_axial}) {
    const Patch blob = patch(all[view], is_warm);
    const auto middle = static_cast<double>(all[view].width) / 2;
    EXPECT_GT(blob.pixels, 100U) << view;
    EXPECT_LT(blob.column, middle - 42 / pixel / 2) << view;
    EXPECT_LT(l[n], middle / 2);
    EXPECT_GT(r[n], middle * 1.5);
    ++n;
  }
}

TEST(Pictures, DistancesAndDirectionsAreThoseOfTheHead) {
  // Two balls of other signs that share the slices through the first.
  const auto relative = [](const Mm& other, View view) {
    const std::string html =
        report_at(mni, [&](const Mm& at) { return testing::ball(at, left, 13, 9) - testing::ball(at, other, 13, 8); });
    const Decoded picture = pictures(html)[view];
    const Patch peak = patch(picture, is_warm);
    const Patch second = patch(picture, is_cold);
    EXPECT_GT(peak.pixels, 50U);
    EXPECT_GT(second.pixels, 50U);
    return std::array<double, 2>{(second.column - peak.column) * pixel, (peak.row - second.row) * pixel};
  };
  const auto expect = [](const std::array<double, 2>& found, double right, double up) {
    EXPECT_NEAR(found[0], right, 0.6);
    EXPECT_NEAR(found[1], up, 0.6);
  };
  expect(relative({30, -26, 24}, axial), 72, -44);        // to the right, and back, which is down
  expect(relative({30, 18, -4}, coronal), 72, -28);       // to the right and down
  expect(relative({-42, -26, 44}, sagittal), -44, 20);    // back, which is to the left, and up
  expect(relative({30, -26, -4}, glass_axial), 72, -44);  // projections need no common slice
  expect(relative({30, -26, -4}, glass_coronal), 72, -28);
  expect(relative({30, -26, -4}, glass_sagittal), -44, -28);
}

TEST(Pictures, TheCrosshairIsOnThePeak) {
  const std::string html = report_at(mni, [](const Mm& at) { return testing::ball(at, left, 13, 9); });
  const std::vector<Decoded> all = pictures(html);
  const std::vector<std::string> crosses = testing::all_between(html, "class=\"cross\" d=\"M0 ", "\"");
  ASSERT_EQ(crosses.size(), 3U);
  for (std::size_t view = 0; view < crosses.size(); ++view) {
    const Patch blob = patch(all[view], is_warm);
    const std::string& d = crosses[view];  // ROW H..M.. ROW H..M COLUMN 0V..
    EXPECT_NEAR(std::stod(d), blob.row, 0.6) << view;
    EXPECT_NEAR(std::stod(d.substr(d.find('M', d.find('M') + 1) + 1)), blob.column, 0.6) << view;
  }
  EXPECT_NE(html.find("x = -42, y = 18, z = 24&nbsp;mm"), std::string::npos);
}

TEST(Pictures, AreTheSameWhicheverWayTheFileStoresTheVolume) {
  const auto uneven = [](const Mm& at) {
    return testing::ball(at, left, 21.7, 9) - testing::ball(at, {30, -61, 7}, 17.3, 7) + 0.001 * at[0] +
           0.0003 * at[1] * at[2];
  };
  const auto addresses = [&](const Grid& grid) {
    return testing::all_between(report_at(grid, uneven), "href=\"", "\"");
  };
  const std::vector<std::string> las = addresses(mni);
  ASSERT_EQ(las.size(), 6U);
  EXPECT_EQ(las, addresses(testing::mni_ras));
  EXPECT_EQ(las, addresses(testing::mni_pir));
}

TEST(Pictures, AFinerGridShowsTheSamePlaces) {
  const Grid fine{{91, 109, 91}, {-2, 0, 0, 90, 0, 2, 0, -126, 0, 0, 2, -72, 0, 0, 0, 1}};
  // Off the axes: turned by a tenth of a radian about the vertical.
  const double c = 3 * std::cos(0.1);
  const double s = 3 * std::sin(0.1);
  const Grid turned{{70, 80, 60}, {c, -s, 0, -90, s, c, 0, -130, 0, 0, 3, -70, 0, 0, 0, 1}};
  const auto blob = [](const Mm& at) { return testing::ball(at, left, 16, 9); };
  const std::string expected = report_at(mni, blob);
  for (const Grid& grid : {fine, turned}) {
    const std::string html = report_at(grid, blob);
    for (const View view : {sagittal, coronal, axial}) {
      const Patch there = patch(pictures(html)[view], is_warm);
      const Patch here = patch(pictures(expected)[view], is_warm);
      EXPECT_NEAR(there.column * pixel, here.column * pixel, 1.5) << view;
      EXPECT_NEAR(there.row * pixel, here.row * pixel, 1.5) << view;
    }
  }
}

TEST(Pictures, TheBrainIsBehindWhereNothingIsColoured) {
  const std::vector<Decoded> all = pictures(report_of(mni, std::vector<double>(mni.voxels(), 0.0)));
  ASSERT_EQ(all.size(), 6U);
  for (std::size_t view = 0; view < all.size(); ++view) {
    EXPECT_EQ(patch(all[view], is_warm).pixels + patch(all[view], is_cold).pixels, 0U) << view;
    const std::size_t size = all[view].width * all[view].height;
    const std::size_t brain = patch(all[view], [](const unsigned char* p) { return p[0] > 10; }).pixels;
    EXPECT_GT(brain, size / 4) << view;
    EXPECT_LT(brain, size * 9 / 10) << view;
    EXPECT_EQ(all[view].at(0, 0)[0], 0) << "black outside";
  }
}

TEST(Pictures, AVolumeElsewhereInSpaceIsShownAlone) {
  Grid far = mni;
  for (const std::size_t at : {3, 7, 11}) far.affine[at] += 1000;
  std::vector<double> v(far.voxels(), 0.0);
  v[(22 * 54 + 27) * 45 + 22] = 5;
  const std::string html = report_of(far, v);
  EXPECT_NE(html.find("outside the MNI brain"), std::string::npos);
  for (const Decoded& picture : pictures(html)) {
    EXPECT_GT(patch(picture, is_warm).pixels, 0U);
    EXPECT_LE(std::max(picture.width, picture.height), 480U);
  }
}

TEST(Pictures, GridsOfEveryShapeAreDrawn) {
  const Grid tiny{{1, 1, 1}, {1e-3, 0, 0, 0, 0, 1e-3, 0, 0, 0, 0, 1e-3, 0, 0, 0, 0, 1}};
  const Grid huge{{2, 3, 2}, {5e6, 0, 0, -5e6, 0, 5e6, 0, -5e6, 0, 0, 5e6, -5e6, 0, 0, 0, 1}};
  const Grid slab{{40, 40, 1}, {4, 0, 0, -80, 0, 4, 0, -100, 0, 0, 8, 12, 0, 0, 0, 1}};
  const Grid sheared{{30, 30, 30}, {4, 1, 0, -60, 0, 4, 1, -60, 1, 0, 4, -40, 0, 0, 0, 1}};
  for (const Grid& grid : {tiny, huge, slab, sheared}) {
    std::vector<double> v(grid.voxels(), 0.0);
    v[v.size() / 2] = -1;
    for (const Decoded& picture : pictures(report_of(grid, v))) {
      EXPECT_LE(std::max(picture.width, picture.height), 480U);
      EXPECT_GE(std::min(picture.width, picture.height), 1U);
    }
  }
}

}  // namespace
}  // namespace smpc
