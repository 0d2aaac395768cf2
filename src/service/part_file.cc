#include "part_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "smpc/base/file_error.h"

namespace smpc {

PartFile::PartFile(const std::filesystem::path& path)
    : path_(path), fd_(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600)) {
  if (fd_ < 0) fail("write");
}

PartFile::~PartFile() { ::close(fd_); }

void PartFile::append(ByteView bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd_, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail("write");
    bytes = bytes.subspan(static_cast<std::size_t>(n));
  }
}

void PartFile::sync() {
  if (::fsync(fd_) != 0) fail("sync");
}

void PartFile::fail(const char* what) const {
  fail_file(path_, what, errno);
}

}  // namespace smpc
