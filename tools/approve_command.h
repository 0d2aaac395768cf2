// smpc-client approve, and which programs smpc-client takes part in: --program and --programs.
#pragma once

#include <CLI/CLI.hpp>
#include <filesystem>
#include <string>

#include "smpc/net/identity.h"
#include "smpc/service/client.h"

namespace smpc::tools {

struct ProgramArguments {
  std::string program;
  std::filesystem::path programs;
};
void add_program_options(CLI::App& app, ProgramArguments& arguments);

// What they say; without them, the file `programs` in the identity's folder, where there is one; else all programs.
ApprovedPrograms approved_programs(const ProgramArguments& arguments, const std::filesystem::path& identity_folder);

struct ApproveArguments {
  bool yes = false;
};
CLI::App* add_approve_command(CLI::App& app, ApproveArguments& arguments);

// Learns the server's program, shows what it is, asks, and adds it to --programs or to the file in the identity's folder.
void run_approve(const ApproveArguments& arguments, const ProgramArguments& programs, ClientOptions options, const Identity& identity,
                 const std::filesystem::path& identity_folder, bool json_wanted);

}  // namespace smpc::tools
