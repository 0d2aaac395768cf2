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

}  // namespace smpc::image
