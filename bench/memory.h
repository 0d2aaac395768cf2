// What a process holds in memory, as the kernel counts it (/proc/PID/status).
#pragma once

#include <cstdint>

namespace smpc::bench {

// Bytes. `file` is what is mapped from files and can be read again from there; `anon` is the process's own.
struct Resident {
  std::uint64_t total = 0;
  std::uint64_t anon = 0;
  std::uint64_t file = 0;
  std::uint64_t peak = 0;  // of total, since the start or reset_peak
};

Resident resident(int pid);  // zeros where there is no such process any more
void reset_peak(int pid);    // makes the peak count from now

// The largest that a process was seen to be; give it to RunOptions::watch by std::ref.
class MemoryWatch {
 public:
  void operator()(int pid);
  const Resident& largest() const noexcept { return largest_; }

 private:
  Resident largest_;
};

}  // namespace smpc::bench
