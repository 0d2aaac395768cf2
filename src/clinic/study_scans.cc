// Which scans there are in a study, and what their results are called.
#include <algorithm>
#include <array>
#include <map>
#include <regex>
#include <set>
#include <span>

#include "smpc/base/error.h"
#include "smpc/base/text.h"
#include "smpc/clinic/study.h"
#include "study_names.h"
#include "study_walk.h"

namespace smpc {
namespace {

namespace fs = std::filesystem;

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

// What FSL calls a participant; "" where the name has none.
std::string number_of_subject(const fs::path& file) {
  std::smatch match;
  const std::string name = file.filename().string();
  const std::regex form("(?:^|_)subject([A-Za-z0-9]+)(?=[_.]|$)");
  return std::regex_search(name, match, form) ? match[1].str() : "";
}

// A place in the study that is no scan. Its name is no result's: it has a slash.
StudyScan place(const fs::path& path, const std::string& what, const std::string& reason) {
  StudyScan scan;
  scan.name = "./" + printable(path.generic_string());
  scan.refusal = path.generic_string() + ": " + what + reason;
  return scan;
}

StudyScan refused_scan(const fs::path& file, const ScanNames& names) {
  StudyScan scan;
  const std::string part = names.bad_part.substr(0, names.bad_part.find(".nii"));
  const bool owner = part.starts_with("sub-");
  scan.name = owner ? printable(part) : "./" + printable(file.generic_string());
  if (owner) scan.participant = printable(part.substr(4));
  scan.files = {file};
  scan.refusal = file.generic_string() + ": " + names.reason;
  return scan;
}

// In BIDS' order. A name has the first; the others too where several files have the same of the first.
constexpr std::array first_keys = {"task", "acq", "ce", "rec", "dir", "run"};
constexpr std::array all_keys = {"sample", "task", "acq",  "ce",   "trc",   "rec",    "dir",   "run",   "mod", "echo", "flip", "inv",
                                 "part",   "proc", "hemi", "space", "cohort", "split", "chunk", "seg", "res",  "den",  "label", "desc"};

StudyScan scan_of(const fs::path& file, std::span<const char* const> keys) {
  const ScanNames names = scan_names(file);
  if (!names.bad_part.empty()) return refused_scan(file, names);
  const auto label = [&](const char* key) {
    const auto found = names.entities.find(key);
    return found == names.entities.end() ? std::string() : found->second;
  };
  StudyScan scan;
  scan.files = {file};
  scan.participant = label("sub").empty() ? number_of_subject(file) : label("sub");
  if (scan.participant.empty()) {
    scan.name = "./" + printable(file.generic_string());
    scan.refusal = file.string() + ": expected the participant as sub-LABEL in the path or as subjectNUMBER in the file's name, " +
                   "found neither; choose files with --pattern";
    return scan;
  }
  scan.name = "sub-" + scan.participant;
  scan.folder = scan.name;
  if (const std::string session = label("ses"); !session.empty()) {
    scan.name += "_ses-" + session;
    scan.folder /= "ses-" + session;
  }
  scan.folder /= "func";
  for (const char* key : keys) {
    if (const std::string text = label(key); !text.empty()) scan.name += std::string("_") + key + "-" + text;
  }
  return scan;
}

std::string without_prefix(const std::string& label) { return label.starts_with("sub-") ? label.substr(4) : label; }

// The labels that were asked for; none: all there are.
std::set<std::string> wanted_labels(const StudyOptions& options) {
  std::set<std::string> out;
  for (const std::string& asked : options.participants) {
    const std::string label = without_prefix(asked);
    if (!is_label(label)) {
      fail_usage("--participant-label: expected letters and digits, with sub- before them or without, found '" + asked + "'");
    }
    out.insert(label);
  }
  return out;
}

using Scans = std::map<std::string, StudyScan>;  // by name

void add(Scans& scans, const StudyScan& scan) {
  const auto [at, is_new] = scans.emplace(scan.name, scan);
  if (!is_new) at->second.files.push_back(scan.files.front());
}

Scans scans_of(const std::vector<fs::path>& files) {
  Scans groups;
  for (const fs::path& file : files) add(groups, scan_of(file, first_keys));
  Scans scans;
  for (const auto& [name, group] : groups) {
    const bool alone = group.files.size() == 1 || !group.refusal.empty();
    if (alone) scans.emplace(name, group);
    for (const fs::path& file : alone ? std::vector<fs::path>() : group.files) add(scans, scan_of(file, all_keys));
  }
  for (auto& [name, scan] : scans) {
    const std::size_t more = scan.files.size() - 1;
    if (!scan.refusal.empty() && more > 0) scan.refusal += "; so do " + std::to_string(more) + " more files";
  }
  return scans;
}

// Those of the participants that were asked for alone, and one without a file for each that is not there.
Scans chosen(const Scans& scans, const std::set<std::string>& labels) {
  Scans out;
  for (const std::string& label : labels) {
    bool found = false;
    for (const auto& [name, scan] : scans) {
      if (scan.participant != label) continue;
      out.emplace(name, scan);
      found = true;
    }
    const std::string name = "sub-" + label;
    if (!found) out.emplace(name, StudyScan{.participant = label, .name = name, .folder = fs::path(name) / "func", .files = {}});
  }
  return out;
}

// Where somebody's scans may be missing is a failure, but for participants who were asked for and are all there.
void add_places(const StudyWalk& walk, Scans& scans, bool all_found) {
  for (const auto& [path, reason] : walk.unread) {
    StudyScan scan = place(path, "expected a folder that can be read, found ", reason);
    scan.passed_over = all_found;
    scans.emplace(scan.name, scan);
  }
  for (const auto& [path, reason] : walk.dead_links) {
    StudyScan scan = place(path, "", reason);
    scan.passed_over = true;
    scans.emplace(scan.name, scan);
  }
}

}  // namespace

std::vector<StudyScan> find_study_scans(const StudyOptions& options) {
  const std::set<std::string> labels = wanted_labels(options);
  StudyWalk walk = walk_study(options, [&](const std::string& folder) {
    const std::string whose = participant_of_folder(folder);
    return labels.empty() || whose.empty() || labels.contains(whose);
  });
  if (options.pattern.empty()) drop_z_maps(walk.files);
  if (walk.files.empty() && walk.unread.empty() && labels.empty()) {
    fail_input(options.bids_dir.string() + ": expected files " + study_pattern(options) + ", found none; choose others with --pattern");
  }
  Scans scans = scans_of(walk.files);
  const bool nobodys = !scans.empty() && walk.unread.empty() && std::all_of(scans.begin(), scans.end(), [](const auto& entry) {
    return entry.second.participant.empty();
  });
  if (nobodys) fail_input(scans.begin()->second.refusal);  // the wrong files altogether
  if (!labels.empty()) scans = chosen(scans, labels);
  const bool all_found = !labels.empty() && std::all_of(scans.begin(), scans.end(), [](const auto& entry) { return !entry.second.files.empty(); });
  add_places(walk, scans, all_found);
  std::vector<StudyScan> out;
  for (const auto& [name, scan] : scans) out.push_back(scan);
  return out;
}

}  // namespace smpc
