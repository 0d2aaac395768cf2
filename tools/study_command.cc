#include "study_command.h"

#include <chrono>
#include <iostream>
#include <nlohmann/json.hpp>

#include "common.h"
#include "progress.h"
#include "smpc/base/error.h"
#include "smpc/base/text.h"
#include "smpc/clinic/scan_report.h"

namespace smpc::tools {
namespace {

using nlohmann::json;

std::string volumes_words(std::size_t n) { return std::to_string(n) + (n == 1 ? " volume" : " volumes"); }

std::string line_of(const StudyEntry& entry) {
  switch (entry.status) {
    case StudyStatus::done: return entry.scan.name + ": " + volumes_words(entry.volumes);
    case StudyStatus::done_before: return entry.scan.name + ": " + volumes_words(entry.volumes) + ", done before";
    case StudyStatus::failed: return entry.scan.name + ": failed: " + entry.reason;
    case StudyStatus::passed_over: return entry.scan.name + ": passed over: " + entry.reason;
  }
  return {};
}

const char* status_words(StudyStatus status) {
  switch (status) {
    case StudyStatus::done: return "done";
    case StudyStatus::done_before: return "done before";
    case StudyStatus::failed: return "failed";
    case StudyStatus::passed_over: return "passed over";
  }
  return "";
}

json json_of(const StudyEntry& entry) {
  json j = {{"participant", entry.scan.participant},
            {"name", entry.scan.name},
            {"status", status_words(entry.status)},
            {"volumes", entry.volumes}};
  if (!entry.reason.empty()) j["reason"] = entry.reason;
  if (entry.status == StudyStatus::failed) j["exit_code"] = entry.exit_code;
  return j;
}

std::size_t scans_of(const StudyResult& result) { return result.entries.size() - result.count(StudyStatus::passed_over); }

void print_result(const StudyResult& result, const std::filesystem::path& out, bool json_wanted) {
  const std::string index = (out / "index.html").string();
  if (json_wanted) {
    json scans = json::array();
    for (const StudyEntry& entry : result.entries) scans.push_back(json_of(entry));
    print_json({{"index", index}, {"scans", scans}});
    return;
  }
  const std::size_t scans = scans_of(result);
  std::cout << scans << (scans == 1 ? " scan: " : " scans: ") << result.count(StudyStatus::done) << " done";
  if (const auto before = result.count(StudyStatus::done_before); before > 0) std::cout << ", " << before << " done before";
  if (const auto failed = result.count(StudyStatus::failed); failed > 0) std::cout << ", " << failed << " failed";
  if (const auto passed = result.count(StudyStatus::passed_over); passed > 0) std::cout << ", " << passed << " passed over";
  std::cout << "\nsee " << printable(index) << "\n";
}

// CLI11 puts the name of the argument before what it returns.
std::string refused_level(std::string& level) {
  if (level == "participant") return {};
  return "expected participant, the only analysis level there is, found " + level +
         (level == "group" ? "; every scan stands for itself, so there is nothing to do for the group" : "");
}

}  // namespace

CLI::App* add_study_command(CLI::App& app, StudyArguments& arguments) {
  CLI::App* study = app.add_subcommand(
      "study",
      "ask about every 4-D scan of a study, in the manner of a BIDS App. Results go into OUT_DIR, a BIDS derivative dataset: "
      "for each scan a table (TSV), what it was made of (JSON), a page and a report a volume; over all an index.html. What is "
      "done is not done again, so the same command goes on where it stopped. A scan that fails is told, and the others go on");
  StudyOptions& o = arguments.options;
  study->add_option("BIDS_DIR", o.bids_dir, "the study; it is never written to")->type_name("DIR")->required();
  study->add_option("OUT_DIR", o.out_dir, "where results go, for example BIDS_DIR/derivatives/smpc")->type_name("DIR")->required();
  study->add_option("LEVEL", arguments.level, "the analysis level: participant")
      ->check(CLI::Validator(refused_level, "{participant}"))
      ->required();
  study
      ->add_option("--participant-label,--participant_label", o.participants,
                   "these alone, each with sub- before it or without (default: all there are)")
      ->type_name("LABEL")
      ->group("Study");
  study
      ->add_option("--n-volumes,--n_volumes", o.n_volumes,
                   "the first so many volumes of each scan, or all where there are fewer (default: all)")
      ->check(CLI::Range(1, 1'000'000))
      ->group("Study");
  study
      ->add_option("--pattern", o.pattern,
                   "which files: a glob for their names, in any folder, or with a slash in it for their paths below BIDS_DIR, "
                   "where * matches slashes too (default: dr_stage2_subject*.nii.gz without the Z map beside each, as FSL's "
                   "dual regression writes them)")
      ->type_name("GLOB")
      ->group("Study");
  study->add_flag("--no-reports", arguments.no_reports, "write no report with pictures for each volume")->group("Study");
  study->footer("  smpc-client study /data/study /data/study/derivatives/smpc participant\n"
                "      every participant\n"
                "  smpc-client study /data/study results participant --participant-label 01 02\n"
                "      two of them");
  return study;
}

void run_study_command(const StudyArguments& arguments, ClientOptions client, const Identity& identity, bool json_wanted) {
  Progress progress;
  client.progress = std::ref(progress);
  const auto asking = study_client(identity, client);
  StudyHooks hooks;
  hooks.begun = [&](std::size_t scan, std::size_t scans, const StudyScan& of) {
    progress.about(of.name + " (" + std::to_string(scan) + " of " + std::to_string(scans) + ")", scan - 1, scans);
  };
  hooks.ended = [&](const StudyEntry& entry) {
    if (json_wanted) return;
    progress.clear();
    std::cout << printable(line_of(entry)) << std::endl;
  };
  if (!arguments.no_reports) {
    hooks.report = [&](const ScanOutcome& outcome, std::size_t i, std::span<const double> volume) {
      progress.doing("drawing the reports", i, outcome.results.size());
      return scan_report(outcome, i, volume, client.dealer, std::chrono::system_clock::now());
    };
  }
  const StudyResult result = run_study(arguments.options, *asking, hooks);
  progress.clear();
  print_result(result, arguments.options.out_dir, json_wanted);
  if (result.exit_code() == 0) return;
  throw Error(static_cast<ErrorKind>(result.exit_code()),
              std::to_string(result.count(StudyStatus::failed)) + " of " + std::to_string(scans_of(result)) +
                  " scans failed; for the reasons see " + (arguments.options.out_dir / "logs" / "study.tsv").string());
}

}  // namespace smpc::tools
