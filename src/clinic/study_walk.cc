#include "study_walk.h"

#include <fnmatch.h>

#include <algorithm>
#include <system_error>

#include "smpc/base/file_error.h"

namespace smpc {
namespace {

namespace fs = std::filesystem;

constexpr const char* default_pattern = "dr_stage2_subject*.nii.gz";

bool matches(const std::string& pattern, const fs::path& relative) {
  const bool whole = pattern.find('/') != std::string::npos;
  const std::string text = whole ? relative.generic_string() : relative.filename().string();
  return ::fnmatch(pattern.c_str(), text.c_str(), 0) == 0;
}

class Walk {
 public:
  Walk(const StudyOptions& options, const std::function<bool(const std::string&)>& enter)
      : enter_(enter), pattern_(study_pattern(options)), root_(options.bids_dir), out_(fs::weakly_canonical(options.out_dir)) {}

  StudyWalk all() {
    std::error_code error;
    root_ = fs::canonical(root_, error);
    if (error) result_.unread.push_back({".", file_problem(root_, error.value())});
    if (!error) folders_.emplace_back();
    while (!folders_.empty()) {
      const fs::path folder = std::move(folders_.back());
      folders_.pop_back();
      read(folder);
    }
    std::sort(result_.files.begin(), result_.files.end());
    const auto by_path = [](const StudyWalk::Place& a, const StudyWalk::Place& b) { return a.path < b.path; };
    std::sort(result_.unread.begin(), result_.unread.end(), by_path);
    std::sort(result_.dead_links.begin(), result_.dead_links.end(), by_path);
    return std::move(result_);
  }

 private:
  void read(const fs::path& folder) {
    std::error_code error;
    fs::directory_iterator at(folder.empty() ? root_ : root_ / folder, error);
    for (; !error && at != fs::directory_iterator(); at.increment(error)) one(folder / at->path().filename());
    if (error) result_.unread.push_back({folder.empty() ? "." : folder, file_problem(root_ / folder, error.value())});
  }

  // Links to files are followed; links to folders are not, since they may lead in a circle.
  void one(const fs::path& relative) {
    const std::string name = relative.filename().string();
    if (name.starts_with('.')) return;
    std::error_code error;
    const fs::path whole = root_ / relative;
    const fs::file_type type = fs::symlink_status(whole, error).type();
    if (type == fs::file_type::directory) {
      if (whole != out_ && enter_(name)) folders_.push_back(relative);
      return;
    }
    const bool wanted = matches(pattern_, relative);
    if (type == fs::file_type::symlink) {
      const fs::file_type target = fs::status(whole, error).type();
      if (target == fs::file_type::directory) return;
      const bool dead = target == fs::file_type::none || target == fs::file_type::not_found;
      if (dead && !wanted) return dead_link(relative, error);
    }
    if (wanted) result_.files.push_back(relative);
  }

  // One that the pattern does not want is no scan. That it is there is told where it may have been more: where it leads
  // in a circle or where nobody may look, or stands for a participant's or a session's folder. A dataset whose files are
  // not fetched (DataLad) has thousands of others.
  void dead_link(const fs::path& relative, const std::error_code& error) {
    const std::string name = relative.filename().string();
    const bool folder = (name.starts_with("sub-") || name.starts_with("ses-")) && name.find('.') == std::string::npos;
    const bool nowhere = !error || error == std::errc::no_such_file_or_directory;
    if (nowhere && !folder) return;
    result_.dead_links.push_back({relative, nowhere ? "a link that leads nowhere" : file_problem(root_ / relative, error.value())});
  }

  const std::function<bool(const std::string&)>& enter_;
  const std::string pattern_;
  fs::path root_;
  const fs::path out_;
  std::vector<fs::path> folders_;  // to be read, below root_
  StudyWalk result_;
};

}  // namespace

std::string study_pattern(const StudyOptions& options) { return options.pattern.empty() ? default_pattern : options.pattern; }

StudyWalk walk_study(const StudyOptions& options, const std::function<bool(const std::string& folder)>& enter) {
  return Walk(options, enter).all();
}

}  // namespace smpc
