// What is said of grids that differ, and of headers that claim no MNI space.
#include "mni_grid.h"
#include "smpc/image/grid_words.h"

#include <gtest/gtest.h>

#include "nifti_writer.h"
#include "smpc/base/error.h"
#include "smpc/image/grid_map.h"
#include "support/expect_has.h"

namespace smpc {
namespace {

using testing::nifti_file;
using testing::NiftiSpec;
using testing::TemporaryFile;

std::string refusal(const Grid& found, ResampleOption option = ResampleOption::offered) {
  ScanHeader h;
  h.grid = found;
  try {
    check_grid(h, mni(), "scan.nii", option);
  } catch (const Error& e) {
    EXPECT_EQ(e.kind(), ErrorKind::bad_input);
    return e.what();
  }
  return "";
}

TEST(GridWords, SizeShapeAndLettersOfAGrid) {
  EXPECT_EQ(orientation_letters(mni()), "LAS");
  EXPECT_EQ(grid_words(mni()), "45 x 54 x 45 voxels of 4 x 4 x 4 mm");
  Grid g = mni();
  g.affine = {0, 0, 1.5, 1, -2, 0, 0, 2, 0, -2.25, 0, 3, 0, 0, 0, 1};
  EXPECT_EQ(orientation_letters(g), "PIR");
  EXPECT_EQ(voxel_size(g), (std::array{2.0, 2.25, 1.5}));
  EXPECT_EQ(grid_words(g), "45 x 54 x 45 voxels of 2 x 2.25 x 1.5 mm");
}

// Each of i and j alone is nearest to x: no letter may be given twice.
TEST(GridWords, EachAxisOfAnObliqueGridHasALetterOfItsOwn) {
  Grid g = mni();
  g.affine = {4, -3, 0, 0, 1, 2.9, 0, 0, 0, 0, 4, 0, 0, 0, 0, 1};
  EXPECT_EQ(orientation_letters(g), "RAS");
  g.affine = {3, -4, 0, 0, 2.9, 1, 0, 0, 0, 0, 4, 0, 0, 0, 0, 1};
  EXPECT_EQ(orientation_letters(g), "ALS");
}

TEST(GridWords, TheDifferenceWithoutTheErrorAroundIt) {
  EXPECT_EQ(grid_difference_words(mni(), mni()), "");
  Grid g = mni();
  g.affine[0] = 4;
  g.affine[3] = -86;
  EXPECT_EQ(grid_difference_words(g, mni()),
            "the same voxels in another order: flipped left-right, its axes run to RAS instead of LAS");
  g.shape = {54, 45, 45};
  g.affine = {0, -4, 0, 90, 4, 0, 0, -126, 0, 0, 4, -72, 0, 0, 0, 1};
  EXPECT_EQ(grid_difference_words(g, mni()),
            "the same voxels in another order: its axes run to ALS instead of LAS");
  g = mni();
  g.affine[3] += 2;
  EXPECT_EQ(grid_difference_words(g, mni()), "shifted by (2, 0, 0) mm at its centre; corners are up to 2 mm apart");
  g.shape = {91, 109, 91};
  for (const std::size_t n : {0U, 5U, 10U}) g.affine[n] /= -2;
  EXPECT_EQ(grid_difference_words(g, mni()),
            "91 x 109 x 91 voxels of 2 x 2 x 2 mm instead of 45 x 54 x 45 voxels of 4 x 4 x 4 mm, flipped left-right, "
            "flipped front-back, flipped top-bottom, its axes run to RPI instead of LAS");
}

TEST(GridWords, AnObliqueGridMayChangeItsAxesAndKeepItsLetters) {
  Grid expected = mni();
  expected.shape = {45, 45, 45};
  expected.affine = {3, -3, 0, 0, 3, 3, 0, 0, 0, 0, 4, 0, 0, 0, 0, 1};
  Grid g = expected;  // i runs along the expected j, backwards
  g.affine = {3, 3, 0, -132, -3, 3, 0, 132, 0, 0, 4, 0, 0, 0, 0, 1};
  ASSERT_EQ(match_grid(g, expected), GridMatch::reoriented);
  EXPECT_EQ(grid_difference_words(g, expected), "the same voxels in another order");
  EXPECT_EQ(GridMap(g, expected).describe(), "reoriented, voxel for voxel, without interpolation");
}

TEST(GridWords, ARefusalNamesTheOptionAndWhatItWouldDo) {
  Grid g = mni();
  g.affine[0] = 4;
  g.affine[3] = -86;
  EXPECT_EQ(refusal(g),
            "scan.nii: expected a grid of 45 x 54 x 45 voxels of 4 x 4 x 4 mm, the first at (90, -126, -72) mm; found "
            "the same voxels in another order: flipped left-right, its axes run to RAS instead of LAS; give --resample "
            "to bring it onto the model's grid voxel for voxel");
  EXPECT_HAS(refusal(g, ResampleOption::absent), "of LAS; resample the scan to the model's grid");
  g = mni();
  g.shape = {91, 109, 91};
  for (const std::size_t n : {0U, 5U, 10U}) g.affine[n] /= 2;
  EXPECT_EQ(refusal(g),
            "scan.nii: expected a grid of 45 x 54 x 45 voxels of 4 x 4 x 4 mm, the first at (90, -126, -72) mm; found "
            "one of 91 x 109 x 91 voxels of 2 x 2 x 2 mm, the first at (90, -126, -72) mm; give --resample to "
            "interpolate, or resample the scan to the model's grid");
  EXPECT_HAS(refusal(g, ResampleOption::absent), "-72) mm; resample the scan to the model's grid");
}

TEST(GridWords, TheOptionIsNotNamedAsARemedyWhereItWouldBeRefusedToo) {
  Grid g = mni();
  g.affine[3] += 1000;
  EXPECT_HAS(refusal(g), "; --resample cannot help, since it does not overlap the model's grid: normalise the scan");
  g = mni();
  g.shape[1] = 1;
  EXPECT_HAS(refusal(g), "; --resample cannot help, since it is a single slice");
  g = mni();
  g.shape[0] = 9;
  EXPECT_HAS(refusal(g), "; --resample cannot help, since it covers only 20.0 % of the model's grid");
}

CoordinateSpace space_of(int sform_code, int qform_code) {
  NiftiSpec s;
  s.sform_code = sform_code;
  s.qform_code = qform_code;
  const TemporaryFile f(nifti_file(s, std::vector<float>(24)));
  return read_scan_header(f.path()).space;
}

TEST(CoordinateSpace, IsThatOfTheFormThatIsTaken) {
  EXPECT_EQ(space_of(1, 4), CoordinateSpace::scanner);
  EXPECT_EQ(space_of(4, 1), CoordinateSpace::mni);
  EXPECT_EQ(space_of(0, 2), CoordinateSpace::aligned);
  EXPECT_EQ(space_of(-1, 3), CoordinateSpace::talairach);
  EXPECT_EQ(space_of(5, 0), CoordinateSpace::template_other);
  EXPECT_EQ(space_of(6, 1), CoordinateSpace::unknown);
}

TEST(CoordinateSpace, ACautionWhereTheHeaderSaysAnotherThanMni) {
  const auto caution = [](CoordinateSpace space) {
    ScanHeader h;
    h.space = space;
    return header_caution(h);
  };
  EXPECT_EQ(caution(CoordinateSpace::scanner),
            "its header says scanner coordinates, not MNI: the result holds only if it was normalised to MNI space");
  EXPECT_HAS(caution(CoordinateSpace::talairach), "says Talairach coordinates, not MNI");
  for (const auto space : {CoordinateSpace::aligned, CoordinateSpace::mni, CoordinateSpace::template_other,
                           CoordinateSpace::unknown}) {
    EXPECT_EQ(caution(space), "");
  }
}

}  // namespace
}  // namespace smpc
