// Arrays from numpy's files: .npy, versions 1 to 3, of booleans, integers and floating-point numbers of 1 to 8 bytes, either
// byte order, C or Fortran order. Source: numpy/lib/format.py, "Format Version 1.0" and after.
//
// Everything else is refused in one line (bad_input): other types, headers that say more or less than descr, fortran_order
// and shape, data that is longer or shorter than the shape says. No message holds a value.
#pragma once

#include <filesystem>

#include "smpc/base/array.h"

namespace smpc {

constexpr std::size_t most_array_elements = std::size_t{1} << 28;

// Row-major, whatever the file's order.
Array load_npy(const std::filesystem::path& path);

// Whether a file begins as numpy's do.
bool is_npy(const std::filesystem::path& path);

}  // namespace smpc
