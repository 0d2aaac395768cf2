// One process at a time on a state folder: an advisory lock that goes with the process, or with the object.
#pragma once

#include <chrono>
#include <filesystem>

namespace smpc {

class StateLock {
 public:
  // Waits up to `patience` for the lock, then refuses, saying who holds the folder (`what`, e.g. "smpc-dealer").
  StateLock(const std::filesystem::path& folder, const char* what, std::chrono::milliseconds patience);
  ~StateLock();
  StateLock(const StateLock&) = delete;
  StateLock& operator=(const StateLock&) = delete;

  // Leaves the folder to others; takes it again, as the constructor does, unless it is held.
  void release() noexcept;
  void acquire(std::chrono::milliseconds patience);

 private:
  std::filesystem::path folder_;
  const char* what_;
  int fd_ = -1;
};

}  // namespace smpc
