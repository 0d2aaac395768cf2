// The folders of a role.
#pragma once

#include <CLI/CLI.hpp>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "smpc/net/identity.h"

namespace smpc::tools {

// $XDG_STATE_HOME/smpc/<role> where that is absolute, else ~/.local/state/smpc/<role>. Throws a usage error where neither is
// set.
std::filesystem::path default_state_folder(Role role);

// What the command line names, else what the environment says once it is needed: a command that is told its folders, or needs
// none, runs without HOME.
class Folder {
 public:
  void add_to(CLI::App& app, const char* option, const char* about, std::function<std::filesystem::path()> otherwise,
              const std::string& in_words);
  operator std::filesystem::path() const { return named_ ? std::filesystem::path(*named_) : otherwise_(); }
  std::string string() const { return std::filesystem::path(*this).string(); }

 private:
  std::optional<std::string> named_;
  std::function<std::filesystem::path()> otherwise_;
};

// --identity and --state, with their defaults shown: as they are, or in words where nothing says what they are.
struct Folders {
  Folder identity;
  Folder state;
};
void add_folder_options(CLI::App& app, Role role, Folders& folders);

}  // namespace smpc::tools
