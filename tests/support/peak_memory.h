// The most memory that a process has held since it began: its high-water mark, from the kernel.
#pragma once

#include <gtest/gtest.h>

#include <fstream>
#include <string>

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
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  constexpr long cap_kb = 6'000'000;
#else
  constexpr long cap_kb = 300'000;
#endif
  const long peak = peak_memory_kb();
  EXPECT_GT(peak, 0);
  EXPECT_LT(peak, cap_kb);
}

}  // namespace smpc::testing
