// Whether 65,536 elements of one field look uniform.
#pragma once

#include <gtest/gtest.h>

#include <array>
#include <bit>
#include <string>

#include "smpc/base/bytes.h"
#include "smpc/ring/ring.h"

namespace smpc::testing {

inline constexpr Ring byte_ring{8};  // an element is a byte
inline constexpr std::size_t count = 1 << 16;
inline constexpr std::size_t field_bytes = count / 8;

inline std::size_t ones(ByteView bytes) {
  std::size_t sum = 0;
  for (const std::byte b : bytes) sum += static_cast<std::size_t>(std::popcount(std::to_integer<unsigned>(b)));
  return sum;
}

// 65,536 fair bits have 32,768 ones, give or take 128: nine times that never happens.
inline void expect_fair(ByteView field, const std::string& what) {
  EXPECT_NEAR(static_cast<double>(ones(field)), count / 2.0, 9 * 128.0) << what;
}

// 256 cells of 256 each, give or take 16.
inline void expect_even(ByteView values, const std::string& what) {
  std::array<std::size_t, 256> cells{};
  for (const std::byte b : values) ++cells.at(std::to_integer<std::size_t>(b));
  for (const std::size_t c : cells) EXPECT_NEAR(static_cast<double>(c), 256.0, 9 * 16.0) << what;
}

}  // namespace smpc::testing
