// The background's voxels.
#pragma once

#include <vector>

#include "smpc/base/grid.h"

namespace smpc::report {

struct Background {
  std::vector<double> voxels;  // as load_scan gives them
  Grid grid;
};

Background load_background();

// Half of what a voxel at the brain's edge has.
constexpr double brain_edge = 2500;

}  // namespace smpc::report
