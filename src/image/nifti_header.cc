#include "nifti_header.h"

#include <nifti/nifti1.h>
#include <nifti/nifti2.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <limits>
#include <string>
#include <string_view>

#include "byte_order.h"
#include "dicom.h"
#include "orientation.h"
#include "smpc/base/file_error.h"

namespace smpc::image {
namespace {

static_assert(sizeof(nifti_1_header) == 348 && sizeof(nifti_2_header) == 540);

constexpr int header_bytes(int version) { return version == 1 ? 348 : 540; }

constexpr const char* rewrite = "; write the file again with the tool that made it";

// CIFTI-2: intents 3000 to 3099, and its XML in an extension of this code.
constexpr int cifti_intent_first = 3000;
constexpr int cifti_intent_last = 3099;
constexpr std::int32_t cifti_extension = 32;
constexpr const char* no_cifti =
    "expected a volume, found CIFTI (a surface or a connectivity matrix); export the volume as .nii";

template <class Header>
NiftiFields common_fields(const Header& h, int version, bool swap) {
  const auto get = [swap](auto value) { return in_native_order(value, swap); };
  NiftiFields f;
  f.version = version;
  f.swap = swap;
  for (std::size_t i = 0; i < 8; ++i) {
    f.dim[i] = get(h.dim[i]);
    f.pixdim[i] = get(h.pixdim[i]);
  }
  f.datatype = get(h.datatype);
  f.bitpix = get(h.bitpix);
  f.intent_code = get(h.intent_code);
  f.xyzt_units = get(h.xyzt_units);
  f.vox_offset = static_cast<double>(get(h.vox_offset));
  f.scl_slope = get(h.scl_slope);
  f.scl_inter = get(h.scl_inter);
  f.qform_code = get(h.qform_code);
  f.sform_code = get(h.sform_code);
  f.quatern = {get(h.quatern_b), get(h.quatern_c), get(h.quatern_d)};
  f.qoffset = {get(h.qoffset_x), get(h.qoffset_y), get(h.qoffset_z)};
  for (std::size_t i = 0; i < 4; ++i) {
    f.srow[i] = get(h.srow_x[i]);
    f.srow[4 + i] = get(h.srow_y[i]);
    f.srow[8 + i] = get(h.srow_z[i]);
  }
  return f;
}

std::string as_hex(std::string_view text) {
  std::string out;
  for (const char c : text) {
    std::array<char, 4> digits{};
    std::snprintf(digits.data(), digits.size(), "%02x", static_cast<unsigned>(static_cast<unsigned char>(c)));
    out += digits.data();
  }
  return out;
}

void check_magic(const ScanFile& file, std::string_view magic) {
  using namespace std::string_view_literals;
  const std::string_view expected = magic.size() == 4 ? "n+1\0"sv : "n+2\0\r\n\x1a\n"sv;
  if (magic == expected) return;
  const std::string_view pair = magic.size() == 4 ? "ni1\0"sv : "ni2\0"sv;
  if (magic.starts_with(pair)) {
    file.fail("expected one NIfTI file with header and data (magic n+1 or n+2), found the header of a .hdr/.img pair; "
              "convert the pair to one .nii");
  }
  if (magic == "\0\0\0\0"sv) {
    file.fail("expected NIfTI (magic n+1), found Analyze 7.5, which does not tell left from right; convert it to .nii");
  }
  if (magic.starts_with(expected.substr(0, 4))) {
    file.fail("expected magic " + as_hex(expected) + ", found " + as_hex(magic) +
              ": the file was changed as if it were text; copy it again in binary");
  }
  file.fail("expected magic " + as_hex(expected) + ", found " + as_hex(magic) +
            ": the header is damaged; copy it again");
}

template <class Header>
NiftiFields read_fields_as(ScanFile& file, std::int32_t sizeof_hdr, int version, bool swap) {
  std::array<std::byte, sizeof(Header)> bytes{};
  std::memcpy(bytes.data(), &sizeof_hdr, sizeof sizeof_hdr);
  file.read(std::span(bytes).subspan(sizeof sizeof_hdr), "its header");
  Header h{};
  std::memcpy(&h, bytes.data(), bytes.size());
  check_magic(file, std::string_view(h.magic, sizeof h.magic));
  return common_fields(h, version, swap);
}

NiftiFields read_fields(ScanFile& file) {
  std::int32_t size = 0;
  file.read(std::as_writable_bytes(std::span(&size, 1)), "its header");
  for (const bool swap : {false, true}) {
    const std::int32_t native = in_native_order(size, swap);
    if (native == header_bytes(1)) return read_fields_as<nifti_1_header>(file, size, 1, swap);
    if (native == header_bytes(2)) return read_fields_as<nifti_2_header>(file, size, 2, swap);
  }
  std::array<std::byte, dicom_head_bytes> head{};
  std::memcpy(head.data(), &size, sizeof size);
  const std::size_t rest = file.read_some(std::span(head).subspan(sizeof size));
  const auto begins = std::span<const std::byte>(head).first(sizeof size + rest);
  if (is_dicom(begins)) file.fail(std::string("expected NIfTI, found DICOM") + convert_dicom);
  if (const std::string pointer = unfetched_content(file.name(), begins); !pointer.empty()) {
    file.fail("expected a NIfTI file (.nii or .nii.gz), found " + pointer);
  }
  file.fail("expected a NIfTI header of 348 or 540 bytes, found something else; convert the scan to one .nii or "
            ".nii.gz file (not .img, DICOM, or gzip twice)");
}

std::string dims_text(const NiftiFields& f) {
  std::string out;
  for (std::size_t i = 1; i <= static_cast<std::size_t>(f.dim[0]); ++i) {
    if (i > 1) out += " x ";
    out += std::to_string(f.dim[i]);
  }
  return out;
}

void check_dims(const ScanFile& file, const NiftiFields& f) {
  if (f.intent_code >= cifti_intent_first && f.intent_code <= cifti_intent_last) file.fail(no_cifti);
  if (f.dim[0] < 1 || f.dim[0] > 7) {
    file.fail("expected 3 or 4 dimensions, found dim[0] = " + std::to_string(f.dim[0]) + rewrite);
  }
  const auto axes = static_cast<std::size_t>(f.dim[0]);
  for (std::size_t i = 1; i <= axes; ++i) {
    if (f.dim[i] < 1) {
      file.fail("expected positive dimensions, found dim[" + std::to_string(i) + "] = " + std::to_string(f.dim[i]) +
                rewrite);
    }
  }
  if (axes < 3) {
    file.fail("expected a 3-D or 4-D scan, found dimensions " + dims_text(f) + "; join the slices into a volume");
  }
  for (std::size_t i = 5; i <= axes; ++i) {
    if (f.dim[i] == 1) continue;
    const bool no_space = std::all_of(f.dim.begin() + 1, f.dim.begin() + 5, [](std::int64_t n) { return n == 1; });
    if (f.version == 2 && no_space) file.fail(no_cifti);
    file.fail("expected a 3-D or 4-D scan, found dimensions " + dims_text(f) + "; write the volumes as 4-D");
  }
}

const VoxelType* checked_type(const ScanFile& file, const NiftiFields& f) {
  const VoxelType* type = find_voxel_type(f.datatype);
  if (type == nullptr) {
    file.fail("expected a datatype of the NIfTI standard, found code " + std::to_string(f.datatype) + rewrite);
  }
  if (type->decode == nullptr) {
    file.fail(std::string("expected voxels that are real numbers of up to 64 bits, found ") + type->name + "; " +
              type->remedy);
  }
  if (f.bitpix != type->bits) {
    file.fail("expected " + std::to_string(type->bits) + " bits per voxel (bitpix) for " + type->name + ", found " +
              std::to_string(f.bitpix) + rewrite);
  }
  return type;
}

// The bytes of the data, within what the file can hold: what is claimed beyond it is refused before memory is taken.
std::uint64_t checked_data_bytes(const ScanFile& file, const NiftiFields& f, const VoxelType& type,
                                 std::uint64_t offset) {
  std::uint64_t bytes = static_cast<std::uint64_t>(type.bits) / 8;
  bool overflow = false;
  for (std::size_t i = 1; i <= static_cast<std::size_t>(f.dim[0]); ++i) {
    overflow |= __builtin_mul_overflow(bytes, static_cast<std::uint64_t>(f.dim[i]), &bytes);
    if (i <= 3) overflow |= f.dim[i] > std::numeric_limits<std::uint32_t>::max();
  }
  std::uint64_t total = 0;
  overflow |= __builtin_add_overflow(bytes, offset, &total);
  if (overflow || total > file.most_bytes()) {
    file.fail("expected " + (overflow ? std::string("more than 2^64") : std::to_string(total)) +
              " bytes as its header says (" + dims_text(f) + " of " + type.name + "), found " +
              (file.compressed() ? std::to_string(file.file_size()) + " bytes of gzip, which cannot hold them"
                                 : std::to_string(file.file_size())) +
              "; the file is cut short, copy it again");
  }
  return bytes;
}

std::uint64_t checked_offset(const ScanFile& file, const NiftiFields& f) {
  const int least = header_bytes(f.version) + 4;
  constexpr double most = 9007199254740992.0;  // 2^53
  // Written so that NaN fails.
  if (!(f.vox_offset >= least && f.vox_offset <= most && std::floor(f.vox_offset) == f.vox_offset)) {
    file.fail("expected a whole number of " + std::to_string(least) +
              " or more in vox_offset (where the data begins), found another" + rewrite);
  }
  const auto offset = static_cast<std::uint64_t>(f.vox_offset);
  if (offset > file.most_bytes()) {
    file.fail("expected the data to begin at byte " + std::to_string(offset) + " (vox_offset), found a file of " +
              std::to_string(file.file_size()) + " bytes; copy it again");
  }
  return offset;
}

// After the last extension, zeros may fill up to the data; anything else there is a broken chain.
void expect_zeros(ScanFile& file, std::uint64_t count, const std::string& message) {
  std::array<std::byte, 512> part{};
  while (count > 0) {
    const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(count, part.size()));
    file.read(std::span(part).first(n), "its extensions");
    for (std::size_t i = 0; i < n; ++i) {
      if (part[i] != std::byte{0}) file.fail(message);
    }
    count -= n;
  }
}

// The chain of extensions (nifti1.h, "Header extensions"): each begins with its size, a positive multiple of 16, and a
// code. What they hold is not used.
void walk_extensions(ScanFile& file, const NiftiFields& f, std::uint64_t offset) {
  nifti1_extender flags{};
  file.read(std::as_writable_bytes(std::span(flags.extension)), "the extension flag");
  std::uint64_t left = offset - file.position();
  if (flags.extension[0] == 0) {
    file.skip(left, "the gap before the data");
    return;
  }
  const std::string corrupt = "expected header extensions, each a multiple of 16 bytes long, up to the data at byte " +
                              std::to_string(offset) + ", found a corrupt one";
  if (flags.extension[0] != 1) file.fail(corrupt + rewrite);
  for (bool first = true; left > 0; first = false) {
    std::array<std::int32_t, 2> head{};
    if (left < sizeof head) return expect_zeros(file, left, corrupt + rewrite);
    file.read(std::as_writable_bytes(std::span(head)), "its extensions");
    left -= sizeof head;
    const std::int32_t size = in_native_order(head[0], f.swap);
    const std::int32_t code = in_native_order(head[1], f.swap);
    if (size == 0 && code == 0 && !first) return expect_zeros(file, left, corrupt + rewrite);
    if (size < 16 || size % 16 != 0 || static_cast<std::uint64_t>(size) - sizeof head > left) {
      file.fail(corrupt + " at byte " + std::to_string(file.position() - sizeof head) + rewrite);
    }
    if (code == cifti_extension) file.fail(no_cifti);
    const auto rest = static_cast<std::uint64_t>(size) - sizeof head;
    file.skip(rest, "its extensions");
    left -= rest;
  }
}

}  // namespace

NiftiHeader read_nifti_header(ScanFile& file) {
  const NiftiFields f = read_fields(file);
  check_dims(file, f);
  NiftiHeader header;
  header.type = checked_type(file, f);
  header.swap = f.swap;
  header.scaled = f.scl_slope != 0 && !std::isnan(f.scl_slope);
  if (header.scaled) {
    if (!std::isfinite(f.scl_slope) || !std::isfinite(f.scl_inter)) {
      file.fail("expected a finite scl_slope and scl_inter (or scl_slope 0 for none), found NaN or infinity" +
                std::string(rewrite));
    }
    header.slope = f.scl_slope;
    header.inter = f.scl_inter;
  }
  const std::uint64_t offset = checked_offset(file, f);
  header.data_bytes = checked_data_bytes(file, f, *header.type, offset);
  walk_extensions(file, f, offset);

  ScanHeader& scan = header.scan;
  for (std::size_t axis = 0; axis < 3; ++axis) scan.grid.shape[axis] = static_cast<std::uint32_t>(f.dim[axis + 1]);
  scan.grid.affine = affine_of(f, file);
  check_extent(scan.grid, f, file);
  scan.forms_apart = forms_apart(f, scan.grid, file);
  scan.space = space_of(f);
  scan.volumes = f.dim[0] >= 4 ? static_cast<std::size_t>(f.dim[4]) : 1;
  scan.four_d = scan.volumes > 1;
  scan.datatype = header.type->name;
  return header;
}

}  // namespace smpc::image
