// The files of a study's results: what they are called, what is in them, and whether they are all there.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>

#include "smpc/base/digest.h"
#include "smpc/clinic/study.h"

namespace smpc {

using WriteFile = std::function<void(const std::filesystem::path&, ByteView)>;

// Below out_dir.
struct StudyPaths {
  explicit StudyPaths(const StudyScan& scan);
  std::filesystem::path predictions;  // the TSV
  std::filesystem::path sidecar;      // the JSON; written last, so where it is the others are
  std::filesystem::path failure;      // the JSON that says why there are none
  std::filesystem::path report(std::size_t volume) const;
  std::filesystem::path folder;
  std::string name;
};

// Whether it is one that find_study_scans gives to results, and not a path or what failed to be a name.
bool is_result_name(const std::string& name);

// A scan's file, by what is in it.
struct StudySource {
  std::filesystem::path file;  // below bids_dir
  std::uint64_t bytes = 0;
  Digest digest{};
};
// Reads the whole file. Throws bad_input.
StudySource read_source(const std::filesystem::path& bids_dir, const std::filesystem::path& file);

struct Prediction {
  std::size_t volume = 0;
  std::size_t index = 0;
  std::string label;
  std::optional<double> probability;
};

// volume, index, label, probability (n/a where it is not revealed; no such column where the results are values) and, where they
// are, the logits or values of all classes and how many voxels were NaN and taken as 0. Names are made printable (base/text.h): a
// TSV quotes nothing; and none is a formula to a spreadsheet (cell_text.h).
std::string predictions_tsv(const ScanOutcome& outcome);
std::vector<Prediction> read_predictions(std::string_view tsv);  // throws bad_input

// What decides which results there are, besides the scan and the program.
nlohmann::json options_json(const StudyOptions& options);

struct StudyOutputs {
  std::string predictions;           // the TSV's content
  std::vector<std::string> reports;  // files, in the sidecar's folder
  std::string date;                  // ISO 8601
};
nlohmann::json sidecar_json(const StudyOptions& options, const StudySource& source, const ScanOutcome& outcome,
                            const StudyOutputs& outputs);

nlohmann::json dataset_description(const StudyOptions& options);

// What an earlier run has done of a scan: its program where all files are there and whole, made from this source with
// these options; with reports, where they are wanted.
std::optional<std::string> finished_program(const StudyOptions& options, const StudyScan& scan, const StudySource& source,
                                            bool reports);

// A path as a URI has it (RFC 3986).
std::string uri_path(const std::filesystem::path& path);

// Indented, and with a newline at the end; never throws for what is no UTF-8.
std::string json_text(const nlohmann::json& j);
// None where it is not there or no JSON.
std::optional<nlohmann::json> read_json(const std::filesystem::path& path);

}  // namespace smpc
