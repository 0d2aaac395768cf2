// What the system says of a file, in words that a person can act on.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>

#include "smpc/base/bytes.h"

namespace smpc {

// What stands in the way of `path` by an errno, and what to do: goes after "found ". Looks at the folders and links on the
// way, so that the one that is missing, closed or broken is named.
std::string file_problem(const std::filesystem::path& path, int error);

// Throws bad_input: "PATH: cannot WHAT, found PROBLEM".
[[noreturn]] void fail_file(const std::filesystem::path& path, const char* what, int error);

// Of stat's st_mode: "a folder", "a pipe", ...
std::string file_kind(mode_t mode);

// A file that stands for another whose content has not been fetched (Git LFS, git-annex), by how it begins: what it is and
// what to do, to go after "found "; else empty.
std::string unfetched_content(const std::filesystem::path& path, ByteView head);

}  // namespace smpc
