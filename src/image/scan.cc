#include "smpc/image/scan.h"

#include <charconv>
#include <string>

#include "nifti_header.h"
#include "scan_file.h"
#include "smpc/base/error.h"
#include "volumes.h"

namespace smpc {
namespace {

using image::NiftiHeader;
using image::Range;
using image::ScanFile;

void check_memory(const ScanFile& file, const ScanHeader& header, const Range& range) {
  const std::uint64_t most_volumes = most_scan_bytes / sizeof(double) / header.grid.voxels();
  if (range.last - range.first <= most_volumes) return;
  file.fail("expected at most " + std::to_string(most_volumes) + " volumes of this size at once, found " +
            std::to_string(range.last - range.first) + "; choose one with --volume, or cut the file");
}

Scan load(const std::filesystem::path& path, const Grid* expected, const VolumeSelection& selection, NanVoxels nan) {
  ScanFile file(path);
  const NiftiHeader header = image::read_nifti_header(file);
  const Range range = image::selected_range(file, header.scan, selection);
  if (expected != nullptr) check_grid(header.scan, *expected, path.string());
  check_memory(file, header.scan, range);
  Scan scan;
  scan.header = header.scan;
  image::Chunk chunk;
  for (std::size_t index = 0; index < header.scan.volumes; ++index) {
    if (!range.holds(index)) {
      image::read_volume(file, header, index, chunk, {}, nan);
      continue;
    }
    scan.indices.push_back(index);
    auto& volume = scan.volumes.emplace_back(header.scan.grid.voxels());
    const std::size_t zeroed = image::read_volume(file, header, index, chunk, volume, nan);
    if (nan == NanVoxels::zero) scan.nan_voxels.push_back(zeroed);
  }
  file.expect_end();
  return scan;
}

}  // namespace

VolumeSelection parse_volume_selection(const std::string& text) {
  if (text.empty()) return {};
  if (text == "all") return {true, {}};
  std::size_t index = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), index);
  if (error != std::errc() || end != text.data() + text.size()) {
    fail_usage("--volume: expected a number from 0, or all; found '" + text + "'");
  }
  return {false, index};
}

ScanHeader read_scan_header(const std::filesystem::path& path) {
  ScanFile file(path);
  return image::read_nifti_header(file).scan;
}

Scan load_scan(const std::filesystem::path& path, const VolumeSelection& selection, NanVoxels nan) {
  return load(path, nullptr, selection, nan);
}

Scan load_scan(const std::filesystem::path& path, const VolumeSelection& selection, const Grid& expected) {
  return load(path, &expected, selection, NanVoxels::refuse);
}

}  // namespace smpc
