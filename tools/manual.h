// Manual pages, in the man(7) macros, from the definitions that --help is made of.
#pragma once

#include <string>

#include "command_text.h"

namespace smpc::tools {

std::string manual_page(const CommandText& command);

}  // namespace smpc::tools
