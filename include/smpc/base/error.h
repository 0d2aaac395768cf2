// Two kinds of failure, told apart everywhere (after onnx-mlir's docs/ErrorHandling.md):
//  - the world's: a bad file, a bad peer, an empty pool. Thrown as smpc::Error, one line, with the exit code it means.
//  - ours: a broken invariant. SMPC_CHECK stops the process; nothing catches it.
#pragma once

#include <stdexcept>
#include <string>

namespace smpc {

// The value is the exit code of a command that ends with it.
enum class ErrorKind : int {
  usage = 2,       // the command line
  bad_input = 3,   // a file or a value in it
  peer = 4,        // the network, or what a peer said
  no_bundles = 5,  // no correlated randomness to be had
};

// An error a person can act on: one line that names what was expected, what was found and, where there is something
// to be done, what to do. Never holds a secret.
class Error : public std::runtime_error {
 public:
  Error(ErrorKind kind, const std::string& message);
  ErrorKind kind() const noexcept { return kind_; }
  int exit_code() const noexcept { return static_cast<int>(kind_); }

 private:
  ErrorKind kind_;
};

[[noreturn]] void fail_usage(const std::string& message);
[[noreturn]] void fail_input(const std::string& message);
[[noreturn]] void fail_peer(const std::string& message);

namespace detail {
[[noreturn]] void check_failed(const char* what, const char* file, int line) noexcept;
}

}  // namespace smpc

// An invariant of our own. On in every build; prints the condition, never a value, and aborts.
#define SMPC_CHECK(condition)                                            \
  do {                                                                   \
    if (!(condition)) [[unlikely]]                                       \
      ::smpc::detail::check_failed(#condition, __FILE__, __LINE__);      \
  } while (false)
