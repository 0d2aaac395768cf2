#include "process.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <sstream>
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

// Standard output and error go to files, so that nothing can block on a full pipe.
// They are emptied before the process exists: what an earlier one wrote is never read as this one's.
int start(const std::string& tool, const std::vector<std::string>& arguments, const std::string& out,
          const std::string& err) {
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
  const int in = ::open("/dev/null", O_RDONLY);
  ::dup2(in, 0);
  ::dup2(o, 1);
  ::dup2(e, 2);
  ::execv(path.c_str(), argv.data());
  std::_Exit(127);
}

// The exit code, or -1 where it does not come in time.
int wait_until(int pid, Clock::time_point deadline) {
  while (Clock::now() < deadline) {
    int status = 0;
    if (::waitpid(pid, &status, WNOHANG) == pid) return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    std::this_thread::sleep_for(5ms);
  }
  return -1;
}

}  // namespace

TemporaryFolder::TemporaryFolder() {
  std::string name = (std::filesystem::temp_directory_path() / "smpc_e2e_XXXXXX").string();
  path_ = ::mkdtemp(name.data());
}
TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

Outcome run(const std::string& tool, const std::vector<std::string>& arguments, int seconds) {
  const TemporaryFolder folder;
  Outcome r;
  const int pid = start(tool, arguments, (folder / "out").string(), (folder / "err").string());
  r.exit_code = wait_until(pid, Clock::now() + std::chrono::seconds(seconds));
  if (r.exit_code == -1) {
    ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
    ADD_FAILURE() << tool << " did not end within " << seconds << " s";
  }
  r.out = content(folder / "out");
  r.err = content(folder / "err");
  return r;
}

Daemon::Daemon(const std::string& tool, const std::vector<std::string>& arguments, const std::filesystem::path& log)
    : pid_(start(tool, arguments, log.string(), log.string())), log_(log) {}

Daemon::~Daemon() {
  if (pid_ > 0) stop();
}

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
  ADD_FAILURE() << "no '" << text << "' in: " << log();
  return "";
}

std::string Daemon::port() {
  const std::string line = wait_for("listening on port ");
  const auto at = line.find("listening on port ");
  if (at == std::string::npos) return "0";
  return std::to_string(std::stoi(line.substr(at + 18)));
}

int Daemon::stop() {
  ::kill(pid_, SIGTERM);
  int code = wait_until(pid_, Clock::now() + 20s);
  if (code == -1) {
    ADD_FAILURE() << "SIGTERM did not end it: " << log();
    kill();
  }
  pid_ = -1;
  return code;
}

void Daemon::kill() {
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

std::string Daemon::log() const { return content(log_); }

}  // namespace smpc::testing
