// Where voxels are in space: the sform, the qform and the units of a NIfTI header.
#pragma once

#include <array>
#include <optional>

#include "nifti_header.h"

namespace smpc::image {

// Row by row, in millimetres (the same layout as Grid::affine). Refuses a header with no orientation, and one whose
// numbers make none: not finite, singular, a quaternion longer than 1, voxel sizes not above 0.
std::array<double, 16> affine_of(const NiftiFields& fields, const ScanFile& file);

// Refuses a grid that is no scan of a body, or of a part of one, as a header does that gives millimetres for metres: voxels
// above 100 mm, more than 2.5 m along an axis, or less than 1 mm along each.
void check_extent(const Grid& grid, const NiftiFields& fields, const ScanFile& file);

// ScanHeader::forms_apart, of the header that `grid` was made of.
std::optional<double> forms_apart(const NiftiFields& fields, const Grid& grid, const ScanFile& file);

// Of the sform or qform that affine_of takes.
CoordinateSpace space_of(const NiftiFields& fields) noexcept;

}  // namespace smpc::image
