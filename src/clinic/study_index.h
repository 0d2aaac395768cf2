// The pages of a study: an index, and a page for each scan.
#pragma once

#include "study_files.h"

namespace smpc {

// What is known of a scan from its files alone.
struct StudyRecord {
  std::string participant;
  std::string name;
  std::string sidecar;      // where it is, below out_dir; empty: there is no result
  std::string predictions;  // the same
  std::size_t source_volumes = 0;
  std::vector<Prediction> volumes;
  std::vector<std::string> reports;  // one for each of them, below out_dir; or none
  std::string source;                // the file, as the sidecar names it
  std::string date;
  std::string program;
  std::string server;
  std::string client;
  std::vector<std::string> notes;    // sentences that a reader must know
  std::string reason;  // of a failure; a result from before may be there as well
  int exit_code = 0;
  std::string page() const { return name + ".html"; }  // below out_dir
};

// What is there of a scan below out_dir. What cannot be read counts as not there.
StudyRecord read_record(const std::filesystem::path& out_dir, const StudyScan& scan);

// Of every scan of which something is there, by name.
std::vector<StudyRecord> read_records(const std::filesystem::path& out_dir);

std::string study_index_html(const std::vector<StudyRecord>& records);
std::string scan_html(const StudyRecord& record);

// participant_id, source, status, volumes, exit_code, reason.
std::string study_tsv(const std::vector<StudyRecord>& records);

}  // namespace smpc
