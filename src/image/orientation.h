// Where voxels are in space: the sform, the qform and the units of a NIfTI header.
#pragma once

#include <array>

#include "nifti_header.h"

namespace smpc::image {

// Row by row, in millimetres (the same layout as Grid::affine). Refuses a header with no orientation, and one whose
// numbers make none: not finite, singular, a quaternion longer than 1, voxel sizes not above 0.
std::array<double, 16> affine_of(const NiftiFields& fields, const ScanFile& file);

// Of the sform or qform that affine_of takes.
CoordinateSpace space_of(const NiftiFields& fields) noexcept;

}  // namespace smpc::image
