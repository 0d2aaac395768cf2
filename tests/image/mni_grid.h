// The grid of the demonstration's model.
#pragma once

#include "smpc/base/grid.h"

namespace smpc {

// 45 x 54 x 45 voxels of 4 mm in MNI space, from right to left as they are published.
inline Grid mni() {
  Grid g;
  g.shape = {45, 54, 45};
  g.affine = {-4, 0, 0, 90, 0, 4, 0, -126, 0, 0, 4, -72, 0, 0, 0, 1};
  return g;
}

}  // namespace smpc
