// In a file of its own: where GCC inlines one of an operator new and delete, it warns that they do not match.
#include "secret_types/freed_memory.h"

#include <malloc.h>

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <new>

namespace {

std::atomic<std::uint64_t> wanted = 0;
std::atomic<std::size_t> found = 0;

void look_into(const void* block) noexcept {
  const std::uint64_t pattern = wanted.load(std::memory_order_relaxed);
  if (block == nullptr || pattern == 0) return;
  const std::size_t size = ::malloc_usable_size(const_cast<void*>(block));
  const auto* bytes = static_cast<const unsigned char*>(block);
  for (std::size_t at = 0; at + sizeof pattern <= size; at += 4) {
    std::uint64_t value = 0;
    std::memcpy(&value, bytes + at, sizeof value);
    if (value == pattern) {
      ++found;
      return;
    }
  }
}

}  // namespace

namespace smpc::test {

void search_freed_memory(std::uint64_t pattern) {
  found = 0;
  wanted = pattern;
}

std::size_t blocks_found() { return found; }

}  // namespace smpc::test

// Zeroed, so that nothing is found that an earlier owner left there.
void* operator new(std::size_t size) {
  void* block = std::malloc(size);
  if (block == nullptr) throw std::bad_alloc();
  std::memset(block, 0, ::malloc_usable_size(block));
  return block;
}
void operator delete(void* block) noexcept {
  look_into(block);
  std::free(block);
}
void operator delete(void* block, std::size_t) noexcept { ::operator delete(block); }
