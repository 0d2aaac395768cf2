#include "smpc/base/mapped_file.h"

#include <sys/mman.h>

#include <cerrno>

#include "open_file.h"
#include "smpc/base/error.h"
#include "smpc/base/file_error.h"

namespace smpc {

MappedFile::MappedFile(const std::filesystem::path& path) {
  const OpenFile file(path);
  const auto size = static_cast<std::size_t>(file.status.st_size);
  if (size == 0) return;
  void* const at = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.fd.get(), 0);
  if (at == MAP_FAILED) fail_file(path, "map", errno);
  bytes_ = {static_cast<const std::byte*>(at), size};
  const std::string pointer = unfetched_content(path, bytes_);
  if (pointer.empty()) return;
  ::munmap(at, size);
  fail_input(path.string() + ": expected a file's content, found " + pointer);
}

MappedFile::~MappedFile() {
  if (!bytes_.empty()) ::munmap(const_cast<std::byte*>(bytes_.data()), bytes_.size());
}

}  // namespace smpc
