// The tools as processes: what users and scripts see of them. For tests and benchmarks alike: what goes wrong is thrown
// as std::runtime_error, which fails a test and ends a benchmark.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace smpc::testing {

struct Outcome {
  int exit_code = -1;
  std::string out;
  std::string err;
  std::chrono::steady_clock::time_point started;  // just before the process was made
  double seconds = 0;                             // from then to its end
  long peak_kb = 0;                               // the most memory that it held
  nlohmann::json json() const { return nlohmann::json::parse(out); }
};

using Environment = std::vector<std::pair<std::string, std::string>>;  // beside what the test's own holds

struct RunOptions {
  std::chrono::seconds limit{120};
  std::optional<unsigned> cpu{};         // the one processor that it may use
  std::function<void(int pid)> watch{};  // called about every millisecond while it runs
  Environment environment{};
};

// Runs a tool (by its name in the build's bin folder) to its end; killed, and an error, after the limit.
Outcome run(const std::string& tool, const std::vector<std::string>& arguments, const RunOptions& options);
Outcome run(const std::string& tool, const std::vector<std::string>& arguments, int seconds = 120);

// A daemon: started, waited for until its log holds a text, terminated at the end.
class Daemon {
 public:
  Daemon(const std::string& tool, const std::vector<std::string>& arguments, const std::filesystem::path& log,
         std::optional<unsigned> cpu = {}, const Environment& environment = {});
  ~Daemon();
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;

  // The first line of the log that holds `text`; an error when it does not come in time or the daemon ends.
  std::string wait_for(const std::string& text, int seconds = 60);
  std::string port();  // that it says it listens on
  int stop();          // SIGTERM; its exit code, 0 where it had ended before, -1 where it had to be killed
  void kill();         // SIGKILL
  std::string log() const;
  int pid() const noexcept { return pid_; }
  std::chrono::steady_clock::time_point started() const noexcept { return started_; }

 private:
  std::chrono::steady_clock::time_point started_;
  int pid_ = -1;
  std::filesystem::path log_;
};

// The exit code of a daemon that is told to end while it writes its first line, for which there is no room in the new pipe
// `log` before; -1 where it does not hold SIGTERM by then.
int stopped_at_its_first_line(const std::string& tool, const std::vector<std::string>& arguments,
                              const std::filesystem::path& log);

// A folder that goes with its owner.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  std::filesystem::path operator/(const std::string& name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

}  // namespace smpc::testing
