// A file mapped read-only: large files are paged in as they are read, and not copied.
#pragma once

#include <filesystem>

#include "smpc/base/bytes.h"

namespace smpc {

class MappedFile {
 public:
  explicit MappedFile(const std::filesystem::path& path);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  ByteView bytes() const noexcept { return bytes_; }

 private:
  ByteView bytes_;
};

}  // namespace smpc
