#include "process.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <iostream>

#include "smpc/base/error.h"
#include "smpc/base/file_error.h"

namespace smpc::tools {
namespace {

[[noreturn]] void fail_output(int error) {
  std::string found;
  switch (error) {
    case 0: found = "an earlier write that failed: give it another place"; break;
    case EBADF: found = "it closed: open it, or give /dev/null to drop what is printed"; break;
    case EPIPE: found = "that its reader has gone (Broken pipe): let the reader take everything"; break;
    default: found = file_problem("standard output", error);
  }
  fail_input("standard output: cannot write, found " + found);
}

// With the access that is of no use, so that using it fails.
void fill(int stream, int access) {
  if (::fcntl(stream, F_GETFD) != -1 || errno != EBADF) return;
  const int fd = ::open("/dev/null", access);  // the lowest that is free
  if (fd >= 0 && fd != stream) {
    ::dup2(fd, stream);
    ::close(fd);
  }
}

}  // namespace

void close_memory() {
#ifndef SMPC_SANITIZED
  const rlimit none{0, 0};
  ::setrlimit(RLIMIT_CORE, &none);
  ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
#endif
}

void open_streams() {
  fill(STDIN_FILENO, O_WRONLY);
  fill(STDOUT_FILENO, O_RDONLY);
  fill(STDERR_FILENO, O_RDONLY);
  std::signal(SIGPIPE, SIG_IGN);
  const int access = ::fcntl(STDOUT_FILENO, F_GETFL);
  if (access < 0 || (access & O_ACCMODE) == O_RDONLY) fail_output(EBADF);
  pollfd reader{STDOUT_FILENO, POLLOUT, 0};
  if (::poll(&reader, 1, 0) > 0 && (reader.revents & POLLERR) != 0) fail_output(EPIPE);
  struct stat found {};  // of what a write of nothing does, only a device is sure
  const bool device = ::fstat(STDOUT_FILENO, &found) == 0 && S_ISCHR(found.st_mode) && ::isatty(STDOUT_FILENO) == 0;
  if (device && ::write(STDOUT_FILENO, "", 0) < 0) fail_output(errno);
}

void finish_output() {
  std::cout.flush();
  errno = 0;
  if (std::fflush(stdout) != 0) fail_output(errno);
  if (std::ferror(stdout) != 0 || !std::cout) {  // why is forgotten by now, and what was printed is cut already: once more
    std::fputc('\n', stdout);
    fail_output(std::fflush(stdout) != 0 ? errno : 0);
  }
  // A network drive tells of a full disk when a file is closed.
  const int last = ::dup(STDOUT_FILENO);
  if (last >= 0 && ::close(last) != 0) fail_output(errno);
}

}  // namespace smpc::tools
