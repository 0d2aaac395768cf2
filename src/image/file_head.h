// How a file begins, to tell its format.
#pragma once

#include <filesystem>
#include <string>

#include "smpc/base/bytes.h"

namespace smpc::image {

// At most `count` bytes. Refuses what read_file refuses.
Bytes file_head(const std::filesystem::path& path, std::size_t count);

// Whether a file that begins so only stands for one whose content is elsewhere: a pointer of git-annex or Git LFS. Then what
// to be told, to be read after "expected ...": "found ...; fetch it: ..."; else "".
constexpr std::size_t pointer_head_bytes = 64;
std::string found_pointer(ByteView head);

}  // namespace smpc::image
