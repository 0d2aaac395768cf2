#include "smpc/base/file_error.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <optional>

#include "smpc/base/error.h"

namespace smpc {
namespace {

namespace fs = std::filesystem;

std::string fetch(const fs::path& path) { return "git-annex whose content is not on this machine: run git annex get " + path.string(); }

// A link that leads to nothing.
std::string dead_link(const fs::path& path, const fs::path& link) {
  std::error_code ignored;
  const std::string target = fs::read_symlink(link, ignored).string();
  if (target.find("annex/objects/") != std::string::npos) return "a link into " + fetch(path);
  return (link == path ? "a link" : "the link " + link.string()) + " to " + target +
         ", which is not there: mend the link, or name the file itself";
}

// The first step on the way to `path` that is missing, closed or no folder, if there is one.
std::optional<std::string> obstacle(const fs::path& path) {
  fs::path at;
  for (auto part = path.begin(); part != path.end();) {
    at /= *part++;
    const bool last = part == path.end();
    struct stat found {};
    if (::stat(at.c_str(), &found) != 0) {
      if (errno != ENOENT) return std::nullopt;
      if (::lstat(at.c_str(), &found) == 0) return dead_link(path, at);
      return last ? "no such file: check the path" : "no folder " + at.string() + ": make it first, or check the path";
    }
    if (last) return std::nullopt;
    if (!S_ISDIR(found.st_mode)) return at.string() + ", which is no folder but " + file_kind(found.st_mode) + ": check the path";
    if (::faccessat(AT_FDCWD, at.c_str(), X_OK, AT_EACCESS) != 0 && errno == EACCES) {
      return "no permission to enter the folder " + at.string() + ": give it to this user, or name another place";
    }
  }
  return std::nullopt;
}

std::string denied(const fs::path& path) {
  if (const auto found = obstacle(path); found && found->starts_with("no permission")) return *found;
  struct stat found {};
  if (::stat(path.c_str(), &found) != 0) {
    const fs::path folder = path.has_parent_path() ? path.parent_path() : ".";
    return "no permission to write in the folder " + folder.string() + ": give it to this user, or name another place";
  }
  char text[96];
  std::snprintf(text, sizeof text, "no permission (mode %04o, owner %u; this process runs as user %u)",
                static_cast<unsigned>(found.st_mode) & 07777U, static_cast<unsigned>(found.st_uid), static_cast<unsigned>(::geteuid()));
  return std::string(text) + ": give it to this user, or name another";
}

}  // namespace

std::string file_kind(mode_t mode) {
  if (S_ISREG(mode)) return "a file";
  if (S_ISDIR(mode)) return "a folder";
  if (S_ISFIFO(mode)) return "a pipe";
  if (S_ISSOCK(mode)) return "a socket";
  if (S_ISLNK(mode)) return "a link";
  return "a device";
}

std::string file_problem(const fs::path& path, int error) {
  const std::string said = " (" + std::string(std::strerror(error)) + ")";
  switch (error) {
    case ENOENT: return obstacle(path).value_or("no such file: check the path");
    case ENOTDIR:
    case EEXIST: return obstacle(path / "").value_or("something else of that name" + said + ": name another place");
    case EACCES:
    case EPERM: return denied(path);
    case ELOOP: return "a link that leads back to itself, or too many links in a row" + said + ": mend it, or name the file itself";
    case ENAMETOOLONG: return "a name that is too long for this file system" + said + ": use a shorter one";
    case EISDIR: return "a folder: name the file itself";
    case ENXIO: return "a socket, or a device that is not there" + said + ": name a file";
    case EROFS: return "a read-only file system" + said + ": name a place that can be written";
    case ENOSPC:
    case EDQUOT: return "no room left" + said + ": make room there, or name another place";
    case EMFILE:
    case ENFILE: return "too many files open at once" + said + ": raise the limit (ulimit -n)";
    case EIO:
    case ESTALE: return "a fault of the disk or network drive" + said + ": see whether it is well, and try again";
    default: return std::string(std::strerror(error));
  }
}

void fail_file(const fs::path& path, const char* what, int error) {
  fail_input(path.string() + ": cannot " + what + ", found " + file_problem(path, error));
}

std::string unfetched_content(const fs::path& path, ByteView head) {
  const std::string_view text = as_text(head);
  if (text.starts_with("version https://git-lfs.github.com/spec/")) {
    return "a pointer of Git LFS whose content is not on this machine: run git lfs pull";
  }
  if (text.starts_with("/annex/objects/")) return "a pointer of " + fetch(path);
  return {};
}

}  // namespace smpc
