#include "setup.h"

#include <iostream>
#include <stdexcept>

#include "machine.h"

namespace smpc::bench {
namespace {

Outcome run_well(const std::string& tool, const std::vector<std::string>& arguments) {
  Outcome r = testing::run(tool, arguments, 900);
  if (r.exit_code != 0) throw std::runtime_error(tool + ": " + r.err);
  return r;
}

}  // namespace

int run_bench(CLI::App& app, int argc, char** argv, const std::function<void()>& body) {
  try {
    app.parse(argc, argv);
    body();
    return 0;
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? 0 : 2;
  } catch (const std::exception& e) {
    std::cerr << app.get_name() << ": " << e.what() << "\n";
    return 1;
  }
}

DemoFiles demo_files(const std::string& folder) {
  DemoFiles files{folder.empty() ? std::filesystem::path(SMPC_DEMO_MODEL) : std::filesystem::path(folder)};
  if (folder.empty() || !std::filesystem::exists(files.model())) run_well("smpc-demo-model", {files.folder.string()});
  return files;
}

Compiled compile_model(const std::string& model, Reveal reveal) {
  Model loaded = load_model(model);
  const auto metadata = loaded.metadata;
  CompileOptions options;
  options.reveal = reveal;
  return compile(build_network(std::move(loaded)), options, metadata);
}

nlohmann::json explain(const std::string& model, const std::vector<std::string>& options) {
  std::vector<std::string> arguments{model, "--explain", "--json"};
  arguments.insert(arguments.end(), options.begin(), options.end());
  return run_well("smpc-compile", arguments).json();
}

Deployment::Deployment(std::vector<std::string> options) : ThreeRoles(std::move(options)) {
  dealer_options = {"--pool", "0"};
  daemons_cpu = processors().back();
}

void Deployment::start() {
  start_dealer();
  start_server();
}

nlohmann::json Deployment::client(std::vector<std::string> arguments, const std::function<void(int)>& watch) const {
  arguments.emplace_back("--json");
  const Outcome r = run_client(std::move(arguments),
                               {.limit = std::chrono::minutes(30), .cpu = processors().front(), .watch = watch});
  if (r.exit_code != 0) throw std::runtime_error(r.err);
  return r.json();
}

nlohmann::json Deployment::prefetch(std::size_t count, const std::function<void(int)>& watch) const {
  return client({"prefetch", "--count", std::to_string(count)}, watch);
}

std::string repeated_dashes(std::size_t columns) {
  std::string line = "|";
  for (std::size_t i = 0; i < columns; ++i) line += "---|";
  return line + "\n";
}

std::string row(const std::vector<std::string>& cells) {
  std::string line = "|";
  for (const std::string& c : cells) line += " " + c + " |";
  return line + "\n";
}

std::string mega(double bytes) { return text_of("%.1f MB", bytes / 1e6); }

}  // namespace smpc::bench
