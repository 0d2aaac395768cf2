#include "smpc/image/volume_reader.h"

#include "nifti_header.h"
#include "scan_file.h"
#include "smpc/base/error.h"
#include "volumes.h"

namespace smpc {

struct VolumeReader::Impl {
  Impl(const std::filesystem::path& path, const VolumeSelection& selection, const std::string& name, std::stop_token to_stop,
       NanVoxels of_nan)
      : stop(std::move(to_stop)), nan(of_nan), file(path, name), header(image::read_nifti_header(file)) {
    const image::Range range = image::selected_range(file, header.scan, selection);
    if (range.last - range.first > most_read_volumes) {
      file.fail("expected at most " + std::to_string(most_read_volumes) + " volumes at once, found " +
                std::to_string(range.last - range.first) + "; choose one with --volume, or cut the file");
    }
    const bool single = range.last - range.first == 1;
    for (std::size_t index = 0; index < header.scan.volumes; ++index) {
      if (!range.holds(index)) {
        read(index, {});
        continue;
      }
      indices.push_back(index);
      if (single) kept.resize(header.scan.grid.voxels());
      Sha256 digest;
      const std::size_t zeroed = read(index, kept, &digest);
      if (nan == NanVoxels::zero) nan_voxels.push_back(zeroed);
      digests.push_back(digest.finish());
    }
    file.expect_end();
    next_stored = header.scan.volumes;
  }

  // The next volume of the file, which is number `index`.
  std::size_t read(std::size_t index, std::span<double> out, Sha256* digest = nullptr) {
    if (stop.stop_requested()) file.fail("its reading was stopped");
    return image::read_volume(file, header, index, chunk, out, nan, digest);
  }

  void rewind() {
    file.rewind();
    const image::NiftiHeader again = image::read_nifti_header(file);  // up to the data
    if (again.scan.volumes != header.scan.volumes || again.data_bytes != header.data_bytes) fail_changed();
    next_stored = 0;
    next_selected = 0;
  }

  SecretVector<double> next() {
    SMPC_CHECK(next_selected < indices.size());
    if (!kept.empty() && next_selected == 0) {
      ++next_selected;
      next_stored = header.scan.volumes;
      return std::move(kept);
    }
    if (next_stored > indices[next_selected]) rewind();  // after the first pass, which has read them all
    while (next_stored < indices[next_selected]) read(next_stored++, {});
    SecretVector<double> out(header.scan.grid.voxels());
    Sha256 digest;
    read(next_stored++, out, &digest);
    if (digest.finish() != digests[next_selected]) fail_changed();
    ++next_selected;
    return out;
  }

  [[noreturn]] void fail_changed() const {
    file.fail("expected the file that was checked, found that it has changed since; run the command again");
  }

  const std::stop_token stop;
  const NanVoxels nan;
  image::ScanFile file;  // stays open: a file that takes its place by a rename is another one
  const image::NiftiHeader header;
  image::Chunk chunk;
  std::vector<std::size_t> indices;
  std::vector<std::size_t> nan_voxels;
  std::vector<Digest> digests;
  SecretVector<double> kept;  // the only volume, until it is given out
  std::size_t next_stored = 0;  // in the file
  std::size_t next_selected = 0;
};

VolumeReader::VolumeReader(const std::filesystem::path& path, const VolumeSelection& selection, const std::string& name,
                           std::stop_token stop, NanVoxels nan)
    : impl_(std::make_unique<Impl>(path, selection, name, std::move(stop), nan)) {}
VolumeReader::~VolumeReader() = default;
const ScanHeader& VolumeReader::header() const noexcept { return impl_->header.scan; }
const std::vector<std::size_t>& VolumeReader::indices() const noexcept { return impl_->indices; }
const std::vector<std::size_t>& VolumeReader::nan_voxels() const noexcept { return impl_->nan_voxels; }
SecretVector<double> VolumeReader::next() { return impl_->next(); }
void VolumeReader::rewind() { impl_->rewind(); }

}  // namespace smpc
