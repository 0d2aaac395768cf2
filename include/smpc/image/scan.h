// Scans from NIfTI files: .nii and .nii.gz, NIfTI-1 and NIfTI-2, either byte order, every real datatype up to 64 bits,
// with slope and intercept (https://nifti.nimh.nih.gov, the definitions nifti1.h and nifti2.h). Whether a file is
// compressed is told by its content, not its name; gzip may come in several members, with zeros behind the last (RFC 1952).
//
// Everything else is refused in one line (ErrorKind::bad_input), never repaired: a file shorter than its header says, other
// bytes behind the last gzip member, voxels that are too large or too small for a scan, a wrong bitpix, a corrupt extension chain, more than four axes, complex, RGB and 128-bit data,
// CIFTI, Analyze, .hdr/.img pairs, DICOM (also a folder of it). No message holds a voxel's value.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "smpc/base/grid.h"
#include "smpc/base/secret.h"

namespace smpc {

// What a header says its millimetres are (NIFTI_XFORM_...): it is the word of the tool that wrote it.
enum class CoordinateSpace {
  scanner = 1,    // of the scanner: not normalised, unless a tool left the code as it was
  aligned = 2,    // to another scan, which may be a template
  talairach = 3,  // Talairach and Tournoux' atlas
  mni = 4,        // MNI 152
  template_other = 5,
  unknown = 0,  // a code that the standard does not have
};

struct ScanHeader {
  // In millimetres, whatever xyzt_units says (unknown: millimetres): the sform where sform_code > 0, else the qform
  // where qform_code > 0. A file with neither is refused.
  Grid grid;
  CoordinateSpace space = CoordinateSpace::unknown;  // of the one that is taken
  // Where a header has both forms: how far apart they put a corner voxel, in millimetres; infinite where the qform, which is
  // then not used, makes no orientation at all.
  std::optional<double> forms_apart;
  std::size_t volumes = 1;
  bool four_d = false;   // more than one volume
  std::string datatype;  // as stored: "uint8", "int16", ..., "float64"
};

// None: the only volume there is. An index, or all of them, or the first so many of all.
struct VolumeSelection {
  bool all = false;
  std::optional<std::size_t> index{};
  std::optional<std::size_t> first{};  // with `all`; all where there are fewer
};

// "", "all" or a number; anything else is a usage error.
VolumeSelection parse_volume_selection(const std::string& text);

// What is done about a voxel that is NaN, as some tools write them outside the brain. An infinite one is always refused.
enum class NanVoxels {
  refuse,
  offer,  // refused, and the refusal names --nan-as-zero, which the command has
  zero,   // taken as 0, and counted
};

struct Scan {
  ScanHeader header;
  std::vector<std::size_t> indices;  // of the volumes selected
  std::vector<std::size_t> nan_voxels;  // taken as 0, of each of them; empty where NaN is refused
  // Voxel (i, j, k) at (i * shape[1] + j) * shape[2] + k: i slowest and k fastest, as numpy flattens array[i, j, k];
  // the file stores i fastest. In double: raw * slope + intercept, or raw where scl_slope is 0 or NaN. All finite.
  std::vector<SecretVector<double>> volumes;
};

// Checks every header field, the extensions, and whether the file can hold the data; the data is not read.
ScanHeader read_scan_header(const std::filesystem::path& path);

// What load_scan takes at most for the voxels that it returns; more is refused before memory is taken.
constexpr std::uint64_t most_scan_bytes = std::uint64_t{4} << 30;

// Reads and checks the whole file through buffers of fixed size, and keeps what is selected: memory is taken volume by
// volume, as the data arrives. A 4-D file needs a selection. Refuses infinite voxels and, where it is to, NaN in every
// volume. Bytes after the data are refused in a gzipped file, and passed over in a plain one.
Scan load_scan(const std::filesystem::path& path, const VolumeSelection& selection, NanVoxels nan = NanVoxels::refuse);

// The same, and check_grid before the data is read.
Scan load_scan(const std::filesystem::path& path, const VolumeSelection& selection, const Grid& expected);

// Refuses a scan whose grid is not the one expected: other dimensions, or a corner voxel's centre more than
// `grid_tolerance` away (an axis of one voxel counts as two, so that its size is compared as well). Says in words how
// they differ (grid_difference_words), and what to do.
constexpr double grid_tolerance = 0.01;  // mm: far below a voxel, far above what the float32 of a header loses

// Whether the command that reads the scan has the option --resample, so that the refusal can name it.
enum class ResampleOption { offered, absent };
void check_grid(const ScanHeader& header, const Grid& expected, const std::string& what,
                ResampleOption option = ResampleOption::offered);

}  // namespace smpc
