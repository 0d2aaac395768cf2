#include "smpc/clinic/study.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <map>

#include "smpc/base/error.h"
#include "smpc/base/file.h"
#include "smpc/base/file_error.h"
#include "smpc/clinic/scan_report.h"
#include "study_files.h"
#include "study_index.h"

namespace smpc {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using namespace std::chrono_literals;

// What ends the study, since every other scan would meet it as well.
struct Ended {
  std::string reason;
  int exit_code = 0;
};

// A failure to write is not the scan's, and ends the study: every other scan would spend its bundles for nothing.
class CannotWrite : public Error {
 public:
  explicit CannotWrite(const std::string& what) : Error(ErrorKind::bad_input, what) {}
};

// Absolute, and without a slash at the end.
fs::path whole_path(const fs::path& path) {
  const fs::path out = fs::weakly_canonical(path);
  return out.has_filename() ? out : out.parent_path();
}

bool lies_in(const fs::path& inner, const fs::path& outer) {
  const fs::path relative = inner.lexically_relative(outer);
  return !relative.empty() && *relative.begin() != "..";
}

// bids_dir is read only: results go beside it, or into its derivatives.
void check_folders(const StudyOptions& options) {
  std::error_code error;
  if (!fs::is_directory(options.bids_dir, error)) {
    fail_input(options.bids_dir.string() + ": expected the study's folder, found " +
               file_problem(options.bids_dir, error ? error.value() : ENOTDIR));
  }
  const fs::path in = fs::canonical(options.bids_dir);
  const fs::path out = fs::weakly_canonical(options.out_dir);
  if (lies_in(in, out)) {
    fail_usage(options.out_dir.string() + ": expected a folder for results that does not hold the study, found that it does");
  }
  if (lies_in(out, in) && (!lies_in(out, in / "derivatives") || out == in / "derivatives")) {
    fail_usage(options.out_dir.string() + ": expected a folder outside the study or below its derivatives/, since the study is "
               "never written to; found one in it");
  }
  const auto description = read_json(options.out_dir / "dataset_description.json");
  if (!description) return;
  const json by = description->is_object() ? description->value("GeneratedBy", json::array()) : json();
  if (!by.is_array() || by.empty() || !by[0].is_object() || by[0].value("Name", json()) != "smpc-client") {
    fail_usage(options.out_dir.string() + ": expected a new folder or the results of an earlier study, found another dataset");
  }
}

// What write_file left behind where it was killed: NAME.XXXXXX, empty or cut off. Another process may be at work on a
// young one.
void remove_leftovers(const fs::path& folder) {
  std::error_code ignored;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, ignored)) {
    const std::string name = entry.path().filename();
    const auto ending = name.rfind('.');
    const bool ours = ending != std::string::npos && name.size() - ending == 7 && entry.is_regular_file(ignored) &&
                      (name.starts_with("sub-") || name.find("_failure.json.") != std::string::npos || name.starts_with("index.html.") || name.starts_with("study.tsv.") ||
                       name.starts_with("dataset_description.json."));
    if (ours && fs::file_time_type::clock::now() - entry.last_write_time(ignored) > 10min) fs::remove(entry.path(), ignored);
  }
}

class Study {
 public:
  Study(const StudyOptions& options, StudyClient& client, const StudyHooks& hooks)
      : options_(options), client_(client), hooks_(hooks) {
    options_.bids_dir = whole_path(options.bids_dir);
    options_.out_dir = whole_path(options.out_dir);
    if (!hooks_.write) hooks_.write = [](const fs::path& path, ByteView data) { write_file(path, data, true); };
  }

  StudyResult run() {
    check_folders(options_);
    const std::vector<StudyScan> scans = find_study_scans(options_);
    make_folder(options_.out_dir);
    make_folder(options_.out_dir / "logs");
    for (const fs::path& folder : {options_.out_dir, options_.out_dir / "logs"}) remove_leftovers(folder);
    write("dataset_description.json", json_text(dataset_description(options_)));
    ask_for_program();
    if (options_.participants.empty()) forget_mended(scans);
    for (StudyRecord& record : read_records(options_.out_dir)) records_[record.name] = std::move(record);
    StudyResult result;
    for (std::size_t i = 0; i < scans.size(); ++i) {
      if (hooks_.begun) hooks_.begun(i + 1, scans.size(), scans[i]);
      result.entries.push_back(scans[i].passed_over ? StudyEntry{scans[i], StudyStatus::passed_over, 0, scans[i].refusal, 0} : one(scans[i]));
      if (hooks_.ended) hooks_.ended(result.entries.back());
    }
    // With what others have done meanwhile: a study's participants may be shared out among several processes.
    records_.clear();
    for (StudyRecord& record : read_records(options_.out_dir)) records_[record.name] = std::move(record);
    write_index();
    return result;
  }

 private:
  // Failures of places that are not those of any result, as a folder that could not be read, and are none any more.
  void forget_mended(const std::vector<StudyScan>& scans) const {
    for (const StudyRecord& record : read_records(options_.out_dir)) {
      const auto same = [&](const StudyScan& scan) { return scan.name == record.name; };
      if (is_result_name(record.name) || std::any_of(scans.begin(), scans.end(), same)) continue;
      StudyScan gone;
      gone.name = record.name;
      std::error_code ignored;
      fs::remove(options_.out_dir / StudyPaths(gone).failure, ignored);
    }
  }

  StudyEntry one(const StudyScan& scan) {
    StudyEntry entry{scan, StudyStatus::failed, 0, {}, 0};
    try {
      const StudySource source = source_of(scan);
      const auto program = finished_program(options_, scan, source, static_cast<bool>(hooks_.report));
      if (program && (program_.empty() || program == program_)) {
        entry.status = StudyStatus::done_before;
        entry.volumes = read_predictions(as_text(read_file(options_.out_dir / StudyPaths(scan).predictions))).size();
      } else if (ended_) {
        entry.reason = "not tried: " + ended_->reason;
        entry.exit_code = ended_->exit_code;
      } else {
        entry.volumes = infer(scan, source);
        entry.status = StudyStatus::done;
        failures_in_a_row_ = 0;
      }
    } catch (const CannotWrite&) {
      throw;
    } catch (const InvalidResult& e) {
      entry.reason = e.what();  // as after a result: the server must not see which it was
      entry.exit_code = e.exit_code();
      failures_in_a_row_ = 0;
    } catch (const Error& e) {
      entry.reason = e.what();
      entry.exit_code = e.exit_code();
      after_failure(e);
    }
    settle(entry);
    return entry;
  }

  StudySource source_of(const StudyScan& scan) const {
    if (!scan.refusal.empty()) fail_input(scan.refusal);
    if (scan.files.empty()) fail_input("sub-" + scan.participant + ": expected a scan of that participant, found none");
    if (scan.files.size() > 1) {
      std::string found;
      for (const fs::path& file : scan.files) found += (found.empty() ? "" : ", ") + file.string();
      fail_input(scan.name + ": expected one scan, found " + std::to_string(scan.files.size()) + " (" + found +
                 "); choose with --pattern");
    }
    return read_source(options_.bids_dir, scan.files.front());
  }

  // The results of a scan, all files of them; the sidecar comes last.
  std::size_t infer(const StudyScan& scan, const StudySource& source) {
    const fs::path file = options_.bids_dir / source.file;
    const ScanOutcome outcome = client_.ask(file, {.selection = {.all = true, .first = options_.n_volumes},
                                                   .resample = options_.resample,
                                                   .nan_as_zero = options_.nan_as_zero,
                                                   .name = source.file.generic_string()});
    if (read_source(options_.bids_dir, source.file).digest != source.digest) {
      fail_input(source.file.string() + ": expected the file that was read first, found that it has changed since; run the command again");
    }
    const StudyPaths paths(scan);
    make_folder(options_.out_dir / paths.folder);
    remove_leftovers(options_.out_dir / paths.folder);
    StudyOutputs outputs{predictions_tsv(outcome), {}, iso_8601(std::chrono::system_clock::now())};
    write(paths.predictions, outputs.predictions);
    for (std::size_t i = 0; hooks_.report && i < outcome.results.size(); ++i) {
      const fs::path report = paths.report(outcome.volumes[i]);
      write(report, hooks_.report(outcome, i, client_.volume(i)));
      outputs.reports.push_back(report.filename());
    }
    write(paths.sidecar, json_text(sidecar_json(options_, source, outcome, outputs)));
    return outcome.results.size();
  }

  // Whether the others would meet the same.
  void after_failure(const Error& e) {
    if (e.kind() != ErrorKind::peer && e.kind() != ErrorKind::no_bundles) return;
    if (++failures_in_a_row_ > 1) {
      ended_ = {e.what(), e.exit_code()};
      return;
    }
    ask_for_program();
  }

  void ask_for_program() {
    try {
      const std::string program = client_.program();
      if (program_.empty()) program_ = program;
      if (program != program_) ended_ = {"the server changed its model meanwhile; run the command again", 4};
    } catch (const Error& e) {
      ended_ = {e.what(), e.exit_code()};
    }
  }

  // What stays of a scan beside its results: the reason of a failure, and the pages.
  void settle(StudyEntry& entry) {
    const StudyPaths paths(entry.scan);
    if (entry.status == StudyStatus::failed) {
      write(paths.failure, json_text({{"Participant", entry.scan.participant},
                                      {"Name", entry.scan.name},
                                      {"Source", entry.scan.files.empty() ? "" : entry.scan.files.front().generic_string()},
                                      {"Reason", entry.reason},
                                      {"ExitCode", entry.exit_code}}));
    } else {
      std::error_code ignored;
      fs::remove(options_.out_dir / paths.failure, ignored);
    }
    StudyRecord record = read_record(options_.out_dir, entry.scan);
    if (!record.predictions.empty()) write(record.page(), scan_html(record));
    records_[record.name] = std::move(record);
    if (entry.status != StudyStatus::done_before) write_index();
  }

  void write_index() {
    std::vector<StudyRecord> records;
    for (const auto& [name, record] : records_) records.push_back(record);
    write("index.html", study_index_html(records));
    write(fs::path("logs") / "study.tsv", study_tsv(records));
  }

  // What is there already is left alone: a run that has nothing to do changes no file.
  void write(const fs::path& path, const std::string& text) {
    const fs::path whole = options_.out_dir / path;
    try {
      std::error_code error;
      if (fs::file_size(whole, error) == text.size() && !error && as_text(read_file(whole)) == text) return;
      hooks_.write(whole, as_bytes(text));
    } catch (const Error& e) {
      throw CannotWrite(e.what());
    }
  }

  // With every folder above it that is not there.
  void make_folder(const fs::path& folder) const {
    std::error_code error;
    if (fs::is_directory(folder, error)) return;
    if (folder.has_parent_path()) make_folder(folder.parent_path());
    if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) {
      throw CannotWrite(folder.string() + ": cannot be made, found " + file_problem(folder, errno));
    }
  }

  StudyOptions options_;
  StudyClient& client_;
  StudyHooks hooks_;
  std::string program_;  // what the server runs
  std::optional<Ended> ended_;
  int failures_in_a_row_ = 0;
  std::map<std::string, StudyRecord> records_;
};

}  // namespace

int StudyResult::exit_code() const noexcept {
  int worst = 0;
  for (const StudyEntry& entry : entries) worst = std::max(worst, entry.exit_code);
  return worst;
}

std::size_t StudyResult::count(StudyStatus status) const noexcept {
  return static_cast<std::size_t>(
      std::count_if(entries.begin(), entries.end(), [&](const StudyEntry& entry) { return entry.status == status; }));
}

StudyResult run_study(const StudyOptions& options, StudyClient& client, const StudyHooks& hooks) {
  return Study(options, client, hooks).run();
}

}  // namespace smpc
