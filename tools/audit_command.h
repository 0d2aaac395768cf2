// smpc-server audit, smpc-client audit: the record of inferences, checked or shown.
#pragma once

#include <CLI/CLI.hpp>
#include <filesystem>
#include <string>

#include "smpc/net/identity.h"

namespace smpc::tools {

struct AuditArguments {
  std::string action;
  std::string expected;  // a digest in hex
  bool json_wanted = false;
};

// After the app's own options: --json is the app's where it has one.
CLI::App* add_audit_command(CLI::App& app, AuditArguments& arguments);

// Prints one line of counts and the digest of the last record; or the records, a line each.
void run_audit_command(const AuditArguments& arguments, const std::filesystem::path& state, Role role);

}  // namespace smpc::tools
