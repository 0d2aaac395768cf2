#include "smpc/ring/ring.h"

#include <gtest/gtest.h>

#include <limits>
#include <random>

#include "smpc/base/wide.h"

namespace smpc {
namespace {

TEST(Ring, SignedValuesAreKeptAtEveryWidth) {
  std::mt19937_64 rng(1);
  for (unsigned l = 1; l <= 64; ++l) {
    const Ring ring{l};
    const i128 half = i128{1} << (l - 1);
    const auto low = static_cast<std::int64_t>(-half);
    const auto high = static_cast<std::int64_t>(half - 1);
    for (const std::int64_t x : {low, high, std::int64_t{0}, std::int64_t{-1}}) {
      EXPECT_EQ(ring.to_signed(ring.from_signed(x)), x) << l;
      EXPECT_LE(ring.from_signed(x), ring.mask()) << l;
      EXPECT_EQ(ring.msb(ring.from_signed(x)), x < 0 ? 1U : 0U) << l;
    }
    for (int i = 0; i < 200; ++i) {
      const std::uint64_t word = rng();
      const std::int64_t x = ring.to_signed(ring.reduce(word));
      EXPECT_LE(low, x);
      EXPECT_LE(x, high);
      EXPECT_EQ(ring.from_signed(x), ring.reduce(word)) << l;
    }
  }
}

TEST(Ring, EveryElementOfASmallRingHasItsOwnSignedValue) {
  for (unsigned l = 1; l <= 10; ++l) {
    const Ring ring{l};
    for (std::uint64_t x = 0; x <= ring.mask(); ++x) {
      const auto expected = static_cast<std::int64_t>(x) - (x >> (l - 1) == 1 ? std::int64_t{1} << l : 0);
      ASSERT_EQ(ring.to_signed(x), expected) << l;
    }
  }
}

TEST(Ring, ReducesAll) {
  for (unsigned l = 1; l <= 64; ++l) {
    RingVector v{~std::uint64_t{0}, 0, std::uint64_t{1} << 63, 5};
    const RingVector whole = v;
    reduce_all(Ring{l}, v);
    for (std::size_t i = 0; i < v.size(); ++i) {
      EXPECT_EQ(v[i], l == 64 ? whole[i] : whole[i] % (std::uint64_t{1} << l)) << l;
    }
  }
}

TEST(BitsFor, IsTheSmallestWidthThatHolds) {
  constexpr auto least = std::numeric_limits<std::int64_t>::min();
  constexpr auto most = std::numeric_limits<std::int64_t>::max();
  const auto holds = [](unsigned l, std::int64_t low, std::int64_t high) {
    const i128 half = i128{1} << (l - 1);
    return -half <= low && high < half;
  };
  std::vector<std::pair<std::int64_t, std::int64_t>> cases = {{0, 0},  {-1, 0},     {0, 1},      {-2, 1},     {-1, 1},
                                                              {-3, 0}, {least, 0},  {0, most},   {least, most}};
  for (unsigned b = 0; b < 63; ++b) {
    const std::int64_t p = std::int64_t{1} << b;
    cases.insert(cases.end(), {{0, p}, {0, p - 1}, {-p, 0}, {-p - 1, 0}, {-p, p - 1}, {-p, p}});
  }
  for (const auto& [low, high] : cases) {
    const unsigned l = bits_for(low, high);
    ASSERT_GE(l, 1U);
    ASSERT_LE(l, 64U);
    EXPECT_TRUE(holds(l, low, high)) << low << " to " << high;
    EXPECT_TRUE(l == 1 || !holds(l - 1, low, high)) << low << " to " << high << " fits less than " << l << " bits";
  }
}

}  // namespace
}  // namespace smpc
