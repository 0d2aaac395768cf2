// Grids in words: for a page, a report, an error.
#pragma once

#include <array>
#include <string>

#include "smpc/image/scan.h"

namespace smpc {

// In millimetres, along i, j, k.
std::array<double, 3> voxel_size(const Grid& grid);

// The sides that i, j and k run to: "RAS" runs to the right, to the front and to the top. Each axis gets the letter
// of another one of left-right, back-front and bottom-top, however oblique the grid is.
std::string orientation_letters(const Grid& grid);

// "45 x 54 x 45 voxels of 4 x 4 x 4 mm"
std::string grid_words(const Grid& grid);

// How a scan's grid differs from the model's, and by how much: other dimensions, other axes, flipped left-right,
// rotated, sheared, shifted, another voxel size; or only the same voxels in another order. "" where check_grid accepts
// it. To be read after "its grid is" or alone.
std::string grid_difference_words(const Grid& found, const Grid& expected);

// What a person must know who has only a match of grids to rely on; "" where there is nothing. Where the header says scanner
// or Talairach coordinates (and not MNI, or nothing against it: a template, aligned): that the result holds only if the scan
// was normalised to MNI space. Where its qform and sform differ: that the sform was taken, and others may take the qform.
std::string header_caution(const ScanHeader& header);

}  // namespace smpc
