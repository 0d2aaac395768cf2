// smpc-client study: every scan of a study, in the manner of a BIDS App.
#pragma once

#include <CLI/CLI.hpp>

#include "smpc/clinic/study.h"

namespace smpc::tools {

struct StudyArguments {
  StudyOptions options;
  std::string level;
  bool no_reports = false;
};

CLI::App* add_study_command(CLI::App& app, StudyArguments& arguments);

// Prints a line a scan, or one JSON object; throws where a scan failed, with the largest exit code of all.
void run_study_command(const StudyArguments& arguments, ClientOptions client, const Identity& identity, bool json_wanted);

}  // namespace smpc::tools
