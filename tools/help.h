// --help: wrapped to the terminal's width, in groups, with limits and defaults, then examples, exit codes and trust.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "command_text.h"

namespace smpc::tools {

// What every tool says at the end.
const std::vector<std::pair<int, std::string>>& exit_codes();
const std::string& trust_model();  // three lines of at most 80 columns

// `text` in lines of at most `columns`, the second and later ones indented. Words are not cut; "\n" begins a new line.
std::string wrapped(const std::string& text, std::size_t columns, std::size_t indent = 0);

// `inherited`: of the command that this one belongs to, whose options are taken here as well; or null.
std::string help_text(const CommandText& command, const CommandText* inherited, std::size_t columns);

// "[--image FILE] [COMMAND]": what follows a command's name.
std::string usage(const CommandText& command);

// "--output FILE": the names of an option, and what it takes.
std::string signature(const OptionText& option);

}  // namespace smpc::tools
