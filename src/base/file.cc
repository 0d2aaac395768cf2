#include "smpc/base/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "open_file.h"
#include "smpc/base/error.h"
#include "smpc/base/file_error.h"

namespace smpc {

void sync_folder(const std::filesystem::path& folder) {
  const Fd fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (fd.get() < 0 || ::fsync(fd.get()) != 0) fail_file(folder, "sync the folder", errno);
}

// O_NONBLOCK: opening a FIFO must not wait for a writer.
OpenFile::OpenFile(const std::filesystem::path& path) : fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)) {
  if (fd.get() < 0 || ::fstat(fd.get(), &status) != 0) fail_file(path, "read", errno);
  if (!S_ISREG(status.st_mode)) {
    fail_input(path.string() + ": expected a regular file, found " + file_kind(status.st_mode) + ": name the file itself");
  }
}

Bytes read_first(const OpenFile& file, const std::filesystem::path& path, std::size_t size) {
  Bytes out(size);
  std::size_t done = 0;
  while (done < size) {
    const ssize_t n = ::read(file.fd.get(), out.data() + done, size - done);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail_file(path, "read", errno);
    if (n == 0) fail_input(path.string() + ": became shorter while it was read");
    done += static_cast<std::size_t>(n);
  }
  if (const std::string pointer = unfetched_content(path, out); !pointer.empty()) {
    fail_input(path.string() + ": expected a file's content, found " + pointer);
  }
  return out;
}

Bytes read_all(const OpenFile& file, const std::filesystem::path& path, std::size_t longest) {
  const auto size = static_cast<std::size_t>(file.status.st_size);
  if (size > longest) {
    fail_input(path.string() + ": expected at most " + std::to_string(longest) + " bytes, found " +
               std::to_string(size));
  }
  return read_first(file, path, size);
}

Bytes read_file(const std::filesystem::path& path, std::size_t longest) { return read_all(OpenFile(path), path, longest); }

Bytes read_head(const std::filesystem::path& path, std::size_t count) {
  const OpenFile file(path);
  return read_first(file, path, std::min(count, static_cast<std::size_t>(file.status.st_size)));
}

void write_file(const std::filesystem::path& path, ByteView data, bool owner_only) {
  struct stat there {};  // a pipe or a device would be replaced
  if (::stat(path.c_str(), &there) == 0 && !S_ISREG(there.st_mode)) {
    fail_input(path.string() + ": expected the name of a file to write, found " + file_kind(there.st_mode) + ": name another");
  }
  const auto folder = path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
  std::string temporary = (folder / (path.filename().string() + ".XXXXXX")).string();
  const Fd fd(::mkstemp(temporary.data()));  // 0600
  if (fd.get() < 0) fail_file(path, "write", errno);
  const auto give_up = [&](const char* doing) {
    const int error = errno;
    ::unlink(temporary.c_str());
    fail_file(path, doing, error);
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
