// Voxels in the log, with ranges known to fmt.
// expect: Cannot format an argument
#include "log.h"

void say(const smpc::SecretVector<double>& voxels) {
#ifdef MISUSE
  spdlog::info("read {}", voxels);
#else
  spdlog::info("read {}", voxels.size());
#endif
}
