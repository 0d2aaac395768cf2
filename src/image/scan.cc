#include "smpc/image/scan.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <span>
#include <string>

#include "nifti_header.h"
#include "scan_file.h"
#include "smpc/base/error.h"

namespace smpc {
namespace {

using image::NiftiHeader;
using image::ScanFile;

// Volumes first .. last, the last not included.
struct Range {
  std::size_t first = 0;
  std::size_t last = 0;
  bool holds(std::size_t index) const noexcept { return first <= index && index < last; }
};

Range selected_range(const ScanFile& file, const ScanHeader& header, const VolumeSelection& selection) {
  const std::string last = std::to_string(header.volumes - 1);
  if (selection.index && !selection.all) {
    const std::size_t index = *selection.index;
    if (index < header.volumes) return {index, index + 1};
    file.fail("expected a volume from 0 to " + last + (header.four_d ? "" : ", since a 3-D scan has one") +
              ", found --volume " + std::to_string(index));
  }
  if (!selection.all && header.four_d) {
    file.fail("expected a 3-D scan, or --volume; found a 4-D scan of " + std::to_string(header.volumes) +
              " volumes: choose with --volume 0 to --volume " + last + ", or --volume all");
  }
  return {0, header.volumes};
}

void check_memory(const ScanFile& file, const ScanHeader& header, const Range& range) {
  const std::uint64_t most_volumes = most_scan_bytes / sizeof(double) / header.grid.voxels();
  if (range.last - range.first <= most_volumes) return;
  file.fail("expected at most " + std::to_string(most_volumes) + " volumes of this size at once, found " +
            std::to_string(range.last - range.first) + "; choose one with --volume, or cut the file");
}

// Counts voxels in the order in which they are stored, i fastest, and says where each goes: in the model i is slowest.
class Walk {
 public:
  explicit Walk(const std::array<std::uint32_t, 3>& shape) noexcept : shape_(shape) {}

  std::size_t model_index() const noexcept {
    return (std::size_t{at_[0]} * shape_[1] + at_[1]) * shape_[2] + at_[2];
  }
  void next() noexcept {
    for (std::size_t axis = 0; axis < 3 && ++at_[axis] == shape_[axis]; ++axis) at_[axis] = 0;
  }
  std::string place() const {
    std::string out = "(";
    out += std::to_string(at_[0]) + ", " + std::to_string(at_[1]) + ", " + std::to_string(at_[2]);
    return out += ")";
  }

 private:
  std::array<std::uint32_t, 3> shape_;
  std::array<std::uint32_t, 3> at_{};
};

[[noreturn]] void fail_voxel(const ScanFile& file, const std::string& place, std::size_t index, bool by_scaling) {
  file.fail("expected finite voxels, found one that is not at " + place + " of volume " + std::to_string(index) +
            (by_scaling ? ", made so by scl_slope and scl_inter; write the file again with a smaller scale"
                        : "; replace such voxels, for example by 0, with the tool that made the file"));
}

constexpr std::size_t chunk_voxels = 8192;

// Room for a chunk as stored and as doubles; voxels, so wiped.
struct Chunk {
  SecretBytes raw;
  SecretVector<double> values;
};

// Checks every voxel; keeps them where `out` is not empty.
void read_volume(ScanFile& file, const NiftiHeader& header, std::size_t index, Chunk& chunk, std::span<double> out) {
  const auto voxel_bytes = static_cast<std::size_t>(header.type->bits) / 8;
  Walk walk(header.scan.grid.shape);
  for (std::size_t left = header.scan.grid.voxels(); left > 0;) {
    const std::size_t n = std::min(left, chunk_voxels);
    const auto raw = std::span(chunk.raw).first(n * voxel_bytes);
    const auto values = std::span(chunk.values).first(n);
    file.read(raw, "the data");
    header.type->decode(raw, header.swap, values);
    for (const double stored : values) {
      const double value = header.scaled ? stored * header.slope + header.inter : stored;
      if (!std::isfinite(value)) fail_voxel(file, walk.place(), index, std::isfinite(stored));
      if (!out.empty()) out[walk.model_index()] = value;
      walk.next();
    }
    left -= n;
  }
}

Scan load(const std::filesystem::path& path, const Grid* expected, const VolumeSelection& selection) {
  ScanFile file(path);
  const NiftiHeader header = image::read_nifti_header(file);
  const Range range = selected_range(file, header.scan, selection);
  if (expected != nullptr) check_grid(header.scan, *expected, path.string());
  check_memory(file, header.scan, range);
  Scan scan;
  scan.header = header.scan;
  Chunk chunk{SecretBytes(chunk_voxels * sizeof(double)), SecretVector<double>(chunk_voxels)};
  for (std::size_t index = 0; index < header.scan.volumes; ++index) {
    if (!range.holds(index)) {
      read_volume(file, header, index, chunk, {});
      continue;
    }
    scan.indices.push_back(index);
    read_volume(file, header, index, chunk, scan.volumes.emplace_back(header.scan.grid.voxels()));
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

Scan load_scan(const std::filesystem::path& path, const VolumeSelection& selection) {
  return load(path, nullptr, selection);
}

Scan load_scan(const std::filesystem::path& path, const VolumeSelection& selection, const Grid& expected) {
  return load(path, &expected, selection);
}

}  // namespace smpc
