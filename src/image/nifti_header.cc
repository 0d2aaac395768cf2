#include "nifti_header.h"

#include <nifti/nifti1.h>
#include <nifti/nifti2.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <vector>

#include "smpc/base/error.h"
#include "smpc/base/wide.h"

namespace smpc {
namespace {

// The fields that matter, of either version, in this machine's byte order.
struct Fields {
  std::array<std::int64_t, 8> dim{};
  std::int64_t datatype = 0;
  std::int64_t bitpix = 0;
  double vox_offset = 0;
  double slope = 0;
  double intercept = 0;
  std::array<double, 8> pixdim{};
  std::int64_t qform_code = 0;
  std::int64_t sform_code = 0;
  std::array<double, 6> quatern{};  // b, c, d, then the offsets
  std::array<double, 12> srow{};
  std::int64_t xyzt_units = 0;
  std::int64_t intent = 0;
};

// Fields at their offsets in the file, swapped where they must be.
class Raw {
 public:
  Raw(std::span<const std::byte> bytes, bool swapped) : bytes_(bytes), swapped_(swapped) {}
  template <class T>
  T get(std::size_t offset) const {
    std::array<std::byte, sizeof(T)> b;
    std::memcpy(b.data(), bytes_.data() + offset, sizeof(T));
    if (swapped_) std::reverse(b.begin(), b.end());
    T v;
    std::memcpy(&v, b.data(), sizeof(T));
    return v;
  }

 private:
  std::span<const std::byte> bytes_;
  bool swapped_;
};

// Both structs have the same member names; only their types and places differ.
template <class H>
Fields fields_of(const Raw& r) {
  Fields f;
  const auto number = [&]<class T>(std::size_t offset, const T*) { return r.get<T>(offset); };
  const H* h = nullptr;
#define SMPC_FIELD(member) number(offsetof(H, member), static_cast<std::decay_t<decltype(h->member)>*>(nullptr))
#define SMPC_ELEMENT(member, i)                                     \
  number(offsetof(H, member) + (i) * sizeof(*H{}.member),           \
         static_cast<std::decay_t<decltype(*H{}.member)>*>(nullptr))
  for (std::size_t i = 0; i < 8; ++i) f.dim[i] = SMPC_ELEMENT(dim, i);
  for (std::size_t i = 0; i < 8; ++i) f.pixdim[i] = SMPC_ELEMENT(pixdim, i);
  f.datatype = SMPC_FIELD(datatype);
  f.bitpix = SMPC_FIELD(bitpix);
  f.vox_offset = static_cast<double>(SMPC_FIELD(vox_offset));
  f.slope = SMPC_FIELD(scl_slope);
  f.intercept = SMPC_FIELD(scl_inter);
  f.qform_code = SMPC_FIELD(qform_code);
  f.sform_code = SMPC_FIELD(sform_code);
  f.quatern = {SMPC_FIELD(quatern_b), SMPC_FIELD(quatern_c), SMPC_FIELD(quatern_d),
               SMPC_FIELD(qoffset_x), SMPC_FIELD(qoffset_y), SMPC_FIELD(qoffset_z)};
  for (std::size_t i = 0; i < 4; ++i) {
    f.srow[i] = SMPC_ELEMENT(srow_x, i);
    f.srow[4 + i] = SMPC_ELEMENT(srow_y, i);
    f.srow[8 + i] = SMPC_ELEMENT(srow_z, i);
  }
  f.xyzt_units = SMPC_FIELD(xyzt_units);
  f.intent = SMPC_FIELD(intent_code);
#undef SMPC_FIELD
#undef SMPC_ELEMENT
  return f;
}

struct TypeRow {
  std::int64_t code;
  const char* name;
  std::size_t bytes;
  std::optional<VoxelType> type;
};

const TypeRow types[] = {
    {DT_UINT8, "uint8", 1, VoxelType::u8},      {DT_INT8, "int8", 1, VoxelType::i8},
    {DT_UINT16, "uint16", 2, VoxelType::u16},   {DT_INT16, "int16", 2, VoxelType::i16},
    {DT_UINT32, "uint32", 4, VoxelType::u32},   {DT_INT32, "int32", 4, VoxelType::i32},
    {DT_UINT64, "uint64", 8, VoxelType::u64},   {DT_INT64, "int64", 8, VoxelType::i64},
    {DT_FLOAT32, "float32", 4, VoxelType::f32}, {DT_FLOAT64, "float64", 8, VoxelType::f64},
    {DT_FLOAT128, "float128", 16, {}},          {DT_COMPLEX64, "complex64", 8, {}},
    {DT_COMPLEX128, "complex128", 16, {}},      {DT_COMPLEX256, "complex256", 32, {}},
    {DT_RGB24, "RGB", 3, {}},                   {DT_RGBA32, "RGBA", 4, {}},
};

class Checker {
 public:
  explicit Checker(const std::string& name) : name_(name) {}

  [[noreturn]] void fail(const std::string& text) const { fail_input(name_ + ": " + text); }

  void dims(const Fields& f, NiftiHeader& h) const {
    const std::int64_t n = f.dim[0];
    if (n < 1 || n > 7) fail("expected 3 or 4 dimensions, found dim[0] = " + std::to_string(n));
    u128 elements = 1;
    std::string shape;
    for (std::size_t i = 1; i <= static_cast<std::size_t>(n); ++i) {
      if (f.dim[i] < 1) fail("expected positive dimensions, found dim[" + std::to_string(i) + "] = " + std::to_string(f.dim[i]));
      if (f.dim[i] > INT32_MAX) fail("expected dimensions below 2^31, found " + std::to_string(f.dim[i]));
      shape += (i > 1 ? " x " : "") + std::to_string(f.dim[i]);
      elements *= static_cast<u128>(f.dim[i]);
      if (elements > (static_cast<u128>(1) << 60)) fail("expected a scan, found one that claims " + shape + " ... voxels");
      if (i > 4 && f.dim[i] > 1) fail("expected a 3-D or 4-D scan, found dimensions " + shape);
    }
    if (n < 3) fail("expected a 3-D or 4-D scan, found dimensions " + shape);
    for (std::size_t i = 0; i < 3; ++i) h.scan.grid.shape[i] = static_cast<std::uint32_t>(f.dim[i + 1]);
    h.scan.volumes = n >= 4 ? static_cast<std::size_t>(f.dim[4]) : 1;
    h.scan.four_d = h.scan.volumes > 1;
    const u128 bytes = elements * h.voxel_bytes;
    if (bytes > (static_cast<u128>(1) << 62)) fail("expected a scan, found one that claims " + shape + " voxels");
    h.data_bytes = static_cast<std::uint64_t>(bytes);
  }

  void type(const Fields& f, NiftiHeader& h) const {
    for (const TypeRow& row : types) {
      if (row.code != f.datatype) continue;
      if (!row.type) fail(std::string("expected voxels that are real numbers, found ") + row.name);
      if (f.bitpix != static_cast<std::int64_t>(8 * row.bytes)) {
        fail("expected " + std::to_string(8 * row.bytes) + " bits per voxel for " + row.name + ", found " +
             std::to_string(f.bitpix));
      }
      h.type = *row.type;
      h.voxel_bytes = row.bytes;
      h.scan.datatype = row.name;
      return;
    }
    fail("expected a datatype of the NIfTI standard, found code " + std::to_string(f.datatype));
  }

  void scaling(const Fields& f, NiftiHeader& h) const {
    if (f.slope == 0 || std::isnan(f.slope)) return;  // common: unscaled
    if (std::isinf(f.slope) || !std::isfinite(f.intercept)) {
      fail("expected a finite slope and intercept, found ones that are not");
    }
    h.slope = f.slope;
    h.intercept = f.intercept;
  }

  std::uint64_t data_offset(const Fields& f, std::uint64_t least) const {
    if (!(f.vox_offset >= static_cast<double>(least)) || f.vox_offset > 1e9 || f.vox_offset != std::floor(f.vox_offset)) {
      fail("expected its data to begin at a byte from " + std::to_string(least) + " on, found a vox_offset that is " +
           (std::isnan(f.vox_offset) ? "not a number" : "elsewhere"));
    }
    return static_cast<std::uint64_t>(f.vox_offset);
  }

  void affine(const Fields& f, NiftiHeader& h) const {
    std::array<double, 16>& a = h.scan.grid.affine;
    a = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
    if (f.sform_code > 0) {
      std::copy(f.srow.begin(), f.srow.end(), a.begin());
    } else if (f.qform_code > 0) {
      from_quaternion(f, a);
    } else {
      fail("expected an orientation (sform or qform), found none: write one with the tool that made the scan");
    }
    const auto unit = f.xyzt_units & 7;
    const double mm = unit == NIFTI_UNITS_METER ? 1000 : unit == NIFTI_UNITS_MICRON ? 0.001 : 1;
    for (std::size_t i = 0; i < 12; ++i) {
      a[i] *= mm;
      if (!std::isfinite(a[i])) fail("expected a finite orientation, found one that is not");
    }
  }

 private:
  // The NIfTI standard, method 2: rotation from (b, c, d), voxel sizes, and the sign of the third axis.
  void from_quaternion(const Fields& f, std::array<double, 16>& m) const {
    const auto [b, c, d, x, y, z] = f.quatern;
    const double rest = 1 - (b * b + c * c + d * d);
    if (!(rest > -1e-5)) fail("expected a rotation in its qform, found a quaternion longer than 1");
    const double a = std::sqrt(std::max(rest, 0.0));
    const double r[9] = {a * a + b * b - c * c - d * d, 2 * (b * c - a * d),           2 * (b * d + a * c),
                         2 * (b * c + a * d),           a * a + c * c - b * b - d * d, 2 * (c * d - a * b),
                         2 * (b * d - a * c),           2 * (c * d + a * b),           a * a + d * d - b * b - c * c};
    const double flip = f.pixdim[0] < 0 ? -1 : 1;
    const double size[3] = {f.pixdim[1], f.pixdim[2], f.pixdim[3] * flip};
    const double offset[3] = {x, y, z};
    for (std::size_t row = 0; row < 3; ++row) {
      for (std::size_t col = 0; col < 3; ++col) m[4 * row + col] = r[3 * row + col] * size[col];
      m[4 * row + 3] = offset[row];
    }
  }

  const std::string& name_;
};

// Extensions fill the bytes between header and data: size (a multiple of 16), code, content, again and again.
void read_extensions(ByteSource& source, std::uint64_t left, bool swapped, const Checker& check) {
  if (left < 4) return source.skip(left, "header");
  std::array<std::byte, 4> flag;
  source.read(flag, "header");
  left -= 4;
  if (flag[0] == std::byte{0}) return source.skip(left, "header");
  while (left > 0) {
    std::array<std::byte, 8> head;
    if (left < head.size()) check.fail("expected whole header extensions, found one that is cut");
    source.read(head, "header extensions");
    const auto size = Raw(head, swapped).get<std::int32_t>(0);
    if (size < 16 || size % 16 != 0 || static_cast<std::uint64_t>(size) > left) {
      check.fail("expected header extensions that end where the data begins, found one of " + std::to_string(size) +
                 " bytes with " + std::to_string(left) + " left");
    }
    source.skip(static_cast<std::uint64_t>(size) - head.size(), "header extensions");
    left -= static_cast<std::uint64_t>(size);
  }
}

}  // namespace

NiftiHeader read_nifti_header(ByteSource& source, const std::string& name) {
  const Checker check(name);
  std::vector<std::byte> bytes(sizeof(nifti_1_header));
  source.read(bytes, "header");
  NiftiHeader h;
  std::int32_t size = Raw(bytes, false).get<std::int32_t>(0);
  if (size != 348 && size != 540) {
    h.swapped = true;
    size = Raw(bytes, true).get<std::int32_t>(0);
  }
  if (size != 348 && size != 540) check.fail("expected a NIfTI file, found something else");
  const bool second = size == 540;
  if (second) {
    bytes.resize(sizeof(nifti_2_header));
    source.read(std::span(bytes).subspan(sizeof(nifti_1_header)), "header");
  }
  const std::size_t magic_at = second ? offsetof(nifti_2_header, magic) : offsetof(nifti_1_header, magic);
  const std::string magic(reinterpret_cast<const char*>(bytes.data()) + magic_at, second ? 8 : 4);
  if (magic.substr(0, 3) == "ni1" || magic.substr(0, 3) == "ni2") {
    check.fail("expected a single .nii file, found the header of a .hdr/.img pair: convert it to .nii");
  }
  if (second ? magic != std::string("n+2\0\r\n\032\n", 8) : magic != std::string("n+1\0", 4)) {
    check.fail("expected a NIfTI file, found one with another magic (Analyze?): convert it to .nii");
  }
  const Raw raw(bytes, h.swapped);
  const Fields f = second ? fields_of<nifti_2_header>(raw) : fields_of<nifti_1_header>(raw);
  if (f.intent >= 3000 && f.intent < 3100) check.fail("expected a volume, found CIFTI data: give the volume it was made from");
  check.type(f, h);
  check.dims(f, h);
  check.scaling(f, h);
  const std::uint64_t header_bytes = static_cast<std::uint64_t>(size);
  const std::uint64_t offset = check.data_offset(f, header_bytes + 4);
  check.affine(f, h);
  if (offset + h.data_bytes > source.most_bytes()) {
    check.fail("expected " + std::to_string(h.data_bytes) + " bytes of data, as its header claims, found a file that " +
               (source.gzipped() ? "cannot hold them" : "has fewer"));
  }
  read_extensions(source, offset - header_bytes, h.swapped, check);
  return h;
}

}  // namespace smpc
