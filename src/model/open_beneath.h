// A file that lies below a folder, whatever others do to the paths meanwhile.
#pragma once

#include <filesystem>

namespace smpc {

// Opens for reading; -1 and errno where that fails. By openat2 the kernel follows no link on the way, in `below` or at its end, and
// leaves the folder by no "..". A kernel or sandbox without it: the last name alone is kept from being a link, and the caller
// has looked at those before. Never waits for a pipe's writer.
int open_beneath(const std::filesystem::path& folder, const std::filesystem::path& below);

}  // namespace smpc
