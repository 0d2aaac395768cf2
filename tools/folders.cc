#include "folders.h"

#include <cstdlib>

#include "smpc/base/error.h"

namespace smpc::tools {
namespace {

// The XDG base directory specification has relative paths ignored.
const char* absolute(const char* variable) {
  const char* value = std::getenv(variable);
  return value != nullptr && *value == '/' ? value : nullptr;
}

}  // namespace

std::filesystem::path default_state_folder(Role role) {
  const std::filesystem::path below = std::filesystem::path("smpc") / role_name(role);
  if (const char* state = absolute("XDG_STATE_HOME")) return state / below;
  if (const char* home = absolute("HOME")) return std::filesystem::path(home) / ".local" / "state" / below;
  fail_usage("expected XDG_STATE_HOME or HOME to say where state is kept, found neither to be an absolute path: name the folder with --state");
}

void Folder::add_to(CLI::App& app, const char* option, const char* about, std::function<std::filesystem::path()> otherwise,
                    const std::string& in_words) {
  otherwise_ = std::move(otherwise);
  std::string shown = in_words;
  try {
    shown = otherwise_().string();
  } catch (const Error&) {  // said where it is needed
  }
  app.add_option(option, named_, about)->type_name("DIR")->group("Folders")->default_str(shown);
}

void add_folder_options(CLI::App& app, Role role, Folders& folders) {
  const std::string name(role_name(role));
  folders.identity.add_to(app, "--identity", "folder with ca.pem, cert.pem and key.pem, as smpc-certs makes it",
                          [role] { return default_identity_folder(role); },
                          "$SMPC_HOME/" + name + ", else $XDG_CONFIG_HOME/smpc/" + name + ", else ~/.config/smpc/" + name);
  folders.state.add_to(app, "--state", "folder for what must survive a restart; one process at a time",
                       [role] { return default_state_folder(role); },
                       "$XDG_STATE_HOME/smpc/" + name + ", else ~/.local/state/smpc/" + name);
}

}  // namespace smpc::tools
