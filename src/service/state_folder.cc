#include "state_folder.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "smpc/base/error.h"
#include "smpc/base/fd.h"
#include "smpc/base/file_error.h"

namespace smpc {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void refuse(const fs::path& folder, const std::string& problem) {
  fail_input("the state folder " + folder.string() + ": " + problem);
}

// The first entry that a state folder does not have, or nothing. What is left where a database was lost is ours.
std::string stranger(const fs::path& folder, const std::string& database) {
  std::error_code error;
  std::string found;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (name == database) return {};
    const bool ours = name == "lock" || name == "masked" || name == "lost+found" || name.starts_with(database + "-");
    if (!ours && found.empty()) found = name;
  }
  if (error) refuse(folder, "cannot be read, found " + file_problem(folder, error.value()));
  return found;
}

}  // namespace

void take_state_folder(const fs::path& folder, const std::string& database) {
  std::error_code error;
  const bool made = fs::create_directories(folder, error);
  if (error) refuse(folder, "cannot be made, found " + file_problem(folder, error.value()));
  const Fd fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  struct stat found {};
  if (fd.get() < 0 || ::fstat(fd.get(), &found) != 0) refuse(folder, "cannot be used, found " + file_problem(folder, errno));
  if (!made) {
    const std::string another = "; name another with --state, which is made where it is not there, as " + (folder / "smpc").string();
    if (found.st_uid != ::geteuid()) {
      refuse(folder, "expected a folder of user " + std::to_string(::geteuid()) + ", who runs this, found one of user " +
                         std::to_string(found.st_uid) + another);
    }
    if (const std::string name = stranger(folder, database); !name.empty()) {
      refuse(folder, "expected an empty folder or one with " + database + ", found " + name + another);
    }
    if ((found.st_mode & S_ISVTX) != 0) refuse(folder, "expected a folder of its own, found one that many share" + another);
  }
  if ((found.st_mode & 077) != 0 && ::fchmod(fd.get(), 0700) != 0) refuse(folder, "cannot be closed to others, found " + file_problem(folder, errno));
}

}  // namespace smpc
