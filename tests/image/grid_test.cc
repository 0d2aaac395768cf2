#include <gtest/gtest.h>

#include <cmath>

#include "mni_grid.h"
#include "nifti_writer.h"
#include "smpc/base/error.h"
#include "smpc/image/scan.h"

namespace smpc {
namespace {

using testing::nifti_file;
using testing::NiftiSpec;
using testing::TemporaryFile;

std::string refusal_of_grid(const Grid& found) {
  ScanHeader h;
  h.grid = found;
  try {
    check_grid(h, mni(), "scan.nii");
  } catch (const Error& e) {
    EXPECT_EQ(e.kind(), ErrorKind::bad_input);
    return e.what();
  }
  return "";
}

TEST(Grid, fault_67_EachDifferenceIsNamedInWordsAndMillimetres) {
  EXPECT_EQ(refusal_of_grid(mni()), "");
  Grid g = mni();
  g.affine[3] += 0.009;
  EXPECT_EQ(refusal_of_grid(g), "");  // within the tolerance
  g = mni();
  g.affine[0] = 4;
  g.affine[3] = -86;
  EXPECT_NE(refusal_of_grid(g).find("flipped left-right"), std::string::npos) << refusal_of_grid(g);
  g.affine[3] = -82;
  EXPECT_NE(refusal_of_grid(g).find("flipped left-right"), std::string::npos) << refusal_of_grid(g);
  EXPECT_NE(refusal_of_grid(g).find("180 mm apart"), std::string::npos) << refusal_of_grid(g);
  g = mni();
  g.affine[3] += 2;
  g.affine[11] -= 1;
  EXPECT_NE(refusal_of_grid(g).find("shifted by (2, 0, -1) mm"), std::string::npos) << refusal_of_grid(g);
  g = mni();
  const double angle = 3.14159265358979 / 36;
  g.affine = {-4 * std::cos(angle), -4 * std::sin(angle), 0, 90, -4 * std::sin(angle), 4 * std::cos(angle), 0, -126,
              0, 0, 4, -72, 0, 0, 0, 1};
  EXPECT_NE(refusal_of_grid(g).find("rotated by up to 5 degrees"), std::string::npos) << refusal_of_grid(g);
  g = mni();
  g.affine[0] = -3;
  EXPECT_NE(refusal_of_grid(g).find("3 x 4 x 4 mm"), std::string::npos) << refusal_of_grid(g);
  g = mni();
  g.shape = {91, 109, 91};
  EXPECT_NE(refusal_of_grid(g).find("45 x 54 x 45"), std::string::npos) << refusal_of_grid(g);
  EXPECT_NE(refusal_of_grid(g).find("91 x 109 x 91"), std::string::npos) << refusal_of_grid(g);
}

TEST(Grid, AQformGivesTheSameGridAsItsSform) {
  NiftiSpec s;
  s.dim = {3, 45, 54, 45, 1, 1, 1, 1};
  s.sform_code = 0;
  s.qform_code = 4;
  // -x: half a turn about y (c = 1), with qfac -1, gives diag(-4, 4, 4).
  s.quatern[1] = 1;
  s.quatern[3] = 90;
  s.quatern[4] = -126;
  s.quatern[5] = -72;
  s.pixdim[0] = -1;
  const TemporaryFile f(nifti_file(s, std::vector<float>(109350)));
  check_grid(read_scan_header(f.path()), mni(), "scan.nii");
}

TEST(Grid, MetresAndMicrometresBecomeMillimetres) {
  for (const auto& [unit, factor] : {std::pair{NIFTI_UNITS_METER, 0.001}, std::pair{NIFTI_UNITS_MICRON, 1000.0}}) {
    NiftiSpec s;
    s.dim = {3, 45, 54, 45, 1, 1, 1, 1};
    s.second = true;
    s.units = unit;
    for (double& x : s.srow) x *= factor;
    const TemporaryFile f(nifti_file(s, std::vector<float>(109350)));
    check_grid(read_scan_header(f.path()), mni(), "scan.nii");
  }
}

}  // namespace
}  // namespace smpc
