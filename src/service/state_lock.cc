#include "state_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <thread>

#include "smpc/base/error.h"
#include "smpc/base/file_error.h"
#include "state_folder.h"

namespace smpc {

StateLock::StateLock(const std::filesystem::path& folder, const char* what, std::chrono::milliseconds patience)
    : folder_(folder), what_(what) {
  take_state_folder(folder, std::string(what).substr(std::string_view("smpc-").size()) + ".db");
  const auto path = folder / "lock";
  fd_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd_ < 0) fail_input("the state folder " + folder.string() + ": cannot be used, found " + file_problem(path, errno));
  try {
    acquire(patience);
  } catch (...) {
    ::close(fd_);
    throw;
  }
}

StateLock::~StateLock() { ::close(fd_); }

void StateLock::release() noexcept { ::flock(fd_, LOCK_UN); }

void StateLock::acquire(std::chrono::milliseconds patience) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (::flock(fd_, LOCK_EX | LOCK_NB) != 0) {
    if (std::chrono::steady_clock::now() >= deadline) {
      fail_input("the state folder " + folder_.string() + ": expected to use it alone, found another " + what_ +
                 " at work in it; wait for that one, or give another --state");
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
}

}  // namespace smpc
