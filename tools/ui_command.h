// smpc-client ui: serves the clinician's page until it is told to stop.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>

#include "smpc/net/identity.h"
#include "smpc/service/client.h"

namespace smpc::tools {

struct UiArguments {
  std::uint16_t port = 0;
  bool open = false;
  bool nan_as_zero = false;
};

CLI::App* add_ui_command(CLI::App& app, UiArguments& arguments);

// Prints one line, "open http://...", and returns after SIGINT or SIGTERM. No thread may have been started before.
void run_ui(const UiArguments& arguments, const ClientOptions& options, const Identity& identity);

}  // namespace smpc::tools
