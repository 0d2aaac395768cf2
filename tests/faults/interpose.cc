// Preloaded into a tool that is under test: lets durable steps fail, kills the process between two of them, drops what was
// not synced, moves the clock, and writes down what passes through TLS. The tool itself is the one that is installed.
//
//   SMPC_FAULT_STATE=DIR     steps on files below it count: fsync, fdatasync, rename
//   SMPC_FAULT_COUNT=FILE    a line for each
//   SMPC_FAULT_KILL=N        SIGKILL before step N; SMPC_FAULT_KILL_AFTER=N: once it has been done
//   SMPC_FAULT_POWER=1       with KILL: before the end every file is as it was when it was last synced
//   SMPC_FAULT_FSYNC=N       steps from N on that sync fail with EIO
//   SMPC_FAULT_FULL=N        the disk is full once N bytes were written below DIR: ENOSPC
//   SMPC_FAULT_CLOCK=S       the calendar's clock is S seconds ahead; the monotonic one is not
//   SMPC_FAULT_RANDOM=1      the generator of the operating system fails
//   SMPC_FAULT_FILES=N       no more than N open files; SMPC_FAULT_MEMORY=N: no more than N bytes of address space
//   SMPC_FAULT_TRACE=FILE    u8 direction (0 sent, 1 received), u64 connection, u32 length, plain bytes; little-endian
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

struct ssl_st;

namespace {

namespace fs = std::filesystem;

template <class F>
F real(const char* name) {
  return reinterpret_cast<F>(::dlsym(RTLD_NEXT, name));
}

long number(const char* name) {
  const char* text = std::getenv(name);
  return text == nullptr ? -1 : std::atol(text);
}

std::string text(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

std::string path_of(int fd) {
  char buffer[4096];
  const ssize_t n = ::readlink(("/proc/self/fd/" + std::to_string(fd)).c_str(), buffer, sizeof buffer);
  return n < 0 ? "" : std::string(buffer, static_cast<std::size_t>(n));
}

std::string content(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(in), {});
}

class Disk {
 public:
  static Disk& one() {
    static Disk disk;
    return disk;
  }

  bool watches(const std::string& path) const { return !state_.empty() && path.rfind(state_ + "/", 0) == 0; }

  // Around a durable step. `sync`: it is one that may be made to fail.
  template <class Do, class Done>
  int step(const std::string& what, bool sync, Do&& work, Done&& done) {
    const std::scoped_lock guard(mutex_);
    const long n = ++steps_;
    if (const std::string file = text("SMPC_FAULT_COUNT"); !file.empty()) {
      std::ofstream(file, std::ios::app) << n << " " << what << "\n";
    }
    if (number("SMPC_FAULT_KILL") == n) die();
    const long failing = number("SMPC_FAULT_FSYNC");
    if (sync && failing > 0 && n >= failing) {
      errno = EIO;
      return -1;
    }
    const int result = work();
    if (result == 0) done();
    if (number("SMPC_FAULT_KILL_AFTER") == n) die();
    return result;
  }

  // What a folder's sync makes durable: the renames and removals in it. What a file's: its content.
  void synced(const std::string& path) {
    if (!power_) return;
    if (fs::is_directory(path)) {
      for (const auto& [from, to] : renamed_) {
        durable_[to] = durable_[from];
        durable_[from] = std::nullopt;
      }
      renamed_.clear();
      for (const std::string& gone : removed_) {
        if (!fs::exists(gone)) durable_[gone] = std::nullopt;
      }
      removed_.clear();
    } else {
      durable_[path] = content(path);
    }
  }
  void renamed(const std::string& from, const std::string& to) { renamed_.emplace_back(from, to); }

  void removed(const std::string& path) {
    const std::scoped_lock guard(mutex_);
    removed_.push_back(path);
  }

  // Whether so many more bytes are still to be had.
  bool has_room(std::size_t bytes) {
    const long most = number("SMPC_FAULT_FULL");
    return most < 0 || static_cast<long>(written_ += bytes) <= most;
  }

 private:
  Disk() : state_(text("SMPC_FAULT_STATE")), power_(number("SMPC_FAULT_POWER") == 1) {
    if (!power_ || !fs::exists(state_)) return;
    for (const auto& entry : fs::recursive_directory_iterator(state_)) {
      if (entry.is_regular_file()) durable_[entry.path()] = content(entry.path());
    }
  }

  [[noreturn]] void die() {
    if (power_) {
      std::vector<fs::path> there;
      for (const auto& entry : fs::recursive_directory_iterator(state_)) {
        if (entry.is_regular_file()) there.push_back(entry.path());
      }
      for (const fs::path& path : there) {
        const auto at = durable_.find(path);
        if (at == durable_.end() || !at->second) {
          fs::remove(path);
        }
      }
      for (const auto& [path, bytes] : durable_) {
        if (bytes && !path.ends_with("-shm")) std::ofstream(path, std::ios::binary | std::ios::trunc) << *bytes;
      }
    }
    ::kill(::getpid(), SIGKILL);
    for (;;) ::pause();
  }

  const std::string state_;
  const bool power_;
  std::mutex mutex_;
  long steps_ = 0;
  std::atomic<std::size_t> written_ = 0;
  std::map<std::string, std::optional<std::string>> durable_;  // none: the name is gone
  std::vector<std::pair<std::string, std::string>> renamed_;   // not durable yet
  std::vector<std::string> removed_;                            // nor these
};

int sync_step(int fd, const char* name, int (*work)(int)) {
  const std::string path = path_of(fd);
  Disk& disk = Disk::one();
  if (!disk.watches(path) && path != text("SMPC_FAULT_STATE")) return work(fd);
  return disk.step(std::string(name) + " " + path, true, [&] { return work(fd); }, [&] { disk.synced(path); });
}

void trace(bool received, const ssl_st* connection, const void* data, std::size_t size) {
  static const std::string file = text("SMPC_FAULT_TRACE");
  if (file.empty()) return;
  static std::mutex mutex;
  static std::ofstream out(file + "." + std::to_string(::getpid()), std::ios::binary | std::ios::app);
  const std::scoped_lock guard(mutex);
  const auto put = [](std::uint64_t value, std::streamsize bytes) { out.write(reinterpret_cast<const char*>(&value), bytes); };
  put(received ? 1 : 0, 1);
  put(reinterpret_cast<std::uintptr_t>(connection), 8);
  put(size, 4);
  out.write(static_cast<const char*>(data), static_cast<std::streamsize>(size));
  out.flush();
}

__attribute__((constructor)) void set_limits() {
  const auto limit = [](auto what, long most) {
    const rlimit value{static_cast<rlim_t>(most), static_cast<rlim_t>(most)};
    if (most >= 0) ::setrlimit(what, &value);
  };
  limit(RLIMIT_NOFILE, number("SMPC_FAULT_FILES"));
  limit(RLIMIT_AS, number("SMPC_FAULT_MEMORY"));
}

template <class Write>
ssize_t written(int fd, std::size_t bytes, Write&& write) {
  if (number("SMPC_FAULT_FULL") >= 0) {
    Disk& disk = Disk::one();
    if (disk.watches(path_of(fd)) && !disk.has_room(bytes)) {
      errno = ENOSPC;
      return -1;
    }
  }
  return write();
}

}  // namespace

extern "C" {

int fsync(int fd) { return sync_step(fd, "fsync", real<int (*)(int)>("fsync")); }
int fdatasync(int fd) { return sync_step(fd, "fdatasync", real<int (*)(int)>("fdatasync")); }

int rename(const char* from, const char* to) noexcept {
  static const auto work = real<int (*)(const char*, const char*)>("rename");
  Disk& disk = Disk::one();
  const std::string target = fs::absolute(to);
  if (!disk.watches(target)) return work(from, to);
  return disk.step("rename " + target, false, [&] { return work(from, to); },
                   [&] { disk.renamed(fs::absolute(from), target); });
}

int unlink(const char* path) noexcept {
  static const auto work = real<int (*)(const char*)>("unlink");
  const int result = work(path);
  const std::string target = fs::absolute(path);
  Disk& disk = Disk::one();
  if (result == 0 && disk.watches(target)) disk.removed(target);
  return result;
}

ssize_t write(int fd, const void* data, std::size_t size) {
  static const auto work = real<ssize_t (*)(int, const void*, std::size_t)>("write");
  return written(fd, size, [&] { return work(fd, data, size); });
}
ssize_t pwrite(int fd, const void* data, std::size_t size, off_t at) {
  static const auto work = real<ssize_t (*)(int, const void*, std::size_t, off_t)>("pwrite");
  return written(fd, size, [&] { return work(fd, data, size, at); });
}
ssize_t pwrite64(int fd, const void* data, std::size_t size, off64_t at) {
  static const auto work = real<ssize_t (*)(int, const void*, std::size_t, off64_t)>("pwrite64");
  return written(fd, size, [&] { return work(fd, data, size, at); });
}

std::time_t time(std::time_t* out) noexcept {
  static const auto work = real<std::time_t (*)(std::time_t*)>("time");
  const std::time_t now = work(nullptr) + std::max(0L, number("SMPC_FAULT_CLOCK"));
  if (out != nullptr) *out = now;
  return now;
}
int clock_gettime(clockid_t clock, timespec* out) noexcept {
  static const auto work = real<int (*)(clockid_t, timespec*)>("clock_gettime");
  const int result = work(clock, out);
  if (result == 0 && clock == CLOCK_REALTIME) out->tv_sec += std::max(0L, number("SMPC_FAULT_CLOCK"));
  return result;
}

ssize_t getrandom(void* data, std::size_t size, unsigned flags) {
  static const auto work = real<ssize_t (*)(void*, std::size_t, unsigned)>("getrandom");
  if (number("SMPC_FAULT_RANDOM") == 1) {
    errno = EIO;
    return -1;
  }
  return work(data, size, flags);
}

int SSL_write_ex(ssl_st* ssl, const void* data, std::size_t size, std::size_t* done) {
  static const auto work = real<int (*)(ssl_st*, const void*, std::size_t, std::size_t*)>("SSL_write_ex");
  const int result = work(ssl, data, size, done);
  if (result == 1) trace(false, ssl, data, *done);
  return result;
}
int SSL_read_ex(ssl_st* ssl, void* data, std::size_t size, std::size_t* done) {
  static const auto work = real<int (*)(ssl_st*, void*, std::size_t, std::size_t*)>("SSL_read_ex");
  const int result = work(ssl, data, size, done);
  if (result == 1) trace(true, ssl, data, *done);
  return result;
}

}  // extern "C"
