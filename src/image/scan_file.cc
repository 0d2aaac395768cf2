#include "scan_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <limits>
#include <new>
#include <utility>

#include "dicom.h"
#include "smpc/base/error.h"
#include "smpc/base/file_error.h"
#include "smpc/base/secret.h"

namespace smpc::image {
namespace {

constexpr std::size_t buffer_bytes = std::size_t{1} << 16;

// Deflate spends at least two bits on a match of at most 258 bytes (RFC 1951).
constexpr std::uint64_t deflate_most_ratio = 1032;

constexpr unsigned char gzip_first_byte = 0x1f;

// zlib's window holds voxels: its memory is wiped too. Each block is headed by its size.
constexpr std::size_t block_head = alignof(std::max_align_t);

voidpf take_block(voidpf, uInt items, uInt size) {
  const std::size_t bytes = std::size_t{items} * size + block_head;
  void* block = ::operator new(bytes, std::nothrow);
  if (block == nullptr) return Z_NULL;
  std::memset(block, 0, bytes);
  std::memcpy(block, &bytes, sizeof bytes);
  return static_cast<std::byte*>(block) + block_head;
}

void give_block(voidpf, voidpf address) {
  std::byte* block = static_cast<std::byte*>(address) - block_head;
  std::size_t bytes = 0;
  std::memcpy(&bytes, block, sizeof bytes);
  wipe(std::span(block, bytes));
  ::operator delete(block);
}

}  // namespace

// The members of a gzip file, inflated as far as they are asked for, one after the other as if they were one
// (RFC 1952, 2.2). Zeros may fill up the file behind the last, as gzip has it.
class Inflater {
 public:
  Inflater() : in_(buffer_bytes) {
    stream_.zalloc = take_block;
    stream_.zfree = give_block;
    constexpr int gzip_only = 16 + MAX_WBITS;
    if (inflateInit2(&stream_, gzip_only) != Z_OK) throw std::bad_alloc();
  }
  ~Inflater() { inflateEnd(&stream_); }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  // Fills `out` as far as the members go. `refill` gives compressed bytes and says 0 at the end of the file.
  template <class Refill, class Fail>
  std::size_t inflate_some(std::span<std::byte> out, const Refill& refill, const Fail& fail) {
    stream_.next_out = reinterpret_cast<Bytef*>(out.data());
    stream_.avail_out = static_cast<uInt>(out.size());
    while (!ended_ && stream_.avail_out > 0) {
      if (between_ && !begin_member(refill, fail)) break;
      top_up(refill);
      const bool dry = stream_.avail_in == 0;
      const int result = inflate(&stream_, Z_NO_FLUSH);
      if (result == Z_STREAM_END) {
        between_ = true;
      } else if (result == Z_MEM_ERROR) {
        throw std::bad_alloc();
      } else if (result == Z_BUF_ERROR || (result == Z_OK && dry && stream_.avail_out > 0)) {
        fail("expected a whole gzip file, found one that is cut short; copy it again");
      } else if (result != Z_OK) {
        fail(std::string("expected intact gzip data, found damaged data (") +
             (stream_.msg != nullptr ? stream_.msg : "no checksum agrees") + "); copy the file again");
      }
    }
    return out.size() - stream_.avail_out;
  }

 private:
  // Behind a member: whether there is another.
  template <class Refill, class Fail>
  bool begin_member(const Refill& refill, const Fail& fail) {
    top_up(refill);
    if (stream_.avail_in > 0 && *stream_.next_in == gzip_first_byte) {
      if (inflateReset(&stream_) != Z_OK) throw std::bad_alloc();
      between_ = false;
      return true;
    }
    while (stream_.avail_in > 0) {
      const auto rest = std::span(stream_.next_in, stream_.avail_in);
      if (std::any_of(rest.begin(), rest.end(), [](Bytef b) { return b != 0; })) {
        fail("expected nothing but zeros after the last gzip member, found other bytes; copy the file again, or write it "
             "again: gunzip it, then gzip it");
      }
      stream_.avail_in = 0;
      top_up(refill);
    }
    ended_ = true;
    return false;
  }

  template <class Refill>
  void top_up(const Refill& refill) {
    if (stream_.avail_in > 0) return;
    stream_.next_in = reinterpret_cast<Bytef*>(in_.data());
    stream_.avail_in = static_cast<uInt>(refill(std::span<std::byte>(in_)));
  }

  z_stream stream_{};
  SecretBytes in_;
  bool between_ = false;  // the end of a member was the last that was read
  bool ended_ = false;    // so was the end of the file
};

ScanFile::ScanFile(const std::filesystem::path& path, const std::string& name)
    : name_(name.empty() ? path.string() : name) {
  // O_NONBLOCK: opening a FIFO must not wait for a writer.
  fd_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (fd_ < 0) fail("expected a NIfTI file that can be read, found " + file_problem(path, errno));
  try {
    struct stat st {};
    if (::fstat(fd_, &st) != 0) fail(std::string("cannot be examined: ") + std::strerror(errno));
    if (S_ISDIR(st.st_mode) && holds_dicom(path)) {
      fail(std::string("expected a NIfTI file (.nii or .nii.gz), found a folder of DICOM files") + convert_dicom);
    }
    if (!S_ISREG(st.st_mode)) {
      fail("expected a NIfTI file (.nii or .nii.gz), found a folder, pipe, socket or device; name the file itself");
    }
    if (st.st_size <= 0) fail("expected a NIfTI file (.nii or .nii.gz), found an empty file; copy it again");
    size_ = static_cast<std::uint64_t>(st.st_size);
    std::array<unsigned char, 2> magic{};
    const ssize_t n = ::pread(fd_, magic.data(), magic.size(), 0);
    if (n < 0) fail(std::string("cannot be read: ") + std::strerror(errno));
    if (n == 2 && magic[0] == gzip_first_byte && magic[1] == 0x8b) inflater_ = std::make_unique<Inflater>();
  } catch (...) {
    ::close(fd_);
    throw;
  }
}

ScanFile::~ScanFile() { ::close(fd_); }

void ScanFile::fail(const std::string& message) const { fail_input(name_ + ": " + message); }

std::uint64_t ScanFile::most_bytes() const noexcept {
  if (!compressed()) return size_;
  constexpr std::uint64_t most = std::numeric_limits<std::uint64_t>::max();
  return size_ > most / deflate_most_ratio ? most : size_ * deflate_most_ratio;
}

std::size_t ScanFile::read_raw(std::span<std::byte> out) {
  std::size_t done = 0;
  while (done < out.size()) {
    const ssize_t n = ::read(fd_, out.data() + done, out.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail(std::string("cannot be read: ") + std::strerror(errno));
    if (n == 0) break;
    done += static_cast<std::size_t>(n);
  }
  return done;
}

std::size_t ScanFile::read_some(std::span<std::byte> out) {
  const auto refill = [&](std::span<std::byte> in) { return read_raw(in); };
  const auto fail_gzip = [&](const std::string& message) { fail(message); };
  std::size_t done = 0;
  while (done < out.size()) {
    const auto part = out.subspan(done, std::min(out.size() - done, buffer_bytes));
    const std::size_t n = compressed() ? inflater_->inflate_some(part, refill, fail_gzip) : read_raw(part);
    done += n;
    position_ += n;
    if (n < part.size()) break;
  }
  return done;
}

void ScanFile::read(std::span<std::byte> out, const char* what) {
  const std::size_t done = read_some(out);
  if (done == out.size()) return;
  fail("expected " + std::to_string(position_ + (out.size() - done)) + " bytes or more (" + what + "), found " +
       std::to_string(position_) + "; the file is cut short, copy it again");
}

void ScanFile::skip(std::uint64_t count, const char* what) {
  SecretBytes sink(static_cast<std::size_t>(std::min<std::uint64_t>(count, buffer_bytes)));
  while (count > 0) {
    const auto part = static_cast<std::size_t>(std::min<std::uint64_t>(count, sink.size()));
    read(std::span(sink).first(part), what);
    count -= part;
  }
}

void ScanFile::rewind() {
  if (::lseek(fd_, 0, SEEK_SET) != 0) fail(std::string("cannot be read again: ") + std::strerror(errno));
  position_ = 0;
  if (compressed()) inflater_ = std::make_unique<Inflater>();
}

void ScanFile::expect_end() {
  if (!compressed()) return;
  const auto refill = [&](std::span<std::byte> in) { return read_raw(in); };
  const auto fail_gzip = [&](const std::string& message) { fail(message); };
  SecretBytes extra(1);
  if (inflater_->inflate_some(extra, refill, fail_gzip) > 0) {
    fail("expected " + std::to_string(position_) + " bytes as its header says, found more; write the file again with "
         "the tool that made it");
  }
}

}  // namespace smpc::image
