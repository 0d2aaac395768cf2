// How a file begins, to tell its format.
#pragma once

#include <filesystem>

#include "smpc/base/bytes.h"

namespace smpc::image {

// At most `count` bytes. Refuses what read_file refuses.
Bytes file_head(const std::filesystem::path& path, std::size_t count);

}  // namespace smpc::image
