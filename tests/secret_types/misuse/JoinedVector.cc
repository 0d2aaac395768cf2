// Shares written one after the other.
// expect: deleted function.*join
#include "log.h"
#include "smpc/ring/ring.h"

std::string say(const smpc::RingVector& share) {
#ifdef MISUSE
  return fmt::format("{}", fmt::join(share, ", "));
#else
  return fmt::format("{}", share.size());
#endif
}
