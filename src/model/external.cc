// Values in files beside the model's (onnx/docs/ExternalData.md).
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <limits>
#include <map>
#include <optional>

#include "open_beneath.h"
#include "proto.h"
#include "smpc/base/error.h"
#include "smpc/base/fd.h"

namespace smpc {
namespace {

namespace fs = std::filesystem;
using onnx::TensorProto;

class ExternalData {
 public:
  ExternalData(const fs::path& folder, const std::string& source) : folder_(folder.empty() ? fs::path(".") : folder), source_(source) {}

  void read(TensorProto& t, const std::string& name) {
    if (t.data_location() != TensorProto::EXTERNAL) return;
    what_ = "the values of " + quote_name(name);
    std::map<std::string, std::string> entries;
    for (const auto& e : t.external_data()) {
      if (!entries.emplace(e.key(), e.value()).second) refuse("key " + quote_name(e.key()) + " is given twice");
      if (e.key() != "location" && e.key() != "offset" && e.key() != "length" && e.key() != "checksum") {
        refuse("key " + quote_name(e.key()) + " is unknown");
      }
    }
    if (entries.count("location") == 0) refuse("expected a location, found none");
    const Fd file(open_beneath(folder_, checked_path(entries.at("location"))));
    struct stat found {};
    // Looked at once more: it may have been exchanged meanwhile.
    if (file.get() < 0 || ::fstat(file.get(), &found) != 0) refuse("cannot be read: " + std::string(std::strerror(errno)));
    expect_plain(found);
    const auto size = static_cast<std::uint64_t>(found.st_size);
    const std::uint64_t offset = number(entries, "offset").value_or(0);
    if (offset > size) refuse("expected an offset within " + std::to_string(size) + " bytes, found " + std::to_string(offset));
    const std::uint64_t length = number(entries, "length").value_or(size - offset);
    if (length > size - offset) {
      refuse("expected " + std::to_string(length) + " bytes from " + std::to_string(offset) + " on, found " + std::to_string(size - offset));
    }
    total_ += length;
    if (total_ > static_cast<std::uint64_t>(std::numeric_limits<int>::max())) refuse("expected less than 2 GB of values in all");
    std::string& raw = *t.mutable_raw_data();
    raw.resize(length);
    for (std::uint64_t at = 0; at < length;) {
      const ssize_t n = ::pread(file.get(), raw.data() + at, length - at, static_cast<off_t>(offset + at));
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) refuse("cannot be read to its end");
      at += static_cast<std::uint64_t>(n);
    }
    t.clear_external_data();
    t.clear_data_location();
  }

 private:
  [[noreturn]] void refuse(const std::string& why) const {
    fail_model(source_, what_ + ", in another file: " + why + "; save the model with its weights inside, or in a file beside it");
  }

  // Of the file below the folder, without "."; nothing is opened on the way.
  fs::path checked_path(const std::string& location) const {
    const fs::path relative(location);
    if (location.empty() || location.find('\0') != std::string::npos || relative.is_absolute()) {
      refuse("expected a relative path, found " + quote_name(location));
    }
    fs::path path;
    struct stat found {};
    bool last = false;
    for (auto part = relative.begin(); part != relative.end();) {
      const fs::path name = *part++;
      last = part == relative.end();
      if (name == "..") refuse("expected a path without '..', found " + quote_name(location));
      if (name == ".") continue;
      path /= name;
      if (::lstat((folder_ / path).c_str(), &found) != 0) refuse(quote_name(location) + " is not there: " + std::strerror(errno));
      if (!last && !S_ISDIR(found.st_mode)) refuse("expected folders and no links on the way to " + quote_name(location));
    }
    if (path.empty()) refuse("expected the name of a file, found " + quote_name(location));
    expect_plain(found);
    return path;
  }

  void expect_plain(const struct stat& found) const {
    if (!S_ISREG(found.st_mode)) refuse("expected a plain file, found a link, folder, pipe or device");
    if (found.st_nlink != 1) refuse("expected a file of one name, found a hard link");
  }

  std::optional<std::uint64_t> number(const std::map<std::string, std::string>& entries, const char* key) const {
    const auto at = entries.find(key);
    if (at == entries.end()) return std::nullopt;
    std::uint64_t value = 0;
    const char* const end = at->second.data() + at->second.size();
    const auto [stop, error] = std::from_chars(at->second.data(), end, value);
    if (error != std::errc() || stop != end) refuse(std::string(key) + ": expected a number, found " + quote_name(at->second));
    return value;
  }

  fs::path folder_;
  const std::string& source_;
  std::string what_;
  std::uint64_t total_ = 0;
};

}  // namespace

void read_external_data(onnx::ModelProto& model, const fs::path& folder, const std::string& source) {
  ExternalData data(folder, source);
  for (TensorProto& t : *model.mutable_graph()->mutable_initializer()) data.read(t, t.name());
  for (onnx::NodeProto& n : *model.mutable_graph()->mutable_node()) {
    for (auto& a : *n.mutable_attribute()) {
      if (a.has_t()) data.read(*a.mutable_t(), n.output_size() > 0 ? n.output(0) : n.name());
    }
  }
}

}  // namespace smpc
