// The header of a NIfTI file, checked: fields of either version in one shape, then what they mean.
#pragma once

#include <array>
#include <cstdint>

#include "scan_file.h"
#include "smpc/image/scan.h"
#include "voxel_type.h"

namespace smpc::image {

// The fields that are used, in native byte order, as wide as NIfTI-2 has them; values are still unchecked.
struct NiftiFields {
  int version = 1;
  bool swap = false;  // the file's byte order is not this machine's
  std::array<std::int64_t, 8> dim{};
  int datatype = 0;
  int bitpix = 0;
  int intent_code = 0;
  int xyzt_units = 0;
  double vox_offset = 0;  // of NIfTI-2 an integer: those above 2^53 are refused, so that rounding does not matter
  double scl_slope = 0;
  double scl_inter = 0;
  std::array<double, 8> pixdim{};
  int qform_code = 0;
  int sform_code = 0;
  std::array<double, 3> quatern{};  // b, c, d
  std::array<double, 3> qoffset{};
  std::array<double, 12> srow{};
};

struct NiftiHeader {
  ScanHeader scan;
  const VoxelType* type = nullptr;
  bool swap = false;
  bool scaled = false;
  double slope = 1;
  double inter = 0;
  std::uint64_t data_bytes = 0;  // all volumes
};

// Reads up to the first byte of the data.
NiftiHeader read_nifti_header(ScanFile& file);

}  // namespace smpc::image
