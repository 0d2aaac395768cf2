// Files that hold a key.
#pragma once

#include <filesystem>

#include "smpc/base/bytes.h"

namespace smpc {

// Reads a file that nobody but its owner, this process's user and root may read or write. Where its mode shows more, the
// access list (POSIX ACL) behind the mode is asked: systemd hands a credential of root to a service's user by one, and the
// mode then shows 0440. Judged is the open file, not the path. Throws bad_input; wiping the bytes is the caller's.
Bytes read_private_file(const std::filesystem::path& path, std::size_t longest);

}  // namespace smpc
