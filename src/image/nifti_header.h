// A NIfTI header, checked: what it says is possible, and what the reader takes.
#pragma once

#include <cstdint>
#include <string>

#include "byte_source.h"
#include "smpc/image/scan.h"

namespace smpc {

enum class VoxelType { u8, i8, u16, i16, u32, i32, u64, i64, f32, f64 };

struct NiftiHeader {
  ScanHeader scan;
  VoxelType type = VoxelType::f32;
  std::size_t voxel_bytes = 4;
  bool swapped = false;       // the file's byte order is not this machine's
  double slope = 1;           // 1 and 0 where the file says that there is none
  double intercept = 0;
  std::uint64_t data_bytes = 0;
};

// Reads up to the first voxel: header and extensions.
NiftiHeader read_nifti_header(ByteSource& source, const std::string& name);

}  // namespace smpc
