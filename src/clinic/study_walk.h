// The files of a study that a pattern wants, whatever else is in its folders.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "smpc/clinic/study.h"

namespace smpc {

struct StudyWalk {
  struct Place {
    std::filesystem::path path;  // below bids_dir
    std::string reason;
  };
  std::vector<std::filesystem::path> files;  // below bids_dir, in order; links among them, wherever they lead
  std::vector<Place> unread;                 // folders that could not be read, so that scans may be missing
  std::vector<Place> dead_links;             // that lead nowhere, and may have stood for a folder
};

// The pattern that is used where options give none.
std::string study_pattern(const StudyOptions& options);

// Hidden folders, linked folders, out_dir and the folders that `enter` does not want (of its name alone) are not searched.
// Throws nothing for what it meets on its way.
StudyWalk walk_study(const StudyOptions& options, const std::function<bool(const std::string& folder)>& enter);

}  // namespace smpc
