#include "voxel_type.h"

#include <nifti/nifti1.h>

#include <array>
#include <cstdint>
#include <cstring>
#include <limits>

#include "byte_order.h"
#include "smpc/base/error.h"

namespace smpc::image {
namespace {

static_assert(sizeof(float) == 4 && sizeof(double) == 8 && std::numeric_limits<double>::is_iec559);

// Swapped as bytes, before they are a number: a float whose bytes are out of order may be a signalling NaN.
template <class T>
void decode_as(std::span<const std::byte> in, bool swap, std::span<double> out) {
  SMPC_CHECK(in.size() == out.size() * sizeof(T));
  for (std::size_t i = 0; i < out.size(); ++i) {
    std::array<std::byte, sizeof(T)> bytes{};
    std::memcpy(bytes.data(), in.data() + i * sizeof(T), sizeof(T));
    out[i] = static_cast<double>(std::bit_cast<T>(in_native_order(bytes, swap)));
  }
}

constexpr const char* to_float32 = "convert it to float32";
constexpr const char* to_real = "convert it to one real value a voxel, for example its magnitude";
constexpr const char* to_grey = "convert colours to one real value a voxel";

constexpr std::array<VoxelType, 18> types{{
    {NIFTI_TYPE_UINT8, "uint8", 8, decode_as<std::uint8_t>, nullptr},
    {NIFTI_TYPE_INT16, "int16", 16, decode_as<std::int16_t>, nullptr},
    {NIFTI_TYPE_INT32, "int32", 32, decode_as<std::int32_t>, nullptr},
    {NIFTI_TYPE_FLOAT32, "float32", 32, decode_as<float>, nullptr},
    {NIFTI_TYPE_FLOAT64, "float64", 64, decode_as<double>, nullptr},
    {NIFTI_TYPE_INT8, "int8", 8, decode_as<std::int8_t>, nullptr},
    {NIFTI_TYPE_UINT16, "uint16", 16, decode_as<std::uint16_t>, nullptr},
    {NIFTI_TYPE_UINT32, "uint32", 32, decode_as<std::uint32_t>, nullptr},
    {NIFTI_TYPE_INT64, "int64", 64, decode_as<std::int64_t>, nullptr},
    {NIFTI_TYPE_UINT64, "uint64", 64, decode_as<std::uint64_t>, nullptr},
    {DT_UNKNOWN, "unknown", 0, nullptr, to_float32},
    {DT_BINARY, "binary", 1, nullptr, to_float32},
    {NIFTI_TYPE_FLOAT128, "float128", 128, nullptr, to_float32},
    {NIFTI_TYPE_COMPLEX64, "complex64", 64, nullptr, to_real},
    {NIFTI_TYPE_COMPLEX128, "complex128", 128, nullptr, to_real},
    {NIFTI_TYPE_COMPLEX256, "complex256", 256, nullptr, to_real},
    {NIFTI_TYPE_RGB24, "RGB24", 24, nullptr, to_grey},
    {NIFTI_TYPE_RGBA32, "RGBA32", 32, nullptr, to_grey},
}};

}  // namespace

const VoxelType* find_voxel_type(int code) noexcept {
  for (const VoxelType& type : types) {
    if (type.code == code) return &type;
  }
  return nullptr;
}

}  // namespace smpc::image
