#include "smpc/base/error.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

namespace smpc {
namespace {

// An error is one line whatever a file or a peer put into it: control characters become spaces.
std::string one_line(std::string text) {
  std::replace_if(text.begin(), text.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; }, ' ');
  return text;
}

}  // namespace

Error::Error(ErrorKind kind, const std::string& message) : std::runtime_error(one_line(message)), kind_(kind) {}

void fail_usage(const std::string& message) { throw Error(ErrorKind::usage, message); }
void fail_input(const std::string& message) { throw Error(ErrorKind::bad_input, message); }
void fail_peer(const std::string& message) { throw Error(ErrorKind::peer, message); }

namespace detail {
void check_failed(const char* what, const char* file, int line) noexcept {
  std::fprintf(stderr, "internal error: %s (%s:%d)\n", what, file, line);
  std::abort();
}
}  // namespace detail

}  // namespace smpc
