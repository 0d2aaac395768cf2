// The bytes of a file in order, inflated where the file is gzipped (told by its first bytes, not its name).
#pragma once

#include <zlib.h>

#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace smpc {

class ByteSource {
 public:
  // Refuses what is no regular file, without blocking on a FIFO.
  explicit ByteSource(const std::filesystem::path& path);
  ~ByteSource();
  ByteSource(const ByteSource&) = delete;
  ByteSource& operator=(const ByteSource&) = delete;

  // All of `out`, or refuses the file as ending early; `what` is what is being read.
  void read(std::span<std::byte> out, const char* what);
  void skip(std::uint64_t count, const char* what);
  // After the data: a gzipped file must end here, its checksum right and nothing behind it.
  void expect_end();

  bool gzipped() const noexcept { return gzipped_; }
  // The most bytes that the file can hold: its size, or what deflate can make of it at best.
  std::uint64_t most_bytes() const noexcept;

 private:
  std::size_t fill(std::span<std::byte> out);  // fewer only at the end
  bool refill();
  [[noreturn]] void fail(const std::string& text) const;

  std::string name_;
  int fd_ = -1;
  std::uint64_t size_ = 0;
  bool gzipped_ = false;
  bool ended_ = false;  // the gzip member has
  std::vector<unsigned char> buffer_;
  z_stream stream_{};
};

}  // namespace smpc
