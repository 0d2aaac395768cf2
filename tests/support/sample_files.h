// Models and scans of any size: random weights, random volumes.
#pragma once

#include <array>
#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

namespace smpc::testing {

using Shape = std::array<std::size_t, 3>;

// An ONNX file: Flatten, then Gemms with ReLUs between. `layers`: outputs of each Gemm. Its grid has voxels of 4 mm. `end`: ops after
// the last Gemm, in a row.
void write_random_mlp(const std::filesystem::path& path, Shape image, const std::vector<std::size_t>& layers,
                      const std::vector<std::string>& end = {});

// An ONNX file: a 3-D convolution with BatchNormalization, ReLU and MaxPool, a residual block, an average over all voxels and a
// Gemm to `classes`. Its grid has voxels of 4 mm.
void write_random_cnn(const std::filesystem::path& path, Shape image, std::size_t classes);

// A NIfTI file, int16 with a slope, on the same grid. `volumes`: each as the model reads it, k fastest; they are
// repeated to make `count`, each time scaled by a little noise (what is zero stays zero).
void write_scan(const std::filesystem::path& path, Shape image, const std::vector<std::vector<float>>& volumes,
                std::size_t count);

std::vector<float> random_volume(Shape image);  // in [-1, 1]

}  // namespace smpc::testing
