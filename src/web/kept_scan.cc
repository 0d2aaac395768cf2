#include "kept_scan.h"

#include <array>
#include <cmath>
#include <nlohmann/json.hpp>

#include "smpc/base/error.h"
#include "smpc/image/volume_reader.h"

namespace smpc::web {
namespace {

using nlohmann::json;

std::array<double, 3> column(const Grid& grid, std::size_t axis) {
  return {grid.affine[axis], grid.affine[4 + axis], grid.affine[8 + axis]};
}

json voxel_size(const Grid& grid) {
  json out = json::array();
  for (std::size_t axis = 0; axis < 3; ++axis) {
    const auto c = column(grid, axis);
    out.push_back(std::hypot(c[0], c[1], c[2]));
  }
  return out;
}

// Where i, j and k point, by the first letter of the side that they run to.
std::string orientation(const Grid& grid) {
  std::string out;
  for (std::size_t axis = 0; axis < 3; ++axis) {
    const auto c = column(grid, axis);
    std::size_t row = 0;
    for (const std::size_t other : {1, 2}) {
      if (std::abs(c[other]) > std::abs(c[row])) row = other;
    }
    out += c[row] >= 0 ? "RAS"[row] : "LPI"[row];
  }
  return out;
}

json check(const ScanHeader& header, const Grid& expected, const std::string& name) {
  try {
    check_grid(header, expected, name);
    return {{"verdict", "same"}, {"words", "on the model's grid"}};
  } catch (const Error& e) {
    return {{"verdict", "other"}, {"words", e.what()}};
  }
}

}  // namespace

json to_json(const Grid& grid) { return {{"shape", grid.shape}, {"affine", grid.affine}}; }

KeptScan::KeptScan(std::uint64_t number, std::string name, std::unique_ptr<Upload> file)
    : number_(number), name_(std::move(name)), file_(std::move(file)) {
  const VolumeSelection all{true, {}};
  header_ = VolumeReader(file_->path(), all, name_).header();
}

json KeptScan::description(const std::optional<Grid>& grid) const {
  return {{"scan", id()},
          {"name", name_},
          {"shape", header_.grid.shape},
          {"volumes", header_.volumes},
          {"datatype", header_.datatype},
          {"voxel_size", voxel_size(header_.grid)},
          {"orientation", orientation(header_.grid)},
          {"grid", to_json(header_.grid)},
          {"check", grid ? check(header_, *grid, name_) : json()}};
}

}  // namespace smpc::web
