// The most memory that a process has held since it began: its high-water mark, from the kernel.
#pragma once

#include <gtest/gtest.h>

#include <fstream>
#include <string>

#include "support/sanitized.h"

namespace smpc::testing {

inline long peak_memory_kb(const std::string& pid = "self") {
  std::ifstream status("/proc/" + pid + "/status");
  for (std::string line; std::getline(status, line);) {
    if (line.rfind("VmHWM:", 0) == 0) return std::stol(line.substr(6));
  }
  return -1;
}

// Of this process, in which both sides of a test run. Sanitizers take several times as much.
inline void expect_little_memory() {
  constexpr long cap_kb = sanitized ? 6'000'000 : 300'000;
  const long peak = peak_memory_kb();
  EXPECT_GT(peak, 0);
  EXPECT_LT(peak, cap_kb);
}

}  // namespace smpc::testing
