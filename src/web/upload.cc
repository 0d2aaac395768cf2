#include "upload.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string>
#include <utility>

#include "smpc/base/error.h"

namespace smpc::web {
namespace {

std::filesystem::path temporary_folder() {
  const char* given = std::getenv("TMPDIR");
  return given != nullptr && *given != '\0' ? given : "/tmp";
}

int open_unnamed(const std::filesystem::path& folder) {
  const int fd = ::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC | O_EXCL, 0600);
  if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR)) return fd;
  std::string name = (folder / "smpc-scan-XXXXXX").string();  // a file system without O_TMPFILE
  const int named = ::mkostemp(name.data(), O_CLOEXEC);       // 0600
  if (named >= 0) ::unlink(name.c_str());
  return named;
}

}  // namespace

Upload::Upload(std::optional<std::uint64_t> expected) : folder_(temporary_folder()), fd_(open_unnamed(folder_)) {
  if (fd_ < 0) {
    fail_input("expected a temporary folder for the scan at " + folder_.string() + ", found: " + std::strerror(errno) +
               "; set TMPDIR to another");
  }
  if (!expected || *expected == 0) return;
  const int failed = ::fallocate(fd_, 0, 0, static_cast<off_t>(*expected));
  if (failed == 0 || errno == EOPNOTSUPP || errno == ENOSYS) return;
  const int error = errno;
  ::close(std::exchange(fd_, -1));
  errno = error;
  size_ = *expected;
  fail_room();
}

Upload::~Upload() {
  if (fd_ >= 0) ::close(fd_);
}

void Upload::append(std::span<const char> bytes) {
  size_ += bytes.size();
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd_, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail_room();
    bytes = bytes.subspan(static_cast<std::size_t>(n));
  }
}

std::filesystem::path Upload::path() const { return "/proc/self/fd/" + std::to_string(fd_); }

void Upload::fail_room() const {
  fail_input("expected room for the scan's " + std::to_string(size_) + " bytes in the temporary folder " +
             folder_.string() + ", found: " + std::strerror(errno) + "; make room there, or set TMPDIR to another folder");
}

}  // namespace smpc::web
