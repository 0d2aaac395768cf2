#include "byte_source.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "smpc/base/error.h"

namespace smpc {
namespace {

constexpr std::size_t buffer_bytes = 1U << 16;
constexpr std::uint64_t best_ratio = 1032;  // of deflate (zlib's technical notes)
constexpr int gzip_window = 15 + 16;        // zlib's code for: a gzip header, the largest window

}  // namespace

ByteSource::ByteSource(const std::filesystem::path& path) : name_(path.string()), buffer_(buffer_bytes) {
  fd_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  struct stat st {};
  if (fd_ < 0 || ::fstat(fd_, &st) != 0) {
    const int error = errno;
    if (fd_ >= 0) ::close(fd_);
    fail(std::string("cannot be read: ") + std::strerror(error));
  }
  if (!S_ISREG(st.st_mode)) {
    ::close(fd_);
    fail("expected a file, found a folder, pipe or device");
  }
  size_ = static_cast<std::uint64_t>(st.st_size);
  std::array<unsigned char, 2> magic{};
  gzipped_ = ::pread(fd_, magic.data(), 2, 0) == 2 && magic[0] == 0x1f && magic[1] == 0x8b;
  if (gzipped_) SMPC_CHECK(inflateInit2(&stream_, gzip_window) == Z_OK);
}

ByteSource::~ByteSource() {
  if (gzipped_) inflateEnd(&stream_);
  if (fd_ >= 0) ::close(fd_);
}

void ByteSource::fail(const std::string& text) const { fail_input(name_ + ": " + text); }

std::uint64_t ByteSource::most_bytes() const noexcept { return gzipped_ ? size_ * best_ratio : size_; }

bool ByteSource::refill() {
  while (true) {
    const ssize_t n = ::read(fd_, buffer_.data(), buffer_.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail(std::string("cannot be read: ") + std::strerror(errno));
    stream_.next_in = buffer_.data();
    stream_.avail_in = static_cast<uInt>(n);
    return n > 0;
  }
}

std::size_t ByteSource::fill(std::span<std::byte> out) {
  std::size_t done = 0;
  while (done < out.size() && !ended_) {
    if (stream_.avail_in == 0 && !refill()) {
      if (gzipped_) fail("expected a whole gzip file, found one that ends early");
      break;
    }
    const std::size_t room = std::min<std::size_t>(out.size() - done, 1U << 30);
    if (!gzipped_) {
      const std::size_t n = std::min<std::size_t>(room, stream_.avail_in);
      std::memcpy(out.data() + done, stream_.next_in, n);
      stream_.next_in += n;
      stream_.avail_in -= static_cast<uInt>(n);
      done += n;
      continue;
    }
    stream_.next_out = reinterpret_cast<unsigned char*>(out.data() + done);
    stream_.avail_out = static_cast<uInt>(room);
    const int code = inflate(&stream_, Z_NO_FLUSH);
    if (code != Z_OK && code != Z_STREAM_END && code != Z_BUF_ERROR) {
      fail(std::string("expected a gzip file, found a damaged one (") + (stream_.msg ? stream_.msg : "bad data") + ")");
    }
    done += room - stream_.avail_out;
    ended_ = code == Z_STREAM_END;
  }
  return done;
}

void ByteSource::read(std::span<std::byte> out, const char* what) {
  const std::size_t n = fill(out);
  if (n < out.size()) {
    fail("ends early: expected " + std::to_string(out.size()) + " more bytes of its " + what + ", found " +
         std::to_string(n));
  }
}

void ByteSource::skip(std::uint64_t count, const char* what) {
  std::vector<std::byte> waste(std::min<std::uint64_t>(count, buffer_bytes));
  while (count > 0) {
    const auto part = std::span(waste).first(static_cast<std::size_t>(std::min<std::uint64_t>(count, waste.size())));
    read(part, what);
    count -= part.size();
  }
}

void ByteSource::expect_end() {
  if (!gzipped_) return;
  std::array<std::byte, 1> more{};
  if (fill(more) > 0) fail("expected its data to end where its header says, found more");
  if (stream_.avail_in > 0 || refill()) fail("expected one gzip member, found bytes after it");
}

}  // namespace smpc
