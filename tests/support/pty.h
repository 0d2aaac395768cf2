// A tool on a terminal: what it draws, and what stands there in the end.
#pragma once

#include <map>

#include "support/process.h"

namespace smpc::testing {

struct PtyOptions {
  std::size_t columns = 80;
  std::map<std::string, std::string> environment;  // beside the test's own; an empty value takes one away
  bool output_to_file = false;                     // standard output is no terminal then
  std::chrono::seconds limit{120};
  std::string typed{};                             // is typed as soon as it has begun
  std::function<void(int pid, const std::string& drawn)> watch{};  // called whenever something was drawn
};

struct PtyOutcome {
  int exit_code = -1;
  std::string drawn;  // every byte that reached the terminal, its newlines as "\r\n"
  std::string out;    // where output_to_file is set
};

// Whether this system has pseudo-terminals to give; a bare root may not have /dev/pts.
bool has_terminals();

// Runs a program (a path, or a tool's name) with a terminal of its own as standard error, and as standard output.
PtyOutcome run_on_terminal(const std::string& program, const std::vector<std::string>& arguments, const PtyOptions& options);

// What a terminal of that width shows after `drawn`. Knows what this project draws: text, \r, \n, erasing to the end of
// the line, colours. Anything else is an error.
struct Screen {
  Screen(const std::string& drawn, std::size_t columns);
  std::vector<std::string> lines;  // without blanks at their ends, and without empty lines at the end
  std::size_t widest = 0;          // columns that any line took at any time
  bool wrapped = false;            // a line went on at the next, at any time
};

}  // namespace smpc::testing
