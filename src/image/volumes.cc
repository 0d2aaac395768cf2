#include "volumes.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string>

#include "smpc/base/error.h"

namespace smpc::image {
namespace {

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

[[noreturn]] void fail_voxel(const ScanFile& file, const std::string& place, std::size_t index, double stored, NanVoxels nan) {
  const char* remedy = "; replace such voxels, for example by 0, with the tool that made the file";
  if (std::isfinite(stored)) remedy = ", made so by scl_slope and scl_inter; write the file again with a smaller scale";
  if (std::isnan(stored) && nan == NanVoxels::offer) {
    remedy = "; give --nan-as-zero where such voxels are outside the brain, or replace them with the tool that made the file";
  }
  file.fail(std::string("expected finite voxels, found one that is ") + (std::isnan(stored) ? "NaN" : "infinite") + " at " + place +
            " of volume " + std::to_string(index) + remedy);
}

}  // namespace

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
  return {0, std::min(header.volumes, selection.first.value_or(header.volumes))};
}

std::size_t read_volume(ScanFile& file, const NiftiHeader& header, std::size_t index, Chunk& chunk, std::span<double> out,
                        NanVoxels nan, Sha256* digest) {
  std::size_t zeroed = 0;
  const auto voxel_bytes = static_cast<std::size_t>(header.type->bits) / 8;
  Walk walk(header.scan.grid.shape);
  for (std::size_t left = header.scan.grid.voxels(); left > 0;) {
    const std::size_t n = std::min(left, chunk_voxels);
    const auto raw = std::span(chunk.raw).first(n * voxel_bytes);
    const auto values = std::span(chunk.values).first(n);
    file.read(raw, "the data");
    if (digest != nullptr) digest->update(raw);
    header.type->decode(raw, header.swap, values);
    for (const double stored : values) {
      double value = header.scaled ? stored * header.slope + header.inter : stored;
      if (!std::isfinite(value)) {
        if (!std::isnan(stored) || nan != NanVoxels::zero) fail_voxel(file, walk.place(), index, stored, nan);
        value = 0;  // not scaled: it stands for no signal, not for a stored 0
        ++zeroed;
      }
      if (!out.empty()) out[walk.model_index()] = value;
      walk.next();
    }
    left -= n;
  }
  return zeroed;
}

}  // namespace smpc::image
