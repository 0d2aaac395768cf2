// The datatypes of NIfTI: which are read, and how their bytes become doubles.
#pragma once

#include <cstddef>
#include <span>

namespace smpc::image {

struct VoxelType {
  int code;          // NIFTI_TYPE_...
  const char* name;  // "float32"
  int bits;          // what bitpix must say
  // in.size() == out.size() * bits / 8. 64-bit integers round to nearest. Null where the type is refused.
  void (*decode)(std::span<const std::byte> in, bool swap, std::span<double> out);
  const char* remedy;  // what to do where it is refused
};

// Null for a code that the standard does not have.
const VoxelType* find_voxel_type(int code) noexcept;

}  // namespace smpc::image
