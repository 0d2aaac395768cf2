#include "open_beneath.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include "smpc/base/fd.h"

namespace smpc {

int open_beneath(const std::filesystem::path& folder, const std::filesystem::path& below) {
  constexpr int flags = O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
  const Fd root(::open(folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (root.get() < 0) return -1;
  open_how how{};
  how.flags = flags;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
  long found = -1;
  constexpr int most_tries = 100;  // EAGAIN: something was renamed meanwhile
  for (int i = 0; i < most_tries; ++i) {
    found = ::syscall(SYS_openat2, root.get(), below.c_str(), &how, sizeof(how));
    if (found >= 0 || (errno != EAGAIN && errno != EINTR)) break;
  }
  if (found < 0 && (errno == ENOSYS || errno == EPERM)) return ::openat(root.get(), below.c_str(), flags);  // EPERM: a sandbox that does not know it
  return static_cast<int>(found);
}

}  // namespace smpc
