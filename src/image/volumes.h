// Volumes as they stand in a scan's file, one after the other.
#pragma once

#include <cstddef>
#include <span>

#include "nifti_header.h"
#include "scan_file.h"
#include "smpc/base/digest.h"
#include "smpc/base/secret.h"

namespace smpc::image {

// Volumes first .. last, the last not included.
struct Range {
  std::size_t first = 0;
  std::size_t last = 0;
  bool holds(std::size_t index) const noexcept { return first <= index && index < last; }
};

// Throws bad_input where the selection does not fit the scan.
Range selected_range(const ScanFile& file, const ScanHeader& header, const VolumeSelection& selection);

constexpr std::size_t chunk_voxels = 8192;

// Room for a chunk as stored and as doubles; voxels, so wiped.
struct Chunk {
  SecretBytes raw = SecretBytes(chunk_voxels * sizeof(double));
  SecretVector<double> values = SecretVector<double>(chunk_voxels);
};

// Reads volume `index`, the next one in the file, and checks every voxel. Keeps them where `out` is not empty; adds what
// is stored to `digest` where there is one. Returns how many were NaN and taken as 0.
std::size_t read_volume(ScanFile& file, const NiftiHeader& header, std::size_t index, Chunk& chunk, std::span<double> out,
                        NanVoxels nan, Sha256* digest = nullptr);

}  // namespace smpc::image
