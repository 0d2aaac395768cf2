// A whole study, in the manner of a BIDS App (https://bids-apps.neuroimaging.io): every 4-D scan below a folder, one
// after the other, into a BIDS derivative dataset. What is done is not done again; what fails is told, and the rest goes on.
//
// Nothing is written below the study's own folder, but in its derivatives/ when that is where the results go. Results are
// their patients': files are made 0600 and folders 0700. A file is whole or not there, whenever the process ends.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "smpc/base/bytes.h"
#include "smpc/clinic/scan_run.h"

namespace smpc {

struct StudyOptions {
  std::filesystem::path bids_dir;
  std::filesystem::path out_dir;
  std::vector<std::string> participants;  // labels, with "sub-" before them or without; none: all there are
  // A glob (fnmatch). With a slash in it, it is matched with the path below bids_dir, and its * matches slashes too;
  // without, with the file's name, in any folder. Empty: dr_stage2_subject*.nii.gz, as FSL's dual regression writes them,
  // without the Z map (..._Z.nii.gz) beside each.
  std::string pattern;
  std::optional<std::size_t> n_volumes;  // the first so many of each scan; all where there are fewer
  bool resample = false;                 // as ScanOptions has it
  bool nan_as_zero = false;              // the same
};

// Scans that are one in the results: of the same participant, session, task, run (and echo, space, desc, ... where that does
// not tell several files apart). Or what could not be taken for a scan of somebody: then `refusal` says why.
struct StudyScan {
  std::string participant;                   // label, without "sub-"
  std::string name;                          // "sub-01_ses-a_task-rest": the entities, for the names of results; or a path, "./..."
  std::filesystem::path folder;              // of the results, below out_dir: "sub-01/ses-a/func"
  std::vector<std::filesystem::path> files;  // below bids_dir; what is not one is a failure
  std::string refusal{};
  bool passed_over = false;                  // with a refusal that is told and is no failure
};

// What there is to do, by name. The participant is the one of sub-LABEL in the path, else what follows "subject" in the
// file's name; a part of the path that begins with sub- or ses- and is no label of BIDS is refused with that scan. Hidden
// folders, linked folders and out_dir are not searched, nor are other participants' folders where some were asked for. A
// participant that was asked for and is not there has no file. A folder that cannot be read is refused by itself; a link that
// leads nowhere is passed over where it may have been a folder. Throws bad_input where nothing is found, or all files belong
// to nobody.
std::vector<StudyScan> find_study_scans(const StudyOptions& options);

enum class StudyStatus { done, done_before, failed, passed_over };

struct StudyEntry {
  StudyScan scan;
  StudyStatus status = StudyStatus::failed;
  std::size_t volumes = 0;  // with a result
  std::string reason;       // of a failure, or why it was passed over
  int exit_code = 0;        // that it means
};

struct StudyResult {
  std::vector<StudyEntry> entries;
  int exit_code() const noexcept;  // the largest of all; 0: everything is done
  std::size_t count(StudyStatus status) const noexcept;
};

// Who answers. One for the whole study.
class StudyClient {
 public:
  virtual ~StudyClient() = default;
  // The hash of what the server runs now. Asks it, unless it is held to a program that is known.
  virtual std::string program() = 0;
  virtual ScanOutcome ask(const std::filesystem::path& scan, const ScanOptions& options) = 0;
  // Of the scan that was asked about last, as ScanRun has it.
  virtual SecretVector<double> volume(std::size_t i) = 0;
};

struct StudyHooks {
  std::function<void(std::size_t scan, std::size_t scans, const StudyScan&)> begun;  // counted from 1
  std::function<void(const StudyEntry&)> ended;
  // The report of result i, from its volume. None: no reports.
  std::function<std::string(const ScanOutcome&, std::size_t i, std::span<const double> volume)> report;
  std::function<void(const std::filesystem::path&, ByteView)> write;  // none: base/file.h's write_file
};

// Throws what concerns the study as a whole: usage, or folders that cannot be used.
StudyResult run_study(const StudyOptions& options, StudyClient& client, const StudyHooks& hooks);

// A client of the server: one ClientService as long as nothing goes wrong, a new one after an error.
std::unique_ptr<StudyClient> study_client(const Identity& identity, ClientOptions options);

}  // namespace smpc
