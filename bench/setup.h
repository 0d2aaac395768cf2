// What the benchmarks share: the demo's files, the three roles, what the tools say of a model, tables.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "smpc/compiler/compile.h"
#include "support/three_roles.h"

namespace smpc::bench {

using testing::Outcome;
using testing::RunOptions;
using testing::TemporaryFolder;
using testing::ThreeRoles;

// Parses, runs, and turns an exception into one line and exit code 1.
int run_bench(CLI::App& app, int argc, char** argv, const std::function<void()>& body);

// mlp.onnx, scan.nii.gz (one volume) and scan4d.nii.gz (20), as smpc-demo-model makes them.
struct DemoFiles {
  std::filesystem::path folder;
  std::string model() const { return (folder / "mlp.onnx").string(); }
  std::string scan() const { return (folder / "scan.nii.gz").string(); }
  std::string scan4d() const { return (folder / "scan4d.nii.gz").string(); }
};
// Those of `folder`, or, where it is empty, of the build's own folder; made there once (half a minute).
DemoFiles demo_files(const std::string& folder);

Compiled compile_model(const std::string& model, Reveal reveal);
// What smpc-compile --explain --json prints.
nlohmann::json explain(const std::string& model, const std::vector<std::string>& options);

// Dealer (which makes bundles when asked, and no others) and server on the last processor, clients on the first.
class Deployment : public ThreeRoles {
 public:
  explicit Deployment(std::vector<std::string> server_options);
  void start();
  // smpc-client --json on its processor; an error unless it ends well.
  nlohmann::json client(std::vector<std::string> arguments, const std::function<void(int)>& watch = {}) const;
  nlohmann::json prefetch(std::size_t count, const std::function<void(int)>& watch = {}) const;
};

std::string repeated_dashes(std::size_t columns);  // a Markdown table's second line
std::string row(const std::vector<std::string>& cells);
std::string mega(double bytes);  // "88.5 MB"

}  // namespace smpc::bench
