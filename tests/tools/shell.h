// Shell commands, for tests.
#pragma once

#include <sys/wait.h>

#include <cstdio>
#include <string>
#include <utility>
#include <vector>

namespace smpc::tools {

inline const std::vector<std::string> all_tools = {"smpc-certs",  "smpc-client", "smpc-compile",
                                                   "smpc-dealer", "smpc-server", "smpc-verify"};

// Runs a shell command; its standard output and error.
inline std::pair<int, std::string> shell(const std::string& command) {
  std::FILE* pipe = ::popen(("{ " + command + "\n} 2>&1").c_str(), "r");
  std::string text;
  char part[4096];
  for (std::size_t n = 0; (n = std::fread(part, 1, sizeof part, pipe)) > 0;) text.append(part, n);
  const int status = ::pclose(pipe);
  return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, text};
}

}  // namespace smpc::tools
