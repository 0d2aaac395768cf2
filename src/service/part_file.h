// A download in progress: a file that is only ever appended to, so that what was written is there after a crash.
#pragma once

#include <filesystem>

#include "smpc/base/bytes.h"

namespace smpc {

class PartFile {
 public:
  explicit PartFile(const std::filesystem::path& path);  // 0600
  ~PartFile();
  PartFile(const PartFile&) = delete;
  PartFile& operator=(const PartFile&) = delete;

  void append(ByteView bytes);
  void sync();

 private:
  [[noreturn]] void fail(const char* what) const;
  std::filesystem::path path_;
  int fd_;
};

}  // namespace smpc
