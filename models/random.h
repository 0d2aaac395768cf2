// A generator with a fixed seed, so that everybody makes the same demo. NOT for cryptography: what it draws is public.
// SplitMix64 (Steele, Lea, Flood, Fast splittable pseudorandom number generators, OOPSLA 2014).
// Only + - * / and square roots are used, here and for everything drawn from it: no function of the C library, whose
// last bit may differ between processors.
#pragma once

#include <cstdint>

namespace smpc::demo {

class Random {
 public:
  // Streams and indices that differ give unrelated draws: subject n of stream s is the same whoever draws it.
  Random(std::uint64_t stream, std::uint64_t index) noexcept : state_(0x736d70632d64656dULL) {
    state_ = next() + stream;
    state_ = next() + index;
    state_ = next();
  }

  std::uint64_t next() noexcept {
    std::uint64_t z = (state_ += 0x9e3779b97f4a7c15ULL);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
  }

  float uniform() noexcept { return static_cast<float>(next() >> 40) * 0x1p-24F; }  // [0, 1)
  float uniform(float low, float high) noexcept { return low + (high - low) * uniform(); }
  unsigned below(unsigned n) noexcept { return static_cast<unsigned>(((next() >> 32) * n) >> 32); }
  float sign() noexcept { return (next() >> 63) != 0 ? -1.0F : 1.0F; }

  // Mean 0, variance 1: the sum of four uniforms (Irwin-Hall), enough for noise that a blur averages.
  float rough_normal() noexcept { return four(next()) * 1.7320508F; }
  // The same of twelve, for single values.
  float normal() noexcept { return four(next()) + four(next()) + four(next()); }

 private:
  // Four 16-bit uniforms, less their mean: variance 1/3.
  static float four(std::uint64_t bits) noexcept {
    const std::uint64_t sum = (bits & 0xffff) + ((bits >> 16) & 0xffff) + ((bits >> 32) & 0xffff) + (bits >> 48);
    return (static_cast<float>(sum) - 131070.0F) * 0x1p-16F;
  }

  std::uint64_t state_;
};

}  // namespace smpc::demo
