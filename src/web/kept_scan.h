// The scan that was uploaded last, checked from front to back.
#pragma once

#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <stop_token>
#include <string>

#include "smpc/base/grid.h"
#include "smpc/image/scan.h"
#include "upload.h"

namespace smpc::web {

class KeptScan {
 public:
  // Reads the whole file; refuses what the command line refuses, in the same words. Connects to nobody.
  KeptScan(std::uint64_t number, std::string name, std::unique_ptr<Upload> file, std::stop_token stop, bool nan_as_zero);

  std::uint64_t number() const noexcept { return number_; }
  std::string id() const { return std::to_string(number_); }
  const std::string& name() const noexcept { return name_; }
  std::filesystem::path path() const { return file_->path(); }

  // What POST api/scan answers.
  nlohmann::json description(const Grid& model) const;

 private:
  std::uint64_t number_;
  std::string name_;  // the browser's
  std::unique_ptr<Upload> file_;
  ScanHeader header_;
};

nlohmann::json to_json(const Grid& grid);

}  // namespace smpc::web
