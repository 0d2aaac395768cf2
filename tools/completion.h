// Completion for bash, from the definitions that --help is made of. It needs nothing beside bash.
#pragma once

#include <string>

#include "command_text.h"

namespace smpc::tools {

std::string bash_completion(const CommandText& command);

}  // namespace smpc::tools
