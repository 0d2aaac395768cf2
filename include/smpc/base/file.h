// Whole small files, and durable ones.
#pragma once

#include <filesystem>

#include "smpc/base/bytes.h"

namespace smpc {

// Reads a regular file of at most `longest` bytes. A folder, FIFO, device or missing file is refused without blocking.
Bytes read_file(const std::filesystem::path& path, std::size_t longest = std::size_t{1} << 31);

// How a file begins, to tell its format: its first `count` bytes, fewer where it is shorter. Refuses what read_file refuses.
Bytes read_head(const std::filesystem::path& path, std::size_t count);

// Writes to a temporary beside `path`, syncs, renames, syncs the folder: afterwards the file is whole or as it was.
// `owner_only` makes it 0600 from the start.
void write_file(const std::filesystem::path& path, ByteView data, bool owner_only = false);

// Makes renames, new files and removals in a folder durable.
void sync_folder(const std::filesystem::path& folder);

}  // namespace smpc
