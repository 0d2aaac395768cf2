#include "orientation.h"

#include <nifti/nifti1.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "grid_geometry.h"
#include "smpc/base/error.h"
#include "smpc/image/grid_words.h"

namespace smpc::image {
namespace {

double millimetres(const NiftiFields& fields, const ScanFile& file) {
  switch (fields.xyzt_units & 0x07) {
    case NIFTI_UNITS_UNKNOWN:
    case NIFTI_UNITS_MM:
      return 1;
    case NIFTI_UNITS_METER:
      return 1000;
    case NIFTI_UNITS_MICRON:
      return 0.001;
    default:
      file.fail("expected a unit of length in xyzt_units (metres, millimetres or microns), found code " +
                std::to_string(fields.xyzt_units & 0x07) + "; set it to millimetres");
  }
}

// The rotation of the unit quaternion (a, b, c, d), a >= 0 left out of the file (nifti1.h, method 2). Near a half turn
// a is what rounding left: below the precision of the stored b, c, d it is taken for 0, as nibabel does.
std::array<double, 9> rotation(const NiftiFields& fields, const ScanFile& file) {
  auto [b, c, d] = fields.quatern;
  const double aa = 1 - (b * b + c * c + d * d);
  constexpr double slack = 1e-5;
  if (!(aa >= -slack)) {
    file.fail("expected a unit quaternion in quatern_b, _c, _d of the qform, found one that is longer; write the "
              "orientation again");
  }
  const double precision = 3 * (fields.version == 1 ? double{std::numeric_limits<float>::epsilon()}
                                                    : std::numeric_limits<double>::epsilon());
  double a = 0;
  if (aa < precision) {
    const double length = std::sqrt(b * b + c * c + d * d);
    b /= length;
    c /= length;
    d /= length;
  } else {
    a = std::sqrt(aa);
  }
  return {a * a + b * b - c * c - d * d, 2 * (b * c - a * d),           2 * (b * d + a * c),
          2 * (b * c + a * d),           a * a + c * c - b * b - d * d, 2 * (c * d - a * b),
          2 * (b * d - a * c),           2 * (c * d + a * b),           a * a + d * d - c * c - b * b};
}

std::array<double, 12> qform_rows(const NiftiFields& fields, const ScanFile& file) {
  std::array<double, 3> size{};
  for (std::size_t axis = 0; axis < 3; ++axis) {
    size[axis] = fields.pixdim[axis + 1];
    if (!(size[axis] > 0) || !std::isfinite(size[axis])) {
      file.fail("expected voxel sizes above 0 in pixdim[1..3] of the qform, found none for axis " +
                std::to_string(axis + 1) + "; write the orientation again");
    }
  }
  const double qfac = fields.pixdim[0];
  if (qfac != -1 && qfac != 0 && qfac != 1) {
    file.fail("expected 1 or -1 in pixdim[0] (the handedness of the qform), found another number; write the "
              "orientation again");
  }
  if (qfac == -1) size[2] = -size[2];  // 0 counts as 1
  const auto r = rotation(fields, file);
  std::array<double, 12> rows{};
  for (std::size_t row = 0; row < 3; ++row) {
    for (std::size_t column = 0; column < 3; ++column) rows[row * 4 + column] = r[row * 3 + column] * size[column];
    rows[row * 4 + 3] = fields.qoffset[row];
  }
  return rows;
}

std::array<double, 16> in_millimetres(const std::array<double, 12>& rows, double unit) {
  std::array<double, 16> affine{};
  for (std::size_t i = 0; i < rows.size(); ++i) affine[i] = rows[i] * unit;
  affine[15] = 1;
  return affine;
}

// Compared with the product of the voxel sizes, so that the unit does not matter.
bool singular(const std::array<double, 12>& m) {
  const double det = m[0] * (m[5] * m[10] - m[6] * m[9]) - m[1] * (m[4] * m[10] - m[6] * m[8]) +
                     m[2] * (m[4] * m[9] - m[5] * m[8]);
  double sizes = 1;
  for (std::size_t column = 0; column < 3; ++column) sizes *= std::hypot(m[column], m[4 + column], m[8 + column]);
  return !(std::abs(det) > 1e-6 * sizes);
}

}  // namespace

CoordinateSpace space_of(const NiftiFields& fields) noexcept {
  const int code = fields.sform_code > 0 ? fields.sform_code : fields.qform_code;
  static_assert(static_cast<int>(CoordinateSpace::scanner) == NIFTI_XFORM_SCANNER_ANAT &&
                static_cast<int>(CoordinateSpace::template_other) == NIFTI_XFORM_TEMPLATE_OTHER);
  const bool known = code >= NIFTI_XFORM_SCANNER_ANAT && code <= NIFTI_XFORM_TEMPLATE_OTHER;
  return known ? static_cast<CoordinateSpace>(code) : CoordinateSpace::unknown;
}

std::array<double, 16> affine_of(const NiftiFields& fields, const ScanFile& file) {
  const bool sform = fields.sform_code > 0;
  if (!sform && fields.qform_code <= 0) {
    file.fail("expected an orientation (sform_code or qform_code above 0), found none, so left and right cannot be "
              "told; set it with the tool that made the file");
  }
  const auto rows = sform ? fields.srow : qform_rows(fields, file);
  const std::array<double, 16> affine = in_millimetres(rows, millimetres(fields, file));
  const char* name = sform ? "sform" : "qform";
  const bool finite = std::all_of(affine.begin(), affine.end(), [](double v) { return std::isfinite(v); });
  if (!finite || singular(rows)) {
    file.fail(std::string("expected an affine that can be inverted in the ") + name + ", found " +
              (finite ? "one that is flat" : "NaN or infinity") + "; write the orientation again");
  }
  return affine;
}

void check_extent(const Grid& grid, const NiftiFields& fields, const ScanFile& file) {
  constexpr double largest_voxel = 100;  // mm
  constexpr double largest_scan = 2500;
  constexpr double smallest_scan = 1;
  const std::array<double, 3> size = voxel_size(grid);
  double longest = 0;
  for (std::size_t axis = 0; axis < 3; ++axis) longest = std::max(longest, size[axis] * grid.shape[axis]);
  const bool too_large = longest > largest_scan || *std::max_element(size.begin(), size.end()) > largest_voxel;
  if (!too_large && longest >= smallest_scan) return;
  const int unit = fields.xyzt_units & 0x07;
  const bool told = unit == NIFTI_UNITS_METER || unit == NIFTI_UNITS_MICRON;
  file.fail(std::string("expected ") +
            (too_large ? "a scan of at most 2500 mm along each axis with voxels of at most 100 mm" : "a scan of 1 mm or more") +
            ", found " + grid_words(grid) +
            (told ? std::string(", since xyzt_units says that its lengths are ") + (unit == NIFTI_UNITS_METER ? "metres" : "microns") +
                        "; set it to millimetres where they are, or write the orientation again"
                  : "; write the orientation again, in millimetres"));
}

std::optional<double> forms_apart(const NiftiFields& fields, const Grid& grid, const ScanFile& file) {
  if (fields.sform_code <= 0 || fields.qform_code <= 0) return std::nullopt;
  Grid other = grid;
  try {
    other.affine = in_millimetres(qform_rows(fields, file), millimetres(fields, file));
  } catch (const Error&) {
    return std::numeric_limits<double>::infinity();
  }
  const double apart = largest_corner_distance(other, grid, {});
  return std::isnan(apart) ? std::numeric_limits<double>::infinity() : apart;
}

}  // namespace smpc::image
