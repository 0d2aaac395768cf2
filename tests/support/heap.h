// How much of the heap a thread holds. Whoever links heap.cc has operator new and delete replaced: they count.
#pragma once

#include <cstddef>

namespace smpc::testing {

// From its construction on, what the thread that constructs it has allocated and nobody has freed.
class HeapWatch {
 public:
  HeapWatch() noexcept;
  std::size_t peak() const noexcept;  // bytes, above what was held when the watch began

 private:
  long long start_;
};

}  // namespace smpc::testing
