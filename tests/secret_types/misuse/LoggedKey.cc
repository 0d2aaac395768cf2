// A key in the log.
// expect: Cannot format an argument
#include "log.h"
#include "smpc/crypto/random.h"

void say(const smpc::Key& key) {
#ifdef MISUSE
  spdlog::info("key {}", key);
#else
  spdlog::info("key of {} bytes", key.reveal().size());
#endif
}
