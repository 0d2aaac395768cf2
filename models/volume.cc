#include "volume.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>

#include "smpc/base/error.h"

namespace smpc::demo {
namespace {

constexpr std::size_t reach = 3;  // taps either side
using Taps = std::array<float, 2 * reach + 1>;

Taps blur_taps() {
  constexpr float sd = 1.2F;
  Taps taps{};
  float sum = 0;
  for (std::size_t t = 0; t < taps.size(); ++t) {
    const float d = static_cast<float>(t) - static_cast<float>(reach);
    taps[t] = plain_exp(-d * d / (2 * sd * sd));
    sum += taps[t];
  }
  for (float& tap : taps) tap /= sum;
  return taps;
}

// out = in blurred along the middle axis of [outer][length][inner].
void blur_axis(const float* in, float* out, std::size_t outer, std::size_t length, std::size_t inner,
               const Taps& taps) {
  std::fill(out, out + outer * length * inner, 0.0F);
  for (std::size_t o = 0; o < outer; ++o) {
    const float* from = in + o * length * inner;
    float* to = out + o * length * inner;
    for (std::size_t t = 0; t < taps.size(); ++t) {
      // out[a] += taps[t] * in[a + t - reach], over the a for which that voxel is there
      const std::size_t first = t < reach ? reach - t : 0;
      const std::size_t last = t > reach ? length - (t - reach) : length;
      const float* source = from + (first + t - reach) * inner;
      float* target = to + first * inner;
      const float tap = taps[t];
      for (std::size_t n = 0; n < (last - first) * inner; ++n) target[n] += tap * source[n];
    }
  }
}

bool in_ellipsoid(Point p, Point centre, Point radii) noexcept {
  const float a = (p.x - centre.x) / radii.x;
  const float b = (p.y - centre.y) / radii.y;
  const float c = (p.z - centre.z) / radii.z;
  return a * a + b * b + c * c < 1;
}

// exp(-rate * d^2) at the voxels of one axis, d their distance to a centre, and where it is worth adding.
struct Profile {
  std::size_t first = 0;
  std::vector<float> value;
};

Profile profile(std::size_t length, float origin, float step, float centre, float radius) {
  constexpr float ln2 = 0.69314718F;
  const float furthest = 2.7F * radius;  // 2^-7.3: below a hundredth
  Profile out;
  for (std::size_t a = 0; a < length; ++a) {
    const float d = origin + step * static_cast<float>(a) - centre;
    if (d > furthest || d < -furthest) continue;
    if (out.value.empty()) out.first = a;
    out.value.push_back(plain_exp(-ln2 * d * d / (radius * radius)));
  }
  return out;
}

}  // namespace

Grid demo_grid() {
  Grid grid;
  grid.shape = {nx, ny, nz};
  grid.affine = {-4, 0, 0, 90, 0, 4, 0, -126, 0, 0, 4, -72, 0, 0, 0, 1};
  return grid;
}

bool inside_brain(Point p) noexcept {
  const float base = p.y > 12 ? -26.0F : -42.0F;  // the temporal lobes reach lower than the frontal ones
  const bool cerebrum = p.z > base && in_ellipsoid(p, {0, -18, 6}, {71, 88, 71});
  const bool cerebellum = in_ellipsoid(p, {0, -64, -34}, {54, 36, 26});
  const bool stem = p.z > -60 && p.z < 0 && p.x * p.x + (p.y + 32) * (p.y + 32) < 14 * 14;
  return cerebrum || cerebellum || stem;
}

std::vector<std::uint32_t> brain_voxels() {
  std::vector<std::uint32_t> inside;
  for (std::size_t i = 0; i < nx; ++i) {
    for (std::size_t j = 0; j < ny; ++j) {
      for (std::size_t k = 0; k < nz; ++k) {
        if (inside_brain(position(i, j, k))) inside.push_back(static_cast<std::uint32_t>(voxel_index(i, j, k)));
      }
    }
  }
  return inside;
}

float plain_exp(float x) noexcept {
  // x = n ln 2 + r, |r| <= ln 2 / 2; Taylor to the seventh power is below float's precision there.
  const float n = std::floor(x * 1.44269504F + 0.5F);
  const float r = (x - n * 0.693359375F) + n * 2.12194440e-4F;
  float sum = 1.0F / 5040;
  for (const float c : {1.0F / 720, 1.0F / 120, 1.0F / 24, 1.0F / 6, 0.5F, 1.0F, 1.0F}) sum = sum * r + c;
  const auto power = std::bit_cast<float>(static_cast<std::uint32_t>(static_cast<std::int32_t>(n) + 127) << 23);
  return sum * power;
}

void add_blob(std::span<float> volume, Point centre, float radius, float height) {
  SMPC_CHECK(volume.size() == voxel_count);
  const Point origin = position(0, 0, 0);
  const Profile x = profile(nx, origin.x, -voxel_mm, centre.x, radius);
  const Profile y = profile(ny, origin.y, voxel_mm, centre.y, radius);
  const Profile z = profile(nz, origin.z, voxel_mm, centre.z, radius);
  for (std::size_t i = 0; i < x.value.size(); ++i) {
    for (std::size_t j = 0; j < y.value.size(); ++j) {
      float* line = volume.data() + voxel_index(x.first + i, y.first + j, z.first);
      const float scale = height * x.value[i] * y.value[j];
      for (std::size_t k = 0; k < z.value.size(); ++k) line[k] += scale * z.value[k];
    }
  }
}

void blur(std::span<float> volume, std::vector<float>& scratch) {
  SMPC_CHECK(volume.size() == voxel_count);
  scratch.resize(voxel_count);
  const Taps taps = blur_taps();
  blur_axis(volume.data(), scratch.data(), 1, nx, ny * nz, taps);
  blur_axis(scratch.data(), volume.data(), nx, ny, nz, taps);
  blur_axis(volume.data(), scratch.data(), nx * ny, nz, 1, taps);
  std::copy(scratch.begin(), scratch.end(), volume.begin());
}

void smooth_noise(std::span<float> volume, Random& random, std::vector<float>& scratch) {
  for (float& v : volume) v = random.rough_normal();
  blur(volume, scratch);
  float squares = 0;
  for (const float tap : blur_taps()) squares += tap * tap;
  const float scale = 1 / (squares * std::sqrt(squares));
  for (float& v : volume) v *= scale;
}

}  // namespace smpc::demo
