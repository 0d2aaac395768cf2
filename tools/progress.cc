#include "progress.h"

#include <unistd.h>

#include <cstdio>
#include <string>

namespace smpc::tools {

Progress::Progress() : terminal_(::isatty(STDERR_FILENO) != 0) {}

Progress::~Progress() {
  if (drawn_) std::fputs("\r\033[K", stderr);
}

void Progress::operator()(const ClientProgress& now) {
  if (!terminal_) return;
  drawn_ = true;
  const std::string phase(description(now.phase));
  if (now.whole > 0) {
    std::fprintf(stderr, "\r\033[K%s %3llu %%", phase.c_str(), static_cast<unsigned long long>(100 * now.done / now.whole));
  } else {
    std::fprintf(stderr, "\r\033[K%s", phase.c_str());
  }
  std::fflush(stderr);
}

}  // namespace smpc::tools
