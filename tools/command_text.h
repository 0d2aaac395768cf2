// A command line's definition (a CLI::App) as text: what --help, the manual page and the shell's completion are made of.
#pragma once

#include <CLI/CLI.hpp>
#include <limits>
#include <string>
#include <vector>

namespace smpc::tools {

constexpr int any_number = std::numeric_limits<int>::max();
constexpr const char* help_group = "Help";  // of --help and --version, which come last

struct OptionText {
  std::vector<std::string> names;    // "-o", "--output"; of a positional argument its one name
  std::string value;                 // what it takes, as shown: "FILE", "label|logits", "N"; empty for a flag
  std::string kind;                  // of the value: "FILE", "DIR", "TEXT", ...
  std::vector<std::string> choices;  // where nothing else is taken
  int values = 0;                    // at most; 0 for a flag
  bool required = false;
  std::string about;                 // limits and default included
  std::string group;
};

struct CommandText {
  std::string name;      // "smpc-client", "smpc-client prefetch"
  std::string word;      // the last word of it
  std::string about;
  std::string examples;  // lines as they are, each an explanation, two spaces or more, and a command
  std::vector<OptionText> positionals;
  std::vector<OptionText> options;
  std::vector<CommandText> commands;
  bool command_required = false;
};

// What has an empty group is hidden, as in CLI11. A value below the home folder is shown with a tilde.
CommandText describe(const CLI::App& app);

// The group names of the options, in the order of their first option.
std::vector<std::string> groups_of(const CommandText& command);

}  // namespace smpc::tools
