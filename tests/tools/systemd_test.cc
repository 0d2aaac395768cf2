// The units for systemd: that systemd understands them, and that they say what the daemons understand.
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <sstream>

#include "support/process.h"
#include "tools/shell.h"

namespace smpc::tools {
namespace {

std::string unit(const std::string& tool) {
  std::ifstream in(std::string(SMPC_SHARE_DIR) + "/systemd/" + tool + ".service");
  return {std::istreambuf_iterator<char>(in), {}};
}

std::string value(const std::string& text, const std::string& key) {
  const std::size_t at = text.find("\n" + key + "=");
  if (at == std::string::npos) return {};
  const std::size_t from = at + key.size() + 2;
  return text.substr(from, text.find('\n', from) - from);
}

class SystemdUnit : public ::testing::TestWithParam<std::string> {};

TEST_P(SystemdUnit, GivesOptionsThatTheDaemonHas) {
  std::istringstream words(value(unit(GetParam()), "ExecStart"));
  std::string word;
  words >> word;
  EXPECT_TRUE(word.ends_with("/bin/" + GetParam())) << word;
  const std::string help = smpc::testing::run(GetParam(), {"--help"}).out;
  int options = 0;
  while (words >> word) {
    if (!word.starts_with("--")) continue;
    ++options;
    EXPECT_NE(help.find(word), std::string::npos) << word;
  }
  EXPECT_EQ(options, 4);
}

// What it is killed after must be more than what it lets inferences have.
TEST_P(SystemdUnit, LetsWhatIsInProgressEnd) {
  const std::string text = unit(GetParam());
  const std::string start = value(text, "ExecStart");
  const int drain = std::stoi(start.substr(start.find("--drain ") + 8));
  EXPECT_GT(std::stoi(value(text, "TimeoutStopSec")), drain + 10);
  EXPECT_EQ(value(text, "ExecReload"), "kill -HUP $MAINPID");
  EXPECT_EQ(value(text, "LimitCORE"), "0");
  EXPECT_EQ(value(text, "MemorySwapMax"), "0");
}

TEST_P(SystemdUnit, IsUnderstoodBySystemd) {
  const smpc::testing::TemporaryFolder folder;
  std::string text = unit(GetParam());
  const std::string program = value(text, "ExecStart").substr(0, value(text, "ExecStart").find(' '));
  text.replace(text.find(program), program.size(), std::string(SMPC_BIN_DIR) + "/" + GetParam());
  const auto path = folder / (GetParam() + ".service");
  std::ofstream(path) << text;
  if (shell("command -v systemd-analyze").first != 0) GTEST_SKIP() << "systemd-analyze is not installed";
  const auto [code, said] = shell("systemd-analyze --man=no verify '" + path.string() + "'");
  EXPECT_EQ(code, 0) << said;
  EXPECT_EQ(said.find(GetParam() + ".service"), std::string::npos) << said;
}

INSTANTIATE_TEST_SUITE_P(Daemons, SystemdUnit, ::testing::Values("smpc-dealer", "smpc-server"), [](const auto& p) {
  return p.param.substr(5);
});

}  // namespace
}  // namespace smpc::tools
