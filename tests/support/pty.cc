#include "support/pty.h"

#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <sys/wait.h>
#include <unistd.h>

#include <clocale>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <cwchar>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace smpc::testing {
namespace {

[[noreturn]] void become(const std::string& path, const std::vector<std::string>& arguments, const PtyOptions& options,
                         const std::string& out) {
  for (const auto& [name, value] : options.environment) {
    value.empty() ? ::unsetenv(name.c_str()) : ::setenv(name.c_str(), value.c_str(), 1);
  }
  if (options.output_to_file) ::dup2(::open(out.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600), 1);
  std::vector<char*> argv{const_cast<char*>(path.c_str())};
  for (const std::string& a : arguments) argv.push_back(const_cast<char*>(a.c_str()));
  argv.push_back(nullptr);
  ::execv(path.c_str(), argv.data());
  std::_Exit(127);
}

// What it draws until it closes the terminal.
std::string read_all(int terminal, int pid, const PtyOptions& options) {
  const auto deadline = std::chrono::steady_clock::now() + options.limit;
  std::string drawn;
  char part[4096];
  while (true) {
    pollfd waiting{terminal, POLLIN, 0};
    if (std::chrono::steady_clock::now() > deadline) {
      ::kill(pid, SIGKILL);
      ::waitpid(pid, nullptr, 0);
      throw std::runtime_error("it did not end in time; drawn: " + drawn);
    }
    if (::poll(&waiting, 1, 100) <= 0) continue;
    const ssize_t n = ::read(terminal, part, sizeof part);
    if (n <= 0) return drawn;  // EIO: the other side is closed
    drawn.append(part, static_cast<std::size_t>(n));
    if (options.watch) options.watch(pid, drawn);
  }
}

}  // namespace

bool has_terminals() {
  int terminal = -1;
  int other = -1;
  if (::openpty(&terminal, &other, nullptr, nullptr, nullptr) != 0) return false;
  ::close(terminal);
  ::close(other);
  return true;
}

PtyOutcome run_on_terminal(const std::string& program, const std::vector<std::string>& arguments, const PtyOptions& options) {
  const std::string path = program.find('/') == std::string::npos ? std::string(SMPC_BIN_DIR) + "/" + program : program;
  const TemporaryFolder folder;
  const std::string out = (folder / "out").string();
  winsize size{};
  size.ws_row = 40;
  size.ws_col = static_cast<unsigned short>(options.columns);
  int terminal = -1;
  const int pid = ::forkpty(&terminal, nullptr, nullptr, &size);
  if (pid < 0) throw std::runtime_error("no terminal to be had");
  if (pid == 0) become(path, arguments, options, out);
  ::fcntl(terminal, F_SETFD, FD_CLOEXEC);
  if (!options.typed.empty() && ::write(terminal, options.typed.data(), options.typed.size()) < 0) {
    throw std::runtime_error("nothing can be typed");
  }
  PtyOutcome r;
  r.drawn = read_all(terminal, pid, options);
  ::close(terminal);
  int status = 0;
  ::waitpid(pid, &status, 0);
  r.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  std::ostringstream content;
  if (options.output_to_file) content << std::ifstream(out).rdbuf();
  r.out = content.str();
  return r;
}

Screen::Screen(const std::string& drawn, std::size_t columns) {
  const locale_t unicode = ::newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
  const locale_t before = ::uselocale(unicode);
  std::vector<std::vector<std::string>> cells(1);  // a character each
  std::size_t row = 0;
  std::size_t column = 0;
  std::mbstate_t state{};
  for (std::size_t i = 0; i < drawn.size();) {
    const std::string_view rest = std::string_view(drawn).substr(i);
    if (rest[0] == '\r') {
      column = 0;
      ++i;
    } else if (rest[0] == '\n') {
      if (++row == cells.size()) cells.emplace_back();
      ++i;
    } else if (rest.starts_with("\033[K")) {
      cells[row].resize(std::min(column, cells[row].size()));
      i += 3;
    } else if (rest.starts_with("\033[")) {
      const std::size_t end = rest.find_first_not_of("0123456789;", 2);
      if (end == std::string::npos || rest[end] != 'm') throw std::runtime_error("drew what is not known: " + drawn.substr(i, 10));
      i += end + 1;
    } else {
      wchar_t c = 0;
      const std::size_t bytes = std::mbrtowc(&c, rest.data(), rest.size(), &state);
      const int width = bytes > 0 && bytes <= rest.size() ? ::wcwidth(c) : -1;
      if (width < 0) throw std::runtime_error("drew what is no text: " + drawn.substr(i, 10));
      if (column + static_cast<std::size_t>(width) > columns) {
        wrapped = true;
        column = 0;
        if (++row == cells.size()) cells.emplace_back();
      }
      if (cells[row].size() <= column) cells[row].resize(column + 1, " ");
      cells[row][column] = rest.substr(0, bytes);
      for (int extra = 1; extra < width; ++extra) {
        cells[row].resize(std::max(cells[row].size(), column + 2));
        cells[row][column + 1].clear();
      }
      column += static_cast<std::size_t>(width);
      widest = std::max(widest, column);
      i += bytes;
    }
  }
  for (const auto& row_cells : cells) {
    std::string line;
    for (const std::string& cell : row_cells) line += cell;
    line.erase(line.find_last_not_of(' ') + 1);
    lines.push_back(line);
  }
  while (!lines.empty() && lines.back().empty()) lines.pop_back();
  ::uselocale(before);
  ::freelocale(unicode);
}

}  // namespace smpc::testing
