// What every tool does the same way: options, errors, signals, folders.
#pragma once

#include <CLI/CLI.hpp>
#include <csignal>
#include <filesystem>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "folders.h"
#include "smpc/compiler/compile.h"
#include "smpc/image/scan.h"

namespace smpc::tools {

// Parses and runs; turns every outcome into an exit code and at most one line on standard error. That standard output did not
// take all that was printed is such an outcome, too. Gives the app and its
// commands their --help (tools/help.h; the footer is examples) and --version. With --print-man-page or
// --print-bash-completion as the only argument, prints that instead; the build installs both.
int run_tool(CLI::App& app, int argc, char** argv, const std::function<void()>& body);

// The compile options of interface: --scale --bits --input-range --input-norm --input-rms --input-mask --preprocess --labels
// --grid --reveal --protocol.
class CompileArguments {
 public:
  void add_to(CLI::App& app);
  // Reads the files that they name.
  CompileOptions options();
  // Refuses a mask that lies otherwise than the program's grid. After options().
  void check_mask(const Program& program) const;
  bool any() const;

 private:
  std::optional<int> scale_;
  bool mixed_scales_ = false;
  std::optional<unsigned> bits_;
  std::vector<std::string> input_ranges_;
  std::vector<std::string> pictures_;
  std::optional<double> input_norm_;
  std::optional<double> input_rms_;
  std::string labels_;
  std::string grid_;
  std::string input_mask_;
  std::optional<ScanHeader> mask_header_;
  std::string reveal_ = "label";
  std::string protocol_ = "cryptflow2";
};

// The object on standard output and nothing else, in ASCII alone, so that no name in it steers a terminal. A name that is
// no UTF-8 does not keep the rest back.
void print_json(const nlohmann::json& object);

// --allow, --drain, --max-sessions and --max-sessions-per-client, as every daemon has them, all but the first under `limits` in --help.
void add_daemon_options(CLI::App& app, const std::string& limits, std::filesystem::path& allow, std::chrono::seconds& drain,
                        std::size_t& max_sessions, std::size_t& max_sessions_per_peer);

// SIGINT, SIGTERM and SIGHUP wait from its construction on, so that none ends a process between its first line and its
// serving. Threads inherit that: none may have been started before.
class HeldSignals {
 public:
  HeldSignals();

  // While `run` runs: calls `stop` whenever SIGINT or SIGTERM comes or has waited, `reload` for SIGHUP.
  void serve(const std::function<void()>& run, const std::function<void()>& stop, const std::function<void()>& reload) const;

 private:
  sigset_t signals_;
};

// One line per event, with the time, flushed.
void log_line(const std::string& text);

}  // namespace smpc::tools
