// A scan on its way in: a file without a name in the temporary folder, gone with its owner.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>

namespace smpc::web {

class Upload {
 public:
  // In $TMPDIR, else /tmp; 0600. Room for `expected` bytes is taken at once, where the file system can. Throws bad_input
  // where there is no such folder, or no room in it.
  explicit Upload(std::optional<std::uint64_t> expected);
  ~Upload();
  Upload(const Upload&) = delete;
  Upload& operator=(const Upload&) = delete;

  void append(std::span<const char> bytes);  // throws bad_input where there is no room

  // Opens it, in this process, for as long as this object lives.
  std::filesystem::path path() const;

 private:
  [[noreturn]] void fail_room() const;

  std::filesystem::path folder_;
  int fd_ = -1;
  std::uint64_t size_ = 0;
};

}  // namespace smpc::web
