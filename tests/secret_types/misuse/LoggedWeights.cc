// Quantised weights in the log.
// expect: Cannot format an argument
#include "log.h"
#include "smpc/program/weights.h"

void say(const smpc::LinearWeights& layer) {
#ifdef MISUSE
  spdlog::info("bias {}", layer.bias);
#else
  spdlog::info("{} outputs", layer.bias.size());
#endif
}
