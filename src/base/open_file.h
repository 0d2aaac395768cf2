// Files as this room opens them.
#pragma once

#include <sys/stat.h>

#include <filesystem>

#include "smpc/base/bytes.h"
#include "smpc/base/fd.h"

namespace smpc {

// A regular file, open for reading. Throws bad_input for anything else, without blocking.
struct OpenFile {
  explicit OpenFile(const std::filesystem::path& path);
  Fd fd;
  struct stat status {};
};

// Its first `size` bytes. Throws bad_input where it ends before, or only stands for content that is elsewhere.
Bytes read_first(const OpenFile& file, const std::filesystem::path& path, std::size_t size);
// All of it, at most `longest` bytes.
Bytes read_all(const OpenFile& file, const std::filesystem::path& path, std::size_t longest);

}  // namespace smpc
