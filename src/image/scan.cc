#include "smpc/image/scan.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>

#include "byte_source.h"
#include "nifti_header.h"
#include "smpc/base/error.h"

namespace smpc {
namespace {

template <class T>
double voxel(const std::byte* p, bool swapped) {
  std::array<std::byte, sizeof(T)> b;
  std::memcpy(b.data(), p, sizeof(T));
  if (swapped) std::reverse(b.begin(), b.end());
  T v;
  std::memcpy(&v, b.data(), sizeof(T));
  return static_cast<double>(v);
}

using ReadVoxel = double (*)(const std::byte*, bool);

ReadVoxel reader_of(VoxelType type) {
  switch (type) {
    case VoxelType::u8: return voxel<std::uint8_t>;
    case VoxelType::i8: return voxel<std::int8_t>;
    case VoxelType::u16: return voxel<std::uint16_t>;
    case VoxelType::i16: return voxel<std::int16_t>;
    case VoxelType::u32: return voxel<std::uint32_t>;
    case VoxelType::i32: return voxel<std::int32_t>;
    case VoxelType::u64: return voxel<std::uint64_t>;
    case VoxelType::i64: return voxel<std::int64_t>;
    case VoxelType::f32: return voxel<float>;
    case VoxelType::f64: return voxel<double>;
  }
  SMPC_CHECK(!"a voxel type");
  return nullptr;
}

// One volume, row by row (i runs fastest in the file); kept where `out` is given, checked always.
void read_volume(ByteSource& source, const NiftiHeader& h, std::size_t index, const std::string& name,
                 SecretVector<double>* out) {
  const auto [ni, nj, nk] = h.scan.grid.shape;
  const ReadVoxel read = reader_of(h.type);
  SecretBytes row(ni * h.voxel_bytes);
  for (std::size_t k = 0; k < nk; ++k) {
    for (std::size_t j = 0; j < nj; ++j) {
      source.read(row, "data");
      for (std::size_t i = 0; i < ni; ++i) {
        const double value = read(row.data() + i * h.voxel_bytes, h.swapped) * h.slope + h.intercept;
        if (!std::isfinite(value)) {
          fail_input(name + ": expected finite voxels, found one that is not at (" + std::to_string(i) + ", " +
                     std::to_string(j) + ", " + std::to_string(k) + ") of volume " + std::to_string(index));
        }
        if (out != nullptr) (*out)[(i * nj + j) * nk + k] = value;
      }
    }
  }
}

std::vector<std::size_t> selected(const ScanHeader& h, const VolumeSelection& s, const std::string& name) {
  if (s.all) {
    std::vector<std::size_t> all(h.volumes);
    for (std::size_t i = 0; i < all.size(); ++i) all[i] = i;
    return all;
  }
  if (!s.index && h.four_d) {
    fail_input(name + ": expected a 3-D scan, or --volume K or --volume all; found a 4-D scan of " +
               std::to_string(h.volumes) + " volumes");
  }
  const std::size_t index = s.index.value_or(0);
  if (index >= h.volumes) {
    fail_input(name + ": expected a volume from 0 to " + std::to_string(h.volumes - 1) + ", found --volume " +
               std::to_string(index));
  }
  return {index};
}

}  // namespace

VolumeSelection parse_volume_selection(const std::string& text) {
  if (text.empty()) return {};
  if (text == "all") return {true, {}};
  if (text.size() > 9 || text.find_first_not_of("0123456789") != std::string::npos) {
    fail_usage("--volume: expected a number from 0, or all; found '" + text + "'");
  }
  return {false, static_cast<std::size_t>(std::stoul(text))};
}

ScanHeader read_scan_header(const std::filesystem::path& path) {
  ByteSource source(path);
  return read_nifti_header(source, path.string()).scan;
}

Scan load_scan(const std::filesystem::path& path, const VolumeSelection& selection) {
  const std::string name = path.string();
  ByteSource source(path);
  const NiftiHeader h = read_nifti_header(source, name);
  Scan scan;
  scan.header = h.scan;
  scan.indices = selected(h.scan, selection, name);
  for (std::size_t v = 0; v < h.scan.volumes; ++v) {
    const bool keep = std::find(scan.indices.begin(), scan.indices.end(), v) != scan.indices.end();
    SecretVector<double> voxels(keep ? h.scan.grid.voxels() : 0);
    read_volume(source, h, v, name, keep ? &voxels : nullptr);
    if (keep) scan.volumes.push_back(std::move(voxels));
  }
  source.expect_end();
  return scan;
}

}  // namespace smpc
