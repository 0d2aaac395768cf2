// Scans: NIfTI-1 and NIfTI-2 single files, plain or gzipped, either byte order, every real datatype, with slope and
// intercept. Everything else is refused in one line that names what was expected and what was found.
//
// Source: https://nifti.nimh.nih.gov, the definitions nifti1.h and nifti2.h.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "smpc/base/grid.h"
#include "smpc/base/secret.h"

namespace smpc {

struct ScanHeader {
  Grid grid;                // in millimetres: the sform where there is one, else the qform
  std::size_t volumes = 1;
  bool four_d = false;      // more than one volume
  std::string datatype;     // "float32", ...
};

// None: the only volume there is. An index, or all of them.
struct VolumeSelection {
  bool all = false;
  std::optional<std::size_t> index;
};

// "", "all" or a number; anything else is a usage error.
VolumeSelection parse_volume_selection(const std::string& text);

struct Scan {
  ScanHeader header;
  std::vector<std::size_t> indices;           // of the volumes selected
  std::vector<SecretVector<double>> volumes;  // voxels with i slowest and k fastest, as numpy flattens array[i, j, k]
};

ScanHeader read_scan_header(const std::filesystem::path& path);

// Reads and checks the whole file, and keeps what is selected. A 4-D file needs a selection. Refuses NaN and infinite
// voxels in every volume. Bytes after the data are refused in a gzipped file, and passed over in a plain one.
Scan load_scan(const std::filesystem::path& path, const VolumeSelection& selection);

// Refuses a scan whose grid is not the one expected: other dimensions, or a corner more than `grid_tolerance` away;
// says in words how they differ.
constexpr double grid_tolerance = 0.01;  // mm
void check_grid(const ScanHeader& header, const Grid& expected, const std::string& what);

}  // namespace smpc
