#include "file_head.h"

#include <fstream>

#include "smpc/base/error.h"

namespace smpc::image {

Bytes file_head(const std::filesystem::path& path, std::size_t count) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error)) fail_input(path.string() + ": expected a file, found a folder, pipe or device, or nothing");
  std::ifstream in(path, std::ios::binary);
  std::string head(count, '\0');
  in.read(head.data(), static_cast<std::streamsize>(count));
  if (!in && !in.eof()) fail_input(path.string() + ": cannot be read");
  head.resize(static_cast<std::size_t>(in.gcount()));
  const ByteView bytes = as_bytes(head);
  return {bytes.begin(), bytes.end()};
}

std::string found_pointer(ByteView head) {
  const std::string_view text = as_text(head);
  if (text.starts_with("/annex/objects/")) {
    return "found a pointer of git-annex: its content is not fetched; fetch it: git annex get";
  }
  if (text.starts_with("version https://git-lfs.github.com/spec/")) {
    return "found a pointer of Git LFS: its content is not fetched; fetch it: git lfs pull";
  }
  return {};
}

}  // namespace smpc::image
