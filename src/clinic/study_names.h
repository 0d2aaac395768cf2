// What a scan's path says of it: the entities of BIDS, each a key and a label of letters and digits.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>

namespace smpc {

struct ScanNames {
  std::map<std::string, std::string> entities;  // of the whole path; of several with one key the last
  // A part of the path that begins as a participant or session does and is none, or is another one than before it: nobody
  // may guess whose scan it is.
  std::string bad_part;
  std::string reason;  // what was expected, and what it is
};

ScanNames scan_names(const std::filesystem::path& file);

// Whose folder it is, by its name; "" where it is nobody's.
std::string participant_of_folder(const std::string& folder);

// Letters and digits.
bool is_label(std::string_view text);

}  // namespace smpc
