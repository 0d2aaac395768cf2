#include "support/heap.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdlib>
#include <new>

namespace {

// Of one thread. Threads come and go, and what they allocated stays: so counters are never given back.
struct Counter {
  std::atomic<long long> held = 0;
  std::atomic<long long> most = 0;
};

std::array<Counter, 256> counters;
std::atomic<std::size_t> used = 0;
thread_local Counter* mine = nullptr;

Counter& my_counter() noexcept {
  if (mine == nullptr) mine = &counters.at(std::min(used.fetch_add(1), counters.size() - 1));
  return *mine;
}

// Stands before every allocation.
struct alignas(std::max_align_t) Header {
  Counter* owner;
  long long size;
};

void* allocate(std::size_t size) {
  auto* header = static_cast<Header*>(std::malloc(size + sizeof(Header)));
  if (header == nullptr) throw std::bad_alloc();
  Counter& c = my_counter();
  *header = {&c, static_cast<long long>(size)};
  const long long held = c.held += header->size;
  if (held > c.most) c.most = held;  // of its own thread alone
  return header + 1;
}

void release(void* p) noexcept {
  if (p == nullptr) return;
  auto* header = static_cast<Header*>(p) - 1;
  header->owner->held -= header->size;
  std::free(header);
}

}  // namespace

void* operator new(std::size_t size) { return allocate(size); }
void operator delete(void* p) noexcept { release(p); }
void operator delete(void* p, std::size_t) noexcept { release(p); }

namespace smpc::testing {

HeapWatch::HeapWatch() noexcept : start_(my_counter().held) { my_counter().most = start_; }
std::size_t HeapWatch::peak() const noexcept { return static_cast<std::size_t>(my_counter().most - start_); }

}  // namespace smpc::testing
