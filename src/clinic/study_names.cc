#include "study_names.h"

#include <algorithm>
#include <regex>
#include <string_view>
#include <vector>

namespace smpc {
namespace {

namespace fs = std::filesystem;

// What stands between underscores: "sub-01", "bold", "bold.nii.gz".
struct Part {
  std::string key;     // of an entity; else empty
  std::string label;
  std::string text;    // without the extension
  bool extension = false;
};

std::vector<Part> parts_of(const std::string& component) {
  static const std::regex form("(?:([A-Za-z0-9]+)-([A-Za-z0-9]+)|[^.]*)((?:\\.[A-Za-z][A-Za-z0-9]*)*)");
  std::vector<Part> out;
  for (std::size_t from = 0; from <= component.size();) {
    const std::size_t to = std::min(component.find('_', from), component.size());
    const std::string text = component.substr(from, to - from);
    std::smatch match;
    if (std::regex_match(text, match, form)) {
      out.push_back({match[1], match[2], text.substr(0, text.size() - static_cast<std::size_t>(match[3].length())), match[3].length() > 0});
    } else {
      out.push_back({"", "", text, false});
    }
    from = to + 1;
  }
  return out;
}

bool begins_as_owner(std::string_view text) { return text.starts_with("sub-") || text.starts_with("ses-"); }
bool is_owner(const Part& part) { return part.key == "sub" || part.key == "ses"; }

// Whether a part, or what follows it, makes another label than it seems to be: "sub-a+1", "sub-1.5", "sub-a_01"; and as a
// folder's name "sub-a_b", since only a file's has more than entities (or that of a folder with an extension, as .ica).
bool is_bad(const std::vector<Part>& parts, bool folder) {
  const bool owners = is_owner(parts.front()) || begins_as_owner(parts.front().text);
  const bool plain_folder = folder && !parts.back().extension;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (begins_as_owner(parts[i].text) && !is_owner(parts[i])) return true;
    if (!owners || i == 0 || !parts[i].key.empty()) continue;
    const bool number = !parts[i].text.empty() && parts[i].text[0] >= '0' && parts[i].text[0] <= '9';
    if (plain_folder || parts[i].text.empty() || (number && is_owner(parts[i - 1]))) return true;
  }
  return false;
}

}  // namespace

bool is_label(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  });
}

ScanNames scan_names(const fs::path& file) {
  ScanNames out;
  const auto bad = [&](const std::string& component, const std::string& reason) {
    if (!out.bad_part.empty()) return;
    out.bad_part = component;
    out.reason = reason;
  };
  for (auto at = file.begin(); at != file.end(); ++at) {
    const std::string component = at->string();
    const std::vector<Part> parts = parts_of(component);
    if (is_bad(parts, std::next(at) != file.end())) {
      bad(component, "expected sub- and ses- with a label of letters and digits, as BIDS has them, found '" + component + "'; rename it");
    }
    for (const Part& part : parts) {
      if (part.key.empty()) continue;
      std::string& label = out.entities[part.key];
      if (is_owner(part) && !label.empty() && label != part.label) {
        bad(component, "expected one " + part.key + "- in its path, found " + part.key + "-" + label + " and " + part.key + "-" + part.label);
      }
      label = part.label;
    }
  }
  return out;
}

std::string participant_of_folder(const std::string& folder) {
  const std::vector<Part> parts = parts_of(folder);
  if (is_bad(parts, true)) return folder.starts_with("sub-") ? folder.substr(4) : "";
  for (const Part& part : parts) {
    if (part.key == "sub") return part.label;
  }
  return "";
}

}  // namespace smpc
