#include "support/process.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <thread>

namespace smpc::testing {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

std::string content(const std::filesystem::path& path) {
  std::ostringstream out;
  out << std::ifstream(path).rdbuf();
  return out.str();
}

void pin(unsigned cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(cpu, &set);
  ::sched_setaffinity(0, sizeof set, &set);
}

// Standard output and error go to files, so that nothing can block on a full pipe.
// They are emptied before the process exists: what an earlier one wrote is never read as this one's.
int start(const std::string& tool, const std::vector<std::string>& arguments, const std::string& out,
          const std::string& err, std::optional<unsigned> cpu, const Environment& environment) {
  const std::string path = std::string(SMPC_BIN_DIR) + "/" + tool;
  std::vector<char*> argv{const_cast<char*>(path.c_str())};
  for (const std::string& a : arguments) argv.push_back(const_cast<char*>(a.c_str()));
  argv.push_back(nullptr);
  const int o = ::open(out.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  const int e = out == err ? o : ::open(err.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  const int pid = ::fork();
  if (pid != 0) {
    ::close(o);
    if (e != o) ::close(e);
    return pid;
  }
  if (cpu) pin(*cpu);
  for (const auto& [name, value] : environment) ::setenv(name.c_str(), value.c_str(), 1);
  const int in = ::open("/dev/null", O_RDONLY);
  ::dup2(in, 0);
  ::dup2(o, 1);
  ::dup2(e, 2);
  ::execv(path.c_str(), argv.data());
  std::_Exit(127);
}

// The exit code, or -1 where it does not come in time. `peak_kb`: the most memory that it held.
int wait_until(int pid, Clock::time_point deadline, const std::function<void(int)>& watch = {}, long* peak_kb = nullptr) {
  while (Clock::now() < deadline) {
    int status = 0;
    rusage usage{};
    if (::wait4(pid, &status, WNOHANG, &usage) == pid) {
      if (peak_kb != nullptr) *peak_kb = usage.ru_maxrss;
      return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    }
    if (watch) watch(pid);
    std::this_thread::sleep_for(watch ? 1ms : 5ms);
  }
  return -1;
}

}  // namespace

TemporaryFolder::TemporaryFolder() {
  std::string name = (std::filesystem::temp_directory_path() / "smpc_run_XXXXXX").string();
  path_ = ::mkdtemp(name.data());
}
TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

Outcome run(const std::string& tool, const std::vector<std::string>& arguments, const RunOptions& options) {
  const TemporaryFolder folder;
  Outcome r;
  r.started = Clock::now();
  const int pid = start(tool, arguments, (folder / "out").string(), (folder / "err").string(), options.cpu,
                        options.environment);
  r.exit_code = wait_until(pid, r.started + options.limit, options.watch, &r.peak_kb);
  r.seconds = std::chrono::duration<double>(Clock::now() - r.started).count();
  if (r.exit_code == -1) {
    ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
    throw std::runtime_error(tool + " did not end within " + std::to_string(options.limit.count()) + " s");
  }
  r.out = content(folder / "out");
  r.err = content(folder / "err");
  return r;
}

Outcome run(const std::string& tool, const std::vector<std::string>& arguments, int seconds) {
  return run(tool, arguments, RunOptions{.limit = std::chrono::seconds(seconds)});
}

Daemon::Daemon(const std::string& tool, const std::vector<std::string>& arguments, const std::filesystem::path& log,
               std::optional<unsigned> cpu, const Environment& environment)
    : started_(Clock::now()), pid_(start(tool, arguments, log.string(), log.string(), cpu, environment)), log_(log) {}

Daemon::~Daemon() { stop(); }

std::string Daemon::wait_for(const std::string& text, int seconds) {
  const auto deadline = Clock::now() + std::chrono::seconds(seconds);
  while (Clock::now() < deadline) {
    std::istringstream lines(log());
    for (std::string line; std::getline(lines, line);) {
      if (line.find(text) != std::string::npos) return line;
    }
    if (::waitpid(pid_, nullptr, WNOHANG) == pid_) {
      pid_ = -1;
      break;
    }
    std::this_thread::sleep_for(5ms);
  }
  throw std::runtime_error("no '" + text + "' in: " + log());
}

std::string Daemon::port() {
  const std::string before = "listening on port ";
  const std::string line = wait_for(before);
  return std::to_string(std::stoi(line.substr(line.find(before) + before.size())));
}

int Daemon::stop() {
  if (pid_ <= 0) return 0;
  ::kill(pid_, SIGTERM);
  const int code = wait_until(pid_, Clock::now() + 20s);
  if (code == -1) kill();
  pid_ = -1;
  return code;
}

void Daemon::kill() {
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

std::string Daemon::log() const { return content(log_); }

int stopped_at_its_first_line(const std::string& tool, const std::vector<std::string>& arguments,
                              const std::filesystem::path& log) {
  ::mkfifo(log.c_str(), 0600);
  const int pipe = ::open(log.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC);
  char part[4096] = {};
  while (::write(pipe, part, sizeof part) > 0) {
  }
  const int pid = start(tool, arguments, log.string(), log.string(), {}, {});
  const auto deadline = Clock::now() + 20s;
  const auto holds = [&] {
    std::istringstream status(content("/proc/" + std::to_string(pid) + "/status"));
    std::string key, value;
    while (status >> key && key != "SigBlk:") std::getline(status, value);
    return status >> value && (std::stoull(value, nullptr, 16) >> (SIGTERM - 1) & 1) != 0;
  };
  while (!holds() && Clock::now() < deadline) std::this_thread::sleep_for(5ms);
  const bool held = holds();
  ::kill(pid, held ? SIGTERM : SIGKILL);
  const int code = wait_until(pid, Clock::now() + 20s, [&](int) {
    while (::read(pipe, part, sizeof part) > 0) {
    }
  });
  ::close(pipe);
  return held ? code : -1;
}

}  // namespace smpc::testing
