#include "smpc/base/error.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "smpc/base/text.h"

namespace smpc {
namespace {

// An error is one line that shows no more than text, whatever a file or a peer put into it.
std::string one_line(std::string text) {
  std::replace_if(text.begin(), text.end(), [](char c) { return c == '\n' || c == '\r' || c == '\t'; }, ' ');
  return printable(text);
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
