// The tools as processes: what users and scripts see of them.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace smpc::testing {

struct Outcome {
  int exit_code = -1;
  std::string out;
  std::string err;
  nlohmann::json json() const { return nlohmann::json::parse(out); }
};

// Runs a tool (by its name in the build's bin folder) to its end; killed, and a failure, after `seconds`.
Outcome run(const std::string& tool, const std::vector<std::string>& arguments, int seconds = 120);

// A daemon: started, waited for until its log holds a text, terminated at the end.
class Daemon {
 public:
  Daemon(const std::string& tool, const std::vector<std::string>& arguments, const std::filesystem::path& log);
  ~Daemon();
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;

  // The first line of the log that holds `text`; empty, and a failure, when it does not come in time or the daemon ends.
  std::string wait_for(const std::string& text, int seconds = 60);
  std::string port();  // that it says it listens on
  int stop();          // SIGTERM; its exit code
  void kill();         // SIGKILL
  std::string log() const;

 private:
  int pid_ = -1;
  std::filesystem::path log_;
};

// A folder that goes with the test.
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
