#include "kept_scan.h"

#include <array>
#include <nlohmann/json.hpp>

#include "smpc/image/grid_map.h"
#include "smpc/image/grid_words.h"
#include "smpc/image/volume_reader.h"

namespace smpc::web {
namespace {

using nlohmann::json;

// How the scan lies, for who is about to ask about it.
json check(const ScanHeader& header, const Grid& expected) {
  const Grid& found = header.grid;
  const GridMatch match = match_grid(found, expected);
  std::string words = match == GridMatch::same ? grid_words(found) : grid_difference_words(found, expected);
  const std::string obstacle = match == GridMatch::other ? resampling_obstacle(found, expected) : "";
  if (!obstacle.empty()) words += "; it cannot be brought onto the model's grid, since " + obstacle + ": normalise the scan to MNI space";
  const std::string caution = header_caution(header);
  if (!caution.empty()) words += "; " + caution;
  constexpr std::array<const char*, 3> verdicts = {"same", "reoriented", "other"};
  return {{"verdict", verdicts[static_cast<std::size_t>(match)]}, {"words", words}};
}

}  // namespace

json to_json(const Grid& grid) { return {{"shape", grid.shape}, {"affine", grid.affine}}; }

KeptScan::KeptScan(std::uint64_t number, std::string name, std::unique_ptr<Upload> file, std::stop_token stop, bool nan_as_zero)
    : number_(number), name_(std::move(name)), file_(std::move(file)) {
  const VolumeSelection all{true, {}};
  header_ = VolumeReader(file_->path(), all, name_, std::move(stop), nan_as_zero ? NanVoxels::zero : NanVoxels::offer).header();
}

json KeptScan::description(const Grid& model) const {
  return {{"scan", id()},
          {"name", name_},
          {"shape", header_.grid.shape},
          {"volumes", header_.volumes},
          {"datatype", header_.datatype},
          {"voxel_size", voxel_size(header_.grid)},
          {"orientation", orientation_letters(header_.grid)},
          {"grid", to_json(header_.grid)},
          {"check", check(header_, model)}};
}

}  // namespace smpc::web
