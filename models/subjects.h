// Synthetic subjects: maps that look like the z-maps of group or single-subject independent component analysis, at
// the scale of published ones (peaks 5 to 23, background sd 0.6 to 1), and that are nobody's.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "networks.h"
#include "volume.h"

namespace smpc::demo {

// Streams of Random: subjects of one are never seen in another.
enum class Draw : std::uint64_t { training = 1, held_out = 2, scan = 3, weights = 4 };

class SubjectMaker {
 public:
  explicit SubjectMaker(std::vector<Network> table);

  // What one thread needs to draw.
  struct Scratch {
    std::vector<float> noise;
    std::vector<float> blur;
  };

  // Writes one subject of class `index`: blobs moved, resized and roughened, over smooth noise, and traces of other
  // networks; zero outside the brain, everything within [-input_range, input_range].
  void draw(unsigned index, Random& random, Scratch& scratch, std::span<float> volume) const;

  const std::vector<Network>& table() const noexcept { return table_; }
  const std::vector<std::uint32_t>& brain() const noexcept { return brain_; }

 private:
  void add_network(unsigned index, float height, Random& random, std::span<float> volume) const;
  void add_mixture(Random& random, std::span<float> volume) const;
  void add_artefact(Random& random, std::span<const float> noise, std::span<float> volume) const;
  void add_rim(Random& random, std::span<float> volume) const;
  void add_slices(Random& random, std::span<const float> noise, std::span<float> volume) const;
  void add_speckles(Random& random, std::span<float> volume) const;
  unsigned any_network(Random& random) const;

  std::vector<Network> table_;
  std::vector<std::uint32_t> brain_;
  std::vector<std::uint32_t> rim_;  // voxels of the brain within two voxels of its surface
};

}  // namespace smpc::demo
