#include "smpc/base/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "smpc/base/error.h"
#include "smpc/base/fd.h"

namespace smpc {
namespace {

[[noreturn]] void fail_file(const std::filesystem::path& path, const char* doing) {
  fail_input(path.string() + ": cannot " + doing + ": " + std::strerror(errno));
}

}  // namespace

void sync_folder(const std::filesystem::path& folder) {
  const Fd fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (fd.get() < 0 || ::fsync(fd.get()) != 0) fail_file(folder, "sync the folder");
}

Bytes read_file(const std::filesystem::path& path, std::size_t longest) {
  // O_NONBLOCK: opening a FIFO must not wait for a writer.
  const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat st {};
  if (fd.get() < 0 || ::fstat(fd.get(), &st) != 0) fail_file(path, "read");
  if (!S_ISREG(st.st_mode)) fail_input(path.string() + ": expected a regular file, found a folder, pipe or device");
  const auto size = static_cast<std::size_t>(st.st_size);
  if (size > longest) {
    fail_input(path.string() + ": expected at most " + std::to_string(longest) + " bytes, found " +
               std::to_string(size));
  }
  Bytes out(size);
  std::size_t done = 0;
  while (done < size) {
    const ssize_t n = ::read(fd.get(), out.data() + done, size - done);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail_file(path, "read");
    if (n == 0) fail_input(path.string() + ": became shorter while it was read");
    done += static_cast<std::size_t>(n);
  }
  return out;
}

void write_file(const std::filesystem::path& path, ByteView data, bool owner_only) {
  const auto folder = path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
  std::string temporary = (folder / (path.filename().string() + ".XXXXXX")).string();
  const Fd fd(::mkstemp(temporary.data()));  // 0600
  if (fd.get() < 0) fail_file(path, "write");
  const auto give_up = [&](const char* doing) {
    const int error = errno;
    ::unlink(temporary.c_str());
    errno = error;
    fail_file(path, doing);
  };
  std::size_t done = 0;
  while (done < data.size()) {
    const ssize_t n = ::write(fd.get(), data.data() + done, data.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) give_up("write");
    done += static_cast<std::size_t>(n);
  }
  if (!owner_only && ::fchmod(fd.get(), 0644) != 0) give_up("set the mode");
  if (::fsync(fd.get()) != 0) give_up("sync");
  if (::rename(temporary.c_str(), path.c_str()) != 0) give_up("rename");
  sync_folder(folder);
}

}  // namespace smpc
