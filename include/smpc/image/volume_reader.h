// The selected volumes of a scan, one at a time, whatever their number: memory for one volume, and a digest for each.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "smpc/image/scan.h"

namespace smpc {

constexpr std::size_t most_read_volumes = std::size_t{1} << 20;

// The file is read twice. The first pass refuses whatever load_scan refuses, in the same words, before a volume is
// given out, and keeps a SHA-256 digest of every volume selected. The second gives the volumes out, each only if it
// still has its digest: what is given out is what was checked, whatever happens to the file meanwhile. A single volume
// is kept from the first pass.
class VolumeReader {
 public:
  // Reads and checks the whole file. More than most_read_volumes are refused. Errors call it `name`; empty: its path.
  // When a stop is requested the next volume is not read, here or later: bad_input.
  VolumeReader(const std::filesystem::path& path, const VolumeSelection& selection, const std::string& name = {},
               std::stop_token stop = {}, NanVoxels nan = NanVoxels::refuse);
  ~VolumeReader();
  VolumeReader(const VolumeReader&) = delete;
  VolumeReader& operator=(const VolumeReader&) = delete;

  const ScanHeader& header() const noexcept;
  const std::vector<std::size_t>& indices() const noexcept;  // of the volumes selected
  // How many voxels were NaN and are taken as 0, in each of them; empty where NaN is refused.
  const std::vector<std::size_t>& nan_voxels() const noexcept;

  // The next of them, as Scan::volumes has it; bad_input when the file has changed since it was checked.
  SecretVector<double> next();
  // next() gives the first one again.
  void rewind();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace smpc
