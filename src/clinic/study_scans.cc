// Which scans there are in a study, and what their results are called.
#include <fnmatch.h>

#include <algorithm>
#include <map>
#include <regex>

#include "smpc/base/error.h"
#include "smpc/clinic/study.h"

namespace smpc {
namespace {

namespace fs = std::filesystem;

constexpr const char* default_pattern = "dr_stage2_subject*.nii.gz";

bool matches(const std::string& pattern, const fs::path& relative) {
  const bool whole = pattern.find('/') != std::string::npos;
  const std::string text = whole ? relative.generic_string() : relative.filename().string();
  return ::fnmatch(pattern.c_str(), text.c_str(), 0) == 0;
}

// Links to files are followed; links to folders are not, since they may lead in a circle.
std::vector<fs::path> matching_files(const StudyOptions& options) {
  const std::string pattern = options.pattern.empty() ? default_pattern : options.pattern;
  const fs::path root = fs::canonical(options.bids_dir);
  const fs::path out = fs::weakly_canonical(options.out_dir);
  std::vector<fs::path> found;
  for (auto at = fs::recursive_directory_iterator(root); at != fs::recursive_directory_iterator(); ++at) {
    const bool folder = at->is_directory();
    const bool hidden = at->path().filename().string().starts_with('.');
    if (folder && (hidden || fs::weakly_canonical(at->path()) == out)) at.disable_recursion_pending();
    if (folder || hidden) continue;
    const fs::path relative = at->path().lexically_relative(root);
    if (matches(pattern, relative)) found.push_back(relative);
  }
  std::sort(found.begin(), found.end());
  return found;
}

// FSL writes dr_stage2_subject00000_Z.nii.gz beside dr_stage2_subject00000.nii.gz: the same map, divided by its noise.
void drop_z_maps(std::vector<fs::path>& files) {
  const auto is_z_map = [files](const fs::path& file) {
    std::string path = file.string();
    const std::string ending = "_Z.nii.gz";
    if (!path.ends_with(ending)) return false;
    path.replace(path.size() - ending.size(), ending.size(), ".nii.gz");
    return std::binary_search(files.begin(), files.end(), fs::path(path));
  };
  files.erase(std::remove_if(files.begin(), files.end(), is_z_map), files.end());
}

// The last "key-LABEL" in a path; in a file's name alone where that is what is given.
std::string entity(const std::string& key, const std::string& path) {
  const std::regex form("(?:^|[/_])" + key + "-([A-Za-z0-9]+)(?=[/_.]|$)");
  std::string last;
  for (auto at = std::sregex_iterator(path.begin(), path.end(), form); at != std::sregex_iterator(); ++at) last = (*at)[1];
  return last;
}

std::string participant_of(const fs::path& file) {
  if (const std::string label = entity("sub", file.generic_string()); !label.empty()) return label;
  std::smatch match;
  const std::string name = file.filename().string();
  if (std::regex_search(name, match, std::regex("subject([A-Za-z0-9]+)"))) return match[1];
  fail_input(file.string() + ": expected the participant as sub-LABEL in the path or as subjectNUMBER in the file's name, " +
             "found neither; choose files with --pattern");
}

StudyScan scan_of(const fs::path& file) {
  StudyScan scan;
  scan.participant = participant_of(file);
  scan.name = "sub-" + scan.participant;
  scan.folder = scan.name;
  if (const std::string session = entity("ses", file.generic_string()); !session.empty()) {
    scan.name += "_ses-" + session;
    scan.folder /= "ses-" + session;
  }
  scan.folder /= "func";
  for (const char* key : {"task", "acq", "ce", "rec", "dir", "run"}) {  // in BIDS' order
    const std::string label = entity(key, file.filename().string());
    if (!label.empty()) scan.name += std::string("_") + key + "-" + label;
  }
  scan.files = {file};
  return scan;
}

std::string without_prefix(const std::string& label) { return label.starts_with("sub-") ? label.substr(4) : label; }

}  // namespace

std::vector<StudyScan> find_study_scans(const StudyOptions& options) {
  std::vector<fs::path> files;
  try {
    files = matching_files(options);
  } catch (const fs::filesystem_error& e) {
    fail_input(options.bids_dir.string() + ": cannot be searched: " + e.what());
  }
  if (options.pattern.empty()) drop_z_maps(files);
  if (files.empty()) {
    fail_input(options.bids_dir.string() + ": expected files " +
               (options.pattern.empty() ? default_pattern : options.pattern) + ", found none; choose others with --pattern");
  }
  std::map<std::string, StudyScan> scans;  // by name
  for (const fs::path& file : files) {
    StudyScan scan = scan_of(file);
    const auto [at, is_new] = scans.emplace(scan.name, scan);
    if (!is_new) at->second.files.push_back(file);
  }
  std::map<std::string, StudyScan> wanted;
  for (const std::string& asked : options.participants) {
    const std::string label = without_prefix(asked);
    bool found = false;
    for (const auto& [name, scan] : scans) {
      if (scan.participant != label) continue;
      wanted.emplace(name, scan);
      found = true;
    }
    const std::string name = "sub-" + label;
    if (!std::regex_match(label, std::regex("[A-Za-z0-9]+"))) {
      fail_usage("--participant-label: expected letters and digits, with sub- before them or without, found '" + asked + "'");
    }
    if (!found) wanted.emplace(name, StudyScan{label, name, fs::path(name) / "func", {}});
  }
  std::vector<StudyScan> out;
  for (const auto& [name, scan] : options.participants.empty() ? scans : wanted) out.push_back(scan);
  return out;
}

}  // namespace smpc
