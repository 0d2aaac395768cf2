// What switches a fault on in a sabotaged build is in no binary that is installed.
#include <gtest/gtest.h>

#include <filesystem>
#include <regex>
#include <set>

#include "smpc/base/bytes.h"
#include "smpc/base/file.h"

namespace smpc {
namespace {

namespace fs = std::filesystem;

std::string text_of(const fs::path& file) { return std::string(as_text(read_file(file))); }

// The variable and the names of the faults, as the source of the switch holds them.
std::vector<std::string> words_of_the_switch() {
  const std::string source = text_of(fs::path(SMPC_TEST_DATA) / "../../src/base/sabotage.cc");
  const std::regex quoted("\"([A-Za-z_-]+)\"");
  std::vector<std::string> out;
  for (std::sregex_iterator it(source.begin(), source.end(), quoted), end; it != end; ++it) out.push_back((*it)[1]);
  EXPECT_EQ(out.size(), 9U);
  return out;
}

// What a script of the installation, and those that it includes, install.
void add_binaries(const fs::path& script, std::set<fs::path>& out) {
  const std::regex installed("TYPE (?:EXECUTABLE|SHARED_LIBRARY|STATIC_LIBRARY|MODULE)[^\"]* FILES \"([^\"]+)\"");
  const std::regex included("include\\(\"([^\"]+)\"\\)");
  const std::string text = text_of(script);
  for (std::sregex_iterator it(text.begin(), text.end(), installed), end; it != end; ++it) out.insert(it->str(1));
  for (std::sregex_iterator it(text.begin(), text.end(), included), end; it != end; ++it) add_binaries(it->str(1), out);
}

std::vector<fs::path> installed_binaries() {
  std::set<fs::path> out;
  add_binaries(fs::path(SMPC_BUILD_DIR) / "cmake_install.cmake", out);
  for (const char* tool : {"certs", "client", "compile", "dealer", "server", "verify"}) {
    EXPECT_TRUE(out.contains(fs::path(SMPC_BIN_DIR) / (std::string("smpc-") + tool))) << tool;
  }
  return {out.begin(), out.end()};
}

std::vector<std::string> found_in(const std::string& bytes) {
  std::vector<std::string> out = words_of_the_switch();
  std::erase_if(out, [&](const std::string& word) { return bytes.find(word) == bytes.npos; });
  return out;
}

#ifndef SMPC_SABOTAGE

TEST(Sabotage, NoInstalledBinaryHoldsIt) {
  for (const fs::path& binary : installed_binaries()) {
    const std::string bytes = text_of(binary);
    EXPECT_GT(bytes.size(), 100000U) << binary;
    EXPECT_EQ(found_in(bytes), std::vector<std::string>{}) << binary;
  }
}

#else

TEST(Sabotage, TheSearchFindsItInASabotagedBuild) {
  for (const fs::path& binary : installed_binaries()) {
    const std::string tool = binary.filename();
    if (tool == "smpc-server" || tool == "smpc-dealer" || tool == "smpc-client") {
      EXPECT_EQ(found_in(text_of(binary)), words_of_the_switch()) << tool;
    }
  }
}

#endif

}  // namespace
}  // namespace smpc
