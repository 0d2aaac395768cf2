// For what runs under valgrind. As it is loaded libhwy measures how fine its clock is, with an instruction (rdtscp) that valgrind
// refuses where the processor does not announce it, as some virtual ones do not. Nothing here reads that clock; the linker takes
// this answer before the library's own.
#include <hwy/nanobenchmark.h>

#include <cstdint>

namespace hwy::platform {

std::uint64_t TimerResolution() { return 1; }

}  // namespace hwy::platform
