// The bytes of a scan, read from front to back, inflated where they are gzip (RFC 1952), through fixed buffers
// that are wiped.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>

namespace smpc::image {

class Inflater;

class ScanFile {
 public:
  // Refuses what is not a regular file, without blocking, and an empty file. Errors call it `name`; empty: its path.
  explicit ScanFile(const std::filesystem::path& path, const std::string& name = {});
  ~ScanFile();
  ScanFile(const ScanFile&) = delete;
  ScanFile& operator=(const ScanFile&) = delete;

  // Exactly out.size() bytes; `what` names them in the error when the file ends early.
  void read(std::span<std::byte> out, const char* what);
  void skip(std::uint64_t count, const char* what);
  // As many of out.size() bytes as are left; how many they were.
  std::size_t read_some(std::span<std::byte> out);

  // A compressed file must end here, with the right checksum and nothing but zeros after its last member. Of a plain file
  // the rest is passed over.
  void expect_end();

  // Back to the first byte.
  void rewind();

  const std::string& name() const noexcept { return name_; }
  bool compressed() const noexcept { return inflater_ != nullptr; }
  std::uint64_t file_size() const noexcept { return size_; }
  std::uint64_t position() const noexcept { return position_; }

  // The most bytes that can be in there: the size of a plain file; what deflate can make of a compressed one.
  std::uint64_t most_bytes() const noexcept;

  // Throws bad_input: the name, then the message.
  [[noreturn]] void fail(const std::string& message) const;

 private:
  std::size_t read_raw(std::span<std::byte> out);  // less than asked for at the end of the file alone

  std::string name_;
  int fd_ = -1;
  std::uint64_t size_ = 0;
  std::uint64_t position_ = 0;  // in the inflated bytes
  std::unique_ptr<Inflater> inflater_;
};

}  // namespace smpc::image
