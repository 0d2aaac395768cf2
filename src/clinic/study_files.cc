#include "study_files.h"

#include <array>
#include <cstdio>
#include <fstream>
#include <regex>
#include <sstream>

#include "cell_text.h"
#include "smpc/base/error.h"
#include "smpc/base/file.h"
#include "smpc/base/file_error.h"
#include "smpc/base/text.h"
#include "smpc/clinic/outcome.h"
#include "smpc/runtime/interpreter.h"

namespace smpc {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr std::size_t longest_file = std::size_t{1} << 30;

// A name has one desc- at most, at its end: "x" and "networks" make "x_desc-networks", "x_desc-maps" "x_desc-mapsNetworks".
std::string described(const std::string& name, std::string what) {
  if (name.find("_desc-") == std::string::npos) return name + "_desc-" + what;
  what[0] = static_cast<char>(what[0] - 'a' + 'A');
  return name + what;
}

// What a file may be called: a path's slashes are escaped, and what is too long is cut and told apart by its digest.
std::string one_file_name(const std::string& name) {
  const bool path = name.starts_with("./");
  std::string out = path ? "path-" : "";
  for (const char c : std::string_view(name).substr(path ? 2 : 0)) out += c == '/' ? "%2F" : c == '%' ? "%25" : std::string(1, c);
  constexpr std::size_t longest = 180;
  return out.size() <= longest ? out : out.substr(0, longest - 17) + "-" + to_hex(sha256(as_bytes(name))).substr(0, 16);
}

// Where the source dataset is: as a path from the results where they are in its derivatives, so that both can move.
std::string source_link(const StudyOptions& options) {
  const fs::path from = fs::weakly_canonical(options.out_dir);
  const fs::path to = fs::weakly_canonical(options.bids_dir);
  const fs::path inside = from.lexically_relative(to);
  const bool below = !inside.empty() && *inside.begin() != "..";
  // A file URI is absolute; a path is one that BIDS allows beside it.
  return below ? to.lexically_relative(from).generic_string() : "file://" + uri_path(to);
}

// What is opened is neither logits nor probabilities: there is no column for one.
bool has_values_alone(const ScanOutcome& outcome) { return outcome.reveal == Reveal::logits && outcome.what == Results::values; }

std::string column_of_class(const ScanOutcome& outcome) { return outcome.what == Results::logits ? "logit_" : "value_"; }

void describe_columns(json& j, const ScanOutcome& outcome) {
  j["volume"] = {{"Description", "Volume of the source, counted from 0."}};
  const bool values = has_values_alone(outcome);
  const bool logits = outcome.what == Results::logits;
  j["index"] = {{"Description", values ? "The class of the largest value, counted from 0." : "The likeliest class, counted from 0."}};
  j["label"] = {{"Description", "Its name."}};
  if (!values) {
    const char* of_what = outcome.reveal == Reveal::logits && !logits ? "Probability of that class, as the model gives it."
                          : "Softmax of the logits, of that class; n/a where the model's owner reveals the label alone.";
    j["probability"] = {{"Description", of_what}};
  }
  if (!outcome.nan_voxels.empty()) j["nan_as_zero"] = {{"Description", "Voxels of the volume that were NaN and were taken as 0."}};
  if (outcome.reveal != Reveal::logits) return;
  const std::string what = logits ? "Logit (the input of the softmax) of class " : "What the model gives for class ";
  for (std::size_t c = 0; c < outcome.labels.size(); ++c) {
    j[column_of_class(outcome) + std::to_string(c)] = {{"Description", what + std::to_string(c) + ", " + printable(outcome.labels[c]) + "."}};
  }
}

}  // namespace

StudyPaths::StudyPaths(const StudyScan& scan) : folder(scan.folder), name(scan.name) {
  const std::string stem = described(scan.name, "networks") + "_predictions";
  predictions = folder / (stem + ".tsv");
  sidecar = folder / (stem + ".json");
  failure = fs::path("logs") / (one_file_name(scan.name) + "_desc-networks_failure.json");
}

fs::path StudyPaths::report(std::size_t volume) const {
  char number[32];
  std::snprintf(number, sizeof number, "%03zu", volume);
  return folder / (described(name, "volume") + number + "_report.html");
}

bool is_result_name(const std::string& name) {
  static const std::regex form("sub-[A-Za-z0-9]+(_[a-z]+-[A-Za-z0-9]+)*");
  return std::regex_match(name, form);
}

StudySource read_source(const fs::path& bids_dir, const fs::path& file) {
  StudySource out{file, 0, {}};
  const std::string name = file.string();
  std::error_code error;
  if (!fs::is_regular_file(bids_dir / file, error)) {
    const std::string found = error ? file_problem(bids_dir / file, error.value()) : "something that is no file";
    fail_input(name + ": expected a file that can be read, found " + found);
  }
  std::ifstream in(bids_dir / file, std::ios::binary);
  Sha256 digest;
  std::vector<char> part(std::size_t{1} << 20);
  while (in) {
    in.read(part.data(), static_cast<std::streamsize>(part.size()));
    const auto n = static_cast<std::size_t>(in.gcount());
    digest.update(as_bytes(std::string_view(part.data(), n)));
    out.bytes += n;
  }
  if (!in.eof() || in.bad()) fail_input(name + ": expected a file that can be read");
  out.digest = digest.finish();
  return out;
}

std::string predictions_tsv(const ScanOutcome& outcome) {
  const bool opened = outcome.reveal == Reveal::logits;
  const bool values = has_values_alone(outcome);
  std::string out = "volume\tindex\tlabel";
  if (!values) out += "\tprobability";
  for (std::size_t c = 0; opened && c < outcome.labels.size(); ++c) out += "\t" + column_of_class(outcome) + std::to_string(c);
  if (!outcome.nan_voxels.empty()) out += "\tnan_as_zero";
  out += "\n";
  for (std::size_t i = 0; i < outcome.results.size(); ++i) {
    const VolumeResult& r = outcome.results[i];
    out += std::to_string(outcome.volumes[i]) + "\t" + std::to_string(r.index) + "\t" + cell_text(printable(label_of(outcome, i)));
    if (!values) out += "\t" + (opened ? exact_number(probabilities_of(outcome, i)[r.index]) : std::string("n/a"));
    for (const double v : r.logits) out += "\t" + exact_number(v);
    if (!outcome.nan_voxels.empty()) out += "\t" + std::to_string(outcome.nan_voxels[i]);
    out += "\n";
  }
  return out;
}

std::vector<Prediction> read_predictions(std::string_view tsv) {
  std::istringstream lines{std::string(tsv)};
  std::string line;
  std::getline(lines, line);
  if (!line.starts_with("volume\tindex\tlabel\t")) fail_input("expected a table of predictions, found another file");
  const bool values = !line.starts_with("volume\tindex\tlabel\tprobability");
  std::vector<Prediction> out;
  while (std::getline(lines, line)) {
    std::array<std::string, 4> field;
    std::istringstream fields(line);
    for (std::string& f : field) std::getline(fields, f, '\t');
    const json volume = json::parse(field[0], nullptr, false);
    const json index = json::parse(field[1], nullptr, false);
    const json probability = values ? json() : json::parse(field[3], nullptr, false);
    if (!volume.is_number_unsigned() || !index.is_number_unsigned() || field[2].empty() ||
        (!values && !probability.is_number() && field[3] != "n/a")) {
      fail_input("expected a table of predictions, found a line that is none");
    }
    out.push_back({volume, index, plain_text(field[2]), {}});
    if (probability.is_number()) out.back().probability = probability.get<double>();
  }
  return out;
}

json options_json(const StudyOptions& options) {
  json j = {{"NVolumes", options.n_volumes ? json(*options.n_volumes) : json("all")}, {"Resample", options.resample}};
  if (options.nan_as_zero) j["NanAsZero"] = true;  // only then: results without it stay those of the same options
  return j;
}

json sidecar_json(const StudyOptions& options, const StudySource& source, const ScanOutcome& outcome, const StudyOutputs& outputs) {
  json j = {{"Description", "For each volume of the source, the class that the model finds likeliest, or gives the largest value. Computed between two "
                            "parties: the model's owner did not see the volumes, and this side did not see the weights."},
            {"Sources", {"bids:source:" + uri_path(source.file)}},
            {"SourceBytes", source.bytes},
            {"SourceSHA256", to_hex(source.digest)},
            {"SourceVolumes", outcome.header.volumes},
            {"Options", options_json(options)},
            {"Program", outcome.program},
            {"Mask", outcome.mask},
            {"Reveal", to_text(outcome.reveal)},
            {"Output", output_text(outcome.reveal, outcome.what)},
            {"Server", outcome.server},
            {"Client", outcome.client},
            {"Grid", {{"Shape", outcome.grid.shape}, {"Affine", outcome.grid.affine}}},
            {"Cost", to_json(outcome.cost)},
            {"PredictionsSHA256", to_hex(sha256(as_bytes(outputs.predictions)))},
            {"Reports", outputs.reports},
            {"Date", outputs.date},
            {"GeneratedBy", {{"Name", "smpc-client"}, {"Version", SMPC_VERSION}}}};
  if (!outcome.resampling.empty()) j["Resampling"] = outcome.resampling;
  if (!outcome.caution.empty()) j["Caution"] = outcome.caution;
  if (!outcome.nan_voxels.empty()) j["NanVoxels"] = nan_words(outcome);
  describe_columns(j, outcome);
  return j;
}

json dataset_description(const StudyOptions& options) {
  const auto source = read_json(options.bids_dir / "dataset_description.json");
  std::string name = "Brain networks told by a secure two-party inference";
  if (source && source->is_object() && source->contains("Name") && (*source)["Name"].is_string()) {
    name += ", of " + (*source)["Name"].get<std::string>();
  }
  return {{"Name", name},
          {"BIDSVersion", "1.8.0"},
          {"DatasetType", "derivative"},
          {"GeneratedBy",
           {{{"Name", "smpc-client"},
             {"Version", SMPC_VERSION},
             {"Description", "study: for every volume, the class that a model finds likeliest"}}}},
          {"SourceDatasets", {{{"URL", source_link(options)}}}},
          {"DatasetLinks", {{"source", source_link(options)}}}};
}

std::optional<std::string> finished_program(const StudyOptions& options, const StudyScan& scan, const StudySource& source,
                                            bool reports) {
  const StudyPaths paths(scan);
  const auto j = read_json(options.out_dir / paths.sidecar);
  if (!j || !j->is_object()) return std::nullopt;
  const auto is = [&](const char* key, const json& wanted) { return j->contains(key) && (*j)[key] == wanted; };
  if (!is("SourceSHA256", to_hex(source.digest)) || !is("Options", options_json(options)) || !j->contains("Program") ||
      !(*j)["Program"].is_string() || !j->contains("Reports") || !(*j)["Reports"].is_array()) {
    return std::nullopt;
  }
  try {
    const Bytes tsv = read_file(options.out_dir / paths.predictions, longest_file);
    if (!is("PredictionsSHA256", to_hex(sha256(tsv)))) return std::nullopt;
  } catch (const Error&) {
    return std::nullopt;
  }
  if (reports && (*j)["Reports"].empty()) return std::nullopt;
  for (const json& report : (*j)["Reports"]) {
    if (!report.is_string() || !fs::exists(options.out_dir / paths.folder / report.get<std::string>())) return std::nullopt;
  }
  return (*j)["Program"].get<std::string>();
}

std::string uri_path(const fs::path& path) {
  std::string out;
  for (const char c : path.generic_string()) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       std::string_view("-._~/").find(c) != std::string_view::npos;
    char escaped[4];
    std::snprintf(escaped, sizeof escaped, "%%%02X", static_cast<unsigned>(static_cast<unsigned char>(c)));
    out += plain ? std::string(1, c) : std::string(escaped);
  }
  return out;
}

std::string json_text(const json& j) { return j.dump(2, ' ', false, json::error_handler_t::replace) + "\n"; }

std::optional<json> read_json(const fs::path& path) {
  std::error_code error;
  if (!fs::is_regular_file(path, error)) return std::nullopt;
  json j = json::parse(as_text(read_file(path, longest_file)), nullptr, false);
  if (j.is_discarded()) return std::nullopt;
  return j;
}

}  // namespace smpc
