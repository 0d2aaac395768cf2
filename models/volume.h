// Volumes on the demo's grid: 45 x 54 x 45 voxels of 4 mm in MNI space, held as the model sees them: voxel (i, j, k)
// at (i * 54 + j) * 45 + k, k fastest. (NIfTI files have i fastest.)
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "random.h"
#include "smpc/base/grid.h"

namespace smpc::demo {

constexpr std::size_t nx = 45;
constexpr std::size_t ny = 54;
constexpr std::size_t nz = 45;
constexpr std::size_t voxel_count = nx * ny * nz;
constexpr float voxel_mm = 4;
constexpr float input_range = 32;  // what the model declares: every voxel lies in [-32, 32]
constexpr float input_rms = 1;     // and that a volume's root mean square is about this: most have 0.35 to 0.65

constexpr std::size_t voxel_index(std::size_t i, std::size_t j, std::size_t k) noexcept {
  return (i * ny + j) * nz + k;
}

struct Point {
  float x = 0, y = 0, z = 0;  // MNI millimetres
};

// Where a voxel's centre lies. i grows to the left.
constexpr Point position(std::size_t i, std::size_t j, std::size_t k) noexcept {
  return {90 - voxel_mm * static_cast<float>(i), voxel_mm * static_cast<float>(j) - 126,
          voxel_mm * static_cast<float>(k) - 72};
}

Grid demo_grid();

// A simple brain: an ellipsoid less what lies below its base, a cerebellum and a brainstem.
bool inside_brain(Point at) noexcept;

// The indices of the voxels inside, ascending.
std::vector<std::uint32_t> brain_voxels();

// exp(x) for -80 <= x <= 80, to a few units in the last place, the same on every processor.
float plain_exp(float x) noexcept;

// Adds height * 2^-(d / radius)^2, d being the distance to the centre; what falls off the grid is left out.
void add_blob(std::span<float> volume, Point centre, float radius, float height);

// Blurs by a Gaussian of sd 1.2 voxels (11 mm full width at half maximum), cut at 3 voxels, along each axis in turn;
// zeros lie beyond the grid. The taps sum to 1.
void blur(std::span<float> volume, std::vector<float>& scratch);

// Noise correlated in space: white, blurred, scaled to variance 1 away from the grid's border.
void smooth_noise(std::span<float> volume, Random& random, std::vector<float>& scratch);

}  // namespace smpc::demo
