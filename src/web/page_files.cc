#include "page_files.h"

#include "smpc/base/error.h"
#include "smpc/base/file.h"

namespace smpc::web {
namespace {

constexpr std::size_t longest_file = std::size_t{1} << 26;

std::string type_of(const std::filesystem::path& file) {
  static const std::map<std::string, std::string> types = {
      {".html", "text/html; charset=utf-8"},
      {".js", "text/javascript; charset=utf-8"},
      {".css", "text/css; charset=utf-8"},
      {".json", "application/json"},
      {".svg", "image/svg+xml"},
      {".png", "image/png"},
      {".ico", "image/x-icon"},
      {".txt", "text/plain; charset=utf-8"},
      {".wasm", "application/wasm"},
      {".woff2", "font/woff2"},
      {".gz", "application/gzip"},
  };
  const auto found = types.find(file.extension().string());
  return found == types.end() ? "application/octet-stream" : found->second;
}

}  // namespace

PageFiles::PageFiles(const std::filesystem::path& folder) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(folder / "index.html", error)) {
    fail_input("expected the built page in " + folder.string() +
               ", found none: it needs node and npm when smpc is built; install them and build again");
  }
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (!entry.is_regular_file()) continue;
    const std::string path = entry.path().lexically_relative(folder).generic_string();
    const Bytes content = read_file(entry.path(), longest_file);
    files_[path == "index.html" ? "" : path] = {type_of(entry.path()),
                                               std::make_shared<std::string>(as_text(content))};
  }
}

const PageFile* PageFiles::find(const std::string& path) const {
  const auto found = files_.find(path);
  return found == files_.end() ? nullptr : &found->second;
}

}  // namespace smpc::web
