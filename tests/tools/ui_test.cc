// smpc-client ui as a process: what it prints, what it opens, how it ends. The page stands for the built one.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <thread>

#include "support/process.h"

namespace smpc::testing {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

std::string content(const fs::path& path) {
  std::ostringstream out;
  out << std::ifstream(path).rdbuf();
  return out.str();
}

// smpc-client in a folder of its own, since the page's is beside it, and an identity.
class Ui : public ::testing::Test {
 protected:
  Ui() {
    fs::create_directories(folder_ / "bin");
    fs::copy_file(fs::path(SMPC_BIN_DIR) / "smpc-client", folder_ / "bin/smpc-client");
    fs::create_directories(folder_ / "share/smpc/web");
    std::ofstream(folder_ / "share/smpc/web/index.html") << "<!doctype html>";
    EXPECT_EQ(run("smpc-certs", {"init", (folder_ / "id").string()}).exit_code, 0);
    const char* path = std::getenv("PATH");
    path_ = path != nullptr ? path : "/usr/bin:/bin";
  }
  ~Ui() override { ::setenv("PATH", path_.c_str(), 1); }

  // As a path that the bin folder's name can be put before.
  std::string tool() const { return fs::relative(folder_ / "bin/smpc-client", SMPC_BIN_DIR).string(); }
  std::vector<std::string> arguments(const std::vector<std::string>& more = {}) const {
    std::vector<std::string> out{"ui", "--identity", (folder_ / "id/client").string(), "--state", (folder_ / "state").string()};
    out.insert(out.end(), more.begin(), more.end());
    return out;
  }
  std::string start(const std::vector<std::string>& more = {}) {
    daemon_ = std::make_unique<Daemon>(tool(), arguments(more), folder_ / "log");
    return daemon_->wait_for("open http://127.0.0.1:").substr(5);
  }

  TemporaryFolder folder_;
  std::unique_ptr<Daemon> daemon_;
  std::string path_;
};

TEST_F(Ui, PrintsOneLineAndEndsWhenItIsTold) {
  const std::string url = start({"--json"});
  const std::string before = "http://127.0.0.1:";
  const std::size_t slash = url.find('/', before.size());
  ASSERT_NE(slash, url.npos) << url;
  EXPECT_EQ(url.size(), slash + 1 + 43 + 1);  // 32 bytes in base64url
  EXPECT_EQ(daemon_->log(), "open " + url + "\n");
  EXPECT_EQ(daemon_->stop(), 0);
  EXPECT_EQ(daemon_->log(), "open " + url + "\n");

  const std::string port = url.substr(before.size(), slash - before.size());
  const std::string again = start({"--port", port});
  EXPECT_EQ(again.substr(0, slash), url.substr(0, slash));
  EXPECT_NE(again, url);  // another token
  const Outcome second = run(tool(), arguments({"--port", port}));
  EXPECT_EQ(second.exit_code, 4);
  EXPECT_NE(second.err.find("127.0.0.1:" + port + ": expected to listen there"), std::string::npos) << second.err;
  EXPECT_EQ(second.out, "");
}

TEST_F(Ui, OpensTheBrowserWithAFileThatOnlyTheUserCanRead) {
  fs::create_directories(folder_ / "fake");
  const fs::path told = folder_ / "told";
  std::ofstream(folder_ / "fake/xdg-open") << "#!/bin/sh\n{ echo \"$#\"; echo \"$1\"; stat -c %a \"$1\"; cat \"$1\"; } > " << told.string()
                                           << ".part && mv " << told.string() << ".part " << told.string() << "\n";
  ::chmod((folder_ / "fake/xdg-open").c_str(), 0700);
  ::setenv("PATH", ((folder_ / "fake").string() + ":" + path_).c_str(), 1);
  const std::string url = start({"--open"});
  const auto deadline = std::chrono::steady_clock::now() + 60s;
  while (!fs::exists(told) && std::chrono::steady_clock::now() < deadline) std::this_thread::sleep_for(5ms);
  std::istringstream lines(content(told));
  std::string count, file, mode, page;
  std::getline(lines, count);
  std::getline(lines, file);
  std::getline(lines, mode);
  std::getline(lines, page);
  EXPECT_EQ(count, "1");
  EXPECT_EQ(file.find(url.substr(url.size() - 44, 43)), std::string::npos);  // no token on a command line
  EXPECT_EQ(mode, "600");
  EXPECT_NE(page.find("url=" + url + "\""), std::string::npos) << page;
  EXPECT_EQ(daemon_->stop(), 0);
  EXPECT_FALSE(fs::exists(file));
}

TEST_F(Ui, WithoutABrowserToOpenItServesAllTheSame) {
  ::setenv("PATH", (folder_ / "nowhere").c_str(), 1);
  const std::string url = start({"--open"});
  const std::string hint = daemon_->wait_for("no browser could be started");
  EXPECT_NE(hint.find("xdg-open"), std::string::npos);
  EXPECT_EQ(daemon_->stop(), 0);
}

TEST_F(Ui, ASignalAtItsFirstLineEndsItInOrder) {
  EXPECT_EQ(stopped_at_its_first_line(tool(), arguments(), folder_ / "log"), 0);
}

TEST_F(Ui, WithoutTheBuiltPageItSaysWhatToInstall) {
  fs::remove_all(folder_ / "share");
  const Outcome r = run(tool(), arguments());
  EXPECT_EQ(r.exit_code, 3);
  EXPECT_EQ(r.out, "");
  EXPECT_EQ(std::count(r.err.begin(), r.err.end(), '\n'), 1) << r.err;
  EXPECT_NE(r.err.find((folder_ / "share/smpc/web").string()), std::string::npos) << r.err;
  EXPECT_NE(r.err.find("node and npm"), std::string::npos) << r.err;
}

}  // namespace
}  // namespace smpc::testing
