// The built page, read into memory once: no path of a request ever reaches the file system.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>

namespace smpc::web {

struct PageFile {
  std::string type;
  std::shared_ptr<const std::string> content;
};

class PageFiles {
 public:
  // Throws bad_input where there is no index.html, saying what to install.
  explicit PageFiles(const std::filesystem::path& folder);

  // By its path below the folder, "" being index.html; null where there is none.
  const PageFile* find(const std::string& path) const;

 private:
  std::map<std::string, PageFile> files_;
};

}  // namespace smpc::web
