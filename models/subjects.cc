#include "subjects.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "smpc/base/error.h"

namespace smpc::demo {
namespace {

constexpr float lowest_peak = 7;
constexpr float highest_peak = 18;

Point position_of(std::uint32_t voxel) noexcept { return position(voxel / (ny * nz), voxel / nz % ny, voxel % nz); }

}  // namespace

SubjectMaker::SubjectMaker(std::vector<Network> table) : table_(std::move(table)), brain_(brain_voxels()) {
  SMPC_CHECK(table_.size() == class_count);
  constexpr float depth = 2 * voxel_mm;
  constexpr std::array<Point, 6> ways{{{1, 0, 0}, {-1, 0, 0}, {0, 1, 0}, {0, -1, 0}, {0, 0, 1}, {0, 0, -1}}};
  for (const std::uint32_t voxel : brain_) {
    const Point p = position_of(voxel);
    const bool rim = std::any_of(ways.begin(), ways.end(), [&](Point way) {
      return !inside_brain({p.x + depth * way.x, p.y + depth * way.y, p.z + depth * way.z});
    });
    if (rim) rim_.push_back(voxel);
  }
}

unsigned SubjectMaker::any_network(Random& random) const {
  for (;;) {
    const unsigned index = random.below(class_count);
    if (index != unknown_class && index != noise_class) return index;
  }
}

void SubjectMaker::add_network(unsigned index, float height, Random& random, std::span<float> volume) const {
  // A person's brain as a whole does not sit quite where the template's does, and each region moves a little more.
  const Point shift{1.5F * random.normal(), 1.5F * random.normal(), 1.5F * random.normal()};
  for (const Blob& blob : table_[index].blobs) {
    const Point centre{blob.x + shift.x + 2 * random.normal(), blob.y + shift.y + 2 * random.normal(),
                       blob.z + shift.z + 2 * random.normal()};
    const float radius = blob.radius * random.uniform(0.85F, 1.2F);
    const float weight = blob.weight * random.uniform(0.75F, 1.0F);
    add_blob(volume, centre, radius, height * weight);
  }
}

void SubjectMaker::add_mixture(Random& random, std::span<float> volume) const {
  const unsigned parts = 3 + random.below(3);
  const float height = random.uniform(0.6F, 1.0F);
  std::array<unsigned, 5> taken{};
  for (unsigned n = 0; n < parts;) {
    const unsigned index = any_network(random);
    if (std::find(taken.begin(), taken.begin() + n, index) != taken.begin() + n) continue;
    add_network(index, height * random.uniform(0.75F, 1.0F), random, volume);
    taken[n++] = index;
  }
}

void SubjectMaker::add_rim(Random& random, std::span<float> volume) const {
  // Head motion: one side of the head brighter than the other.
  Point way{random.normal(), random.normal(), random.normal()};
  const float length = std::sqrt(way.x * way.x + way.y * way.y + way.z * way.z) + 1e-6F;
  const float even = random.uniform(0.0F, 0.6F);
  for (const std::uint32_t voxel : rim_) {
    const Point p = position_of(voxel);
    const float along = (p.x * way.x / 70 + (p.y + 18) * way.y / 88 + (p.z - 6) * way.z / 71) / length;
    volume[voxel] += std::max(0.0F, along + even);
  }
}

void SubjectMaker::add_slices(Random& random, std::span<const float> noise, std::span<float> volume) const {
  const unsigned slices = 1 + random.below(3);
  for (unsigned n = 0; n < slices; ++n) {
    const std::size_t slice = 8 + random.below(28);
    const float height = random.sign() * random.uniform(0.6F, 1.0F);
    for (const std::uint32_t voxel : brain_) {
      if (voxel % nz == slice) volume[voxel] += height * (0.7F + 0.3F * noise[voxel_count - 1 - voxel]);
    }
  }
}

void SubjectMaker::add_speckles(Random& random, std::span<float> volume) const {
  const unsigned spots = 12 + random.below(20);
  for (unsigned n = 0; n < spots; ++n) {
    const Point p = position_of(brain_[random.below(static_cast<unsigned>(brain_.size()))]);
    add_blob(volume, p, random.uniform(3.0F, 5.0F), random.sign() * random.uniform(0.5F, 1.0F));
  }
}

void SubjectMaker::add_artefact(Random& random, std::span<const float> noise, std::span<float> volume) const {
  switch (random.below(4)) {
    case 0:
      return add_rim(random, volume);
    case 1:
      return add_network(noise_class, 1, random, volume);  // the ventricles
    case 2:
      return add_slices(random, noise, volume);
    default:
      return add_speckles(random, volume);
  }
}

void SubjectMaker::draw(unsigned index, Random& random, Scratch& scratch, std::span<float> volume) const {
  SMPC_CHECK(index < class_count && volume.size() == voxel_count);
  scratch.noise.resize(voxel_count);
  smooth_noise(scratch.noise, random, scratch.blur);
  std::fill(volume.begin(), volume.end(), 0.0F);
  if (index == unknown_class) {
    add_mixture(random, volume);
  } else if (index == noise_class) {
    add_artefact(random, scratch.noise, volume);
  } else {
    add_network(index, 1, random, volume);
    // Unmixing is never perfect: a trace of one or two others.
    const unsigned traces = random.below(3);
    for (unsigned n = 0; n < traces; ++n) {
      add_network(any_network(random), random.uniform(0.05F, 0.2F), random, volume);
    }
  }
  const float peak = random.uniform(lowest_peak, highest_peak);
  const float noise_sd = random.uniform(0.5F, 1.0F);
  const float rough = random.uniform(0.1F, 0.3F);
  std::size_t at = 0;
  for (const std::uint32_t voxel : brain_) {
    std::fill(volume.begin() + static_cast<std::ptrdiff_t>(at), volume.begin() + voxel, 0.0F);
    at = voxel + 1;
    // The noise read backwards is as good as a second field.
    const float texture = 1 + rough * scratch.noise[voxel_count - 1 - voxel];
    const float value = peak * volume[voxel] * texture + noise_sd * scratch.noise[voxel];
    volume[voxel] = std::clamp(value, -input_range, input_range);
  }
  std::fill(volume.begin() + static_cast<std::ptrdiff_t>(at), volume.end(), 0.0F);
}

}  // namespace smpc::demo
