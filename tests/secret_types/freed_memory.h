// Looks into the memory that this binary gives back.
#pragma once

#include <cstddef>
#include <cstdint>

namespace smpc::test {

// From now on every block that is freed is searched for these eight bytes, at every fourth. 0: no longer.
void search_freed_memory(std::uint64_t pattern);
// How many blocks held them since then.
std::size_t blocks_found();

}  // namespace smpc::test
