// A folder of this process, in memory where the system has such a place, gone at the end.
#pragma once

#include <stdlib.h>

#include <filesystem>
#include <string>

#include "smpc/base/error.h"

namespace smpc::fuzz {

class Scratch {
 public:
  Scratch() {
    const std::filesystem::path memory("/dev/shm");
    const auto base = std::filesystem::is_directory(memory) ? memory : std::filesystem::temp_directory_path();
    std::string name = (base / "smpc-fuzz-XXXXXX").string();
    SMPC_CHECK(::mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  ~Scratch() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  const std::filesystem::path& path() const noexcept { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace smpc::fuzz
