// The folder of --state.
#pragma once

#include <filesystem>
#include <string>

namespace smpc {

// Makes `folder` (0700) where it is not there. One that is there must belong to this process's user and hold `database`, or
// nothing that is not this project's; it is closed to others then. Any other is refused as it is: whose ever it is, its mode
// is none of our business.
void take_state_folder(const std::filesystem::path& folder, const std::string& database);

}  // namespace smpc
