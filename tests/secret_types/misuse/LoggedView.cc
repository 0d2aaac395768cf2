// What a vector of shares lets be seen of it, in the log.
// expect: Cannot format an argument
#include "log.h"
#include "smpc/ring/bit_vector.h"

void say(const smpc::BitVector& share) {
#ifdef MISUSE
  spdlog::info("share {}", share.words());
#else
  spdlog::info("share of {} bits", share.size());
#endif
}
