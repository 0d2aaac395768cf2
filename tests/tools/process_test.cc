// What every tool does whatever it is told: its output is written or it says so, its memory is closed, and it needs no HOME
// that it does not use.
#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <fstream>
#include <iterator>
#include <thread>

#include "support/process.h"
#include "tools/shell.h"

namespace smpc::tools {
namespace {

using namespace std::chrono_literals;
using smpc::testing::TemporaryFolder;

const std::vector<std::string> prints = {"--help", "--version", "--print-man-page", "--print-bash-completion"};

std::string path_of(const std::string& tool) { return "'" + std::string(SMPC_BIN_DIR) + "/" + tool + "'"; }

class EveryTool : public ::testing::TestWithParam<std::string> {
 protected:
  static std::string path() { return path_of(GetParam()); }
  static void expect_refused(const std::string& command, const std::string& part) {
    const auto [code, said] = shell(command);
    EXPECT_EQ(code, 3) << command << ": " << said;
    EXPECT_NE(said.find(GetParam() + ": standard output: cannot write, found " + part), said.npos) << command << ": " << said;
    EXPECT_EQ(std::count(said.begin(), said.end(), '\n'), 1) << said;
  }
};

TEST_P(EveryTool, FailsWhereItsOutputCannotBeWritten) {
  for (const std::string& option : prints) {
    const std::string command = path() + " " + option;
    expect_refused(command + " >/dev/full", "no room left (No space left on device)");
    expect_refused(command + " >&-", "it closed");
    expect_refused(command + " >/dev/null </dev/null 1</dev/null", "it closed");  // open for reading alone
  }
}

// So that it shows only when it is written: a page is longer than the file may be.
TEST_P(EveryTool, FailsWhereTheRoomEndsMeanwhile) {
  const TemporaryFolder folder;
  expect_refused("trap '' XFSZ; ulimit -f 1; " + path() + " --print-man-page >'" + (folder / "page").string() + "'", "File too large");
}

TEST_P(EveryTool, FailsWhereItsReaderHasGone) {
  const TemporaryFolder folder;
  const std::string code = (folder / "code").string();
  for (const std::string& option : prints) {
    expect_refused("{ sleep 0.2; " + path() + " " + option + "; echo $? >'" + code + "'; } | : ; exit $(cat '" + code + "')",
                   "that its reader has gone (Broken pipe)");
  }
}

TEST_P(EveryTool, WritesNothingIntoFilesInPlaceOfClosedStreams) {
  const auto [code, said] = shell(path() + " --version <&- 2>&-");
  EXPECT_EQ(code, 0) << said;
  EXPECT_EQ(said.substr(0, 5), "smpc ");
}

TEST_P(EveryTool, TellsItsHelpAndVersionWithoutAHome) {
  for (const std::string& option : prints) {
    const auto [code, said] = shell("env -i " + path() + " " + option);
    EXPECT_EQ(code, 0) << option << ": " << said;
    EXPECT_FALSE(said.empty());
  }
}

TEST(Home, DefaultsAreShownInWordsWhereNothingSaysWhatTheyAre) {
  for (const std::string role : {"client", "server", "dealer"}) {
    const std::string tool = "smpc-" + role;
    std::string help = shell("env -i " + path_of(tool) + " --help").second;
    EXPECT_NE(help.find("$SMPC_HOME/" + role + ", else"), help.npos) << help;
    EXPECT_NE(help.find("$XDG_STATE_HOME/smpc/" + role + ","), help.npos) << help;
    help = shell("env -i HOME=/h XDG_STATE_HOME=relative XDG_CONFIG_HOME= " + path_of(tool) + " --help").second;
    EXPECT_NE(help.find("~/.local/state/smpc/" + role), help.npos) << help;
    EXPECT_NE(help.find("~/.config/smpc/" + role), help.npos) << help;
  }
}

TEST(Home, IsAskedForOnlyWhereAFolderIsNotNamed) {
  const TemporaryFolder folder;
  const std::string base = (folder / "id").string();
  EXPECT_EQ(shell("env -i " + path_of("smpc-certs") + " init '" + base + "'").first, 0);
  for (const std::string home : {"", "HOME= ", "HOME=relative XDG_STATE_HOME=also XDG_CONFIG_HOME=. "}) {
    const std::string bare = "env -i " + home;
    const auto refused = [&](const std::string& command, const std::string& part) {
      const auto [code, said] = shell(bare + command);
      EXPECT_EQ(code, 2) << command << ": " << said;
      EXPECT_NE(said.find(part), said.npos) << said;
      EXPECT_EQ(std::count(said.begin(), said.end(), '\n'), 1) << said;
    };
    refused(path_of("smpc-dealer"), "expected SMPC_HOME, XDG_CONFIG_HOME or HOME");
    refused(path_of("smpc-dealer") + " --identity '" + base + "/dealer'", "expected XDG_STATE_HOME or HOME to say where state is kept");
    refused(path_of("smpc-client") + " audit verify", "name the folder with --state");
    refused(path_of("smpc-certs") + " init", "expected SMPC_HOME, XDG_CONFIG_HOME or HOME");
    // All that it needs is named.
    const auto [code, said] = shell(bare + path_of("smpc-client") + " audit verify --state '" + base + "'");
    EXPECT_EQ(code, 3) << said;
    EXPECT_NE(said.find("expected the state of a client, found no client.db"), said.npos) << said;
  }
  smpc::testing::Daemon dealer("smpc-dealer",
                               {"--listen", "127.0.0.1:0", "--identity", base + "/dealer", "--state", (folder / "state").string()},
                               folder / "log", {}, {{"HOME", ""}, {"SMPC_HOME", ""}, {"XDG_CONFIG_HOME", ""}, {"XDG_STATE_HOME", ""}});
  dealer.wait_for("smpc-dealer ready");
  EXPECT_EQ(dealer.stop(), 0);
}

// A tool whose --help has filled a pipe that nobody reads: it stands still in the middle of its work. Not as root, who owns
// what is closed anyway.
class StandsStill {
 public:
  explicit StandsStill(const std::string& tool) {
    const std::string path = std::string(SMPC_BIN_DIR) + "/" + tool;
    if (::pipe2(pipe_, O_CLOEXEC | O_NONBLOCK) != 0) throw std::runtime_error("no pipe");
    while (::write(pipe_[1], "x", 1) == 1) {
    }
    ::fcntl(pipe_[1], F_SETFL, ::fcntl(pipe_[1], F_GETFL) & ~O_NONBLOCK);
    pid_ = ::fork();
    if (pid_ != 0) return;
    ::dup2(pipe_[1], STDOUT_FILENO);
    if (::geteuid() == 0 && (::setgid(65534) != 0 || ::setuid(65534) != 0)) std::_Exit(126);
    ::execl(path.c_str(), path.c_str(), "--help", nullptr);
    std::_Exit(127);
  }
  ~StandsStill() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    ::close(pipe_[0]);
    ::close(pipe_[1]);
  }
  std::string file(const std::string& name) const { return "/proc/" + std::to_string(pid_) + "/" + name; }

 private:
  int pipe_[2] = {-1, -1};
  pid_t pid_ = -1;
};

std::string line_of(const std::string& file, const std::string& begin) {
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with(begin)) return line.substr(begin.size());
  }
  return {};
}

TEST_P(EveryTool, LeavesNoCoreDumpAndLetsNobodyReadItsMemory) {
  const StandsStill tool(GetParam());
  // Of a process that may not be dumped, root owns the files in /proc (prctl(2), PR_SET_DUMPABLE).
  const auto closed = [&] {
    struct stat found {};
    return ::stat(tool.file("environ").c_str(), &found) == 0 && found.st_uid == 0 &&
           line_of(tool.file("limits"), "Max core file size").find_first_not_of(" 0bytes") == std::string::npos;
  };
  for (int i = 0; i < 300 && !(line_of(tool.file("status"), "Name:").find("smpc-") != std::string::npos && closed()); ++i) {
    std::this_thread::sleep_for(100ms);
  }
  EXPECT_NE(line_of(tool.file("status"), "Name:").find(GetParam()), std::string::npos) << "not started as another user";
  EXPECT_TRUE(closed());
}

INSTANTIATE_TEST_SUITE_P(Tools, EveryTool, ::testing::ValuesIn(all_tools), [](const auto& p) { return p.param.substr(5); });

}  // namespace
}  // namespace smpc::tools
