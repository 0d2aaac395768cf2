#include "ui_command.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <iostream>

#include "common.h"
#include "smpc/base/bytes.h"
#include "smpc/base/error.h"
#include "smpc/base/file.h"
#include "smpc/web/ui_server.h"

namespace smpc::tools {
namespace {

// Beside the folder of the command: .../bin/smpc-client, .../share/smpc/web.
std::filesystem::path page_folder() {
  return std::filesystem::read_symlink("/proc/self/exe").parent_path().parent_path() / "share" / "smpc" / "web";
}

// A file that only the user can read and that leads a browser to the page. The address itself would stand on the
// browser's command line, which every user of the machine can read.
class Doorway {
 public:
  Doorway(const std::filesystem::path& state, const std::string& url) : path_(state / "open-page.html") {
    std::filesystem::create_directories(state);
    std::filesystem::permissions(state, std::filesystem::perms::owner_all);
    write_file(path_, as_bytes("<!doctype html><meta charset=\"utf-8\"><title>smpc</title>"
                               "<meta name=\"referrer\" content=\"no-referrer\">"
                               "<meta http-equiv=\"refresh\" content=\"0;url=" + url + "\"><a href=\"" + url + "\">Open the page</a>\n"),
               true);
  }
  ~Doorway() {
    std::error_code ignored;
    std::filesystem::remove(path_, ignored);
  }
  Doorway(const Doorway&) = delete;
  Doorway& operator=(const Doorway&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

// Leaves it to the desktop; that there is none is no failure. In a session of its own, so that an interrupt in the
// terminal does not end the browser, and with no signal held.
void open_in_browser(const std::filesystem::path& file) {
  std::string name = "xdg-open";
  std::string path = file.string();
  char* argv[] = {name.data(), path.data(), nullptr};
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none;
  sigemptyset(&none);
  posix_spawnattr_setsigmask(&attributes, &none);
  sigset_t usual;  // which this process ignores
  sigemptyset(&usual);
  sigaddset(&usual, SIGPIPE);
  posix_spawnattr_setsigdefault(&attributes, &usual);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  pid_t pid = 0;
  const int failed = posix_spawnp(&pid, name.c_str(), &actions, &attributes, argv, environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  if (failed != 0) std::cerr << "smpc-client: no browser could be started (xdg-open); open the address above by hand\n";
}

}  // namespace

CLI::App* add_ui_command(CLI::App& app, UiArguments& arguments) {
  CLI::App* ui = app.add_subcommand("ui", "choose scans, look at them and ask about them on a page in the browser: serves it to "
                                          "this machine alone, until it is interrupted");
  ui->add_option("--port", arguments.port, "port on 127.0.0.1; 0 picks a free one")->capture_default_str();
  ui->add_flag("--open", arguments.open, "open the page in the browser, by xdg-open");
  return ui;
}

void run_ui(const UiArguments& arguments, const ClientOptions& options, const Identity& identity) {
  const HeldSignals signals;
  UiServer server(identity, {.server = options.server,
                             .dealer = options.dealer,
                             .state = options.state,
                             .approved = options.approved,
                             .page = page_folder(),
                             .port = arguments.port,
                             .nan_as_zero = arguments.nan_as_zero});
  std::cout << "open " << server.url() << std::endl;
  std::optional<Doorway> doorway;
  if (arguments.open) {
    doorway.emplace(options.state, server.url());
    open_in_browser(doorway->path());
  }
  signals.serve([&] { server.run(); }, [&] { server.stop(); }, [&] { server.stop(); });
}

}  // namespace smpc::tools
