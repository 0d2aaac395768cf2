// smpc-client: learns which network a volume shows, without showing the volume.
#include <unistd.h>

#include <cerrno>
#include <iostream>
#include <nlohmann/json.hpp>

#include "approve_command.h"
#include "audit_command.h"
#include "common.h"
#include "help.h"
#include "progress.h"
#include "result_table.h"
#include "smpc/base/error.h"
#include "smpc/base/file.h"
#include "smpc/base/file_error.h"
#include "smpc/base/text.h"
#include "smpc/clinic/input_run.h"
#include "smpc/clinic/outcome.h"
#include "smpc/clinic/scan_report.h"
#include "smpc/image/picture.h"
#include "smpc/net/address.h"
#include "study_command.h"
#include "ui_command.h"

namespace smpc::tools {
namespace {

using nlohmann::json;

struct Arguments {
  ClientOptions options;
  Folders folders;
  std::string image;
  std::vector<std::string> inputs;
  std::string volume;
  ScanOptions scan;
  std::filesystem::path report;
  std::size_t count = 0;
  bool json_wanted = false;
  bool verbose = false;
};

// The outputs' names, shapes and first values.
std::string values_text(const ScanOutcome& outcome, std::size_t i) {
  constexpr std::size_t most = 6;
  std::string text;
  std::size_t at = 0;
  const std::vector<double> values = output_values(outcome, i);
  for (const ProgramOutput& out : outcome.outputs) {
    text += (text.empty() ? "" : "; ") + printable(out.name) + " [";
    for (std::size_t d = 0; d < out.shape.size(); ++d) text += (d > 0 ? " x " : "") + std::to_string(out.shape[d]);
    text += "]";
    for (std::size_t k = 0; k < std::min(most, out.count()); ++k) {
      char number[32];
      std::snprintf(number, sizeof number, " %.6g", values[at + k]);
      text += number;
    }
    if (out.count() > most) text += " ... (all with --json)";
    at += out.count();
  }
  return text;
}

// On a terminal a table; else a line a volume, which scripts read.
void print_results(const ScanOutcome& outcome, const std::optional<Terminal>& terminal) {
  if (terminal && !outcome.labels.empty()) {
    std::cout << result_table(outcome, *terminal) << "\n";
    return;
  }
  for (std::size_t i = 0; i < outcome.results.size(); ++i) {
    if (outcome.results.size() > 1) std::cout << "volume " << outcome.volumes[i] << ": ";
    if (outcome.labels.empty()) {
      std::cout << values_text(outcome, i) << "\n";
      continue;
    }
    std::cout << printable(label_of(outcome, i));
    for (const RankedClass& best : ranked(outcome, i, 1)) {
      char text[32];
      std::snprintf(text, sizeof text, best.probability ? "  %.4f" : "  value %.6g", best.probability.value_or(best.value));
      std::cout << text;
    }
    std::cout << "\n";
  }
}

void print_text(const ScanOutcome& outcome, bool verbose) {
  const auto terminal = terminal_of(STDOUT_FILENO);
  print_results(outcome, terminal);
  for (const std::string& text : {outcome.resampling, outcome.caution, nan_words(outcome)}) {
    if (text.empty()) continue;
    const std::string note = "note: " + text;
    std::cout << (terminal ? wrapped(note, terminal->columns) : note) << "\n";
  }
  std::cout << cost_lines(outcome.cost);
  if (!verbose) return;
  const Learned learned = who_learned_what(outcome);
  for (const std::string* sentence : {&learned.client, &learned.server, &learned.dealer}) {
    std::cout << (terminal ? wrapped(*sentence, terminal->columns) : *sentence) << "\n";
  }
}

// FILE, or FILE with the volume's number before its extension where there are several.
std::filesystem::path report_path(const Arguments& a, std::size_t volume, std::size_t volumes) {
  if (volumes == 1) return a.report;
  std::filesystem::path path = a.report;
  return path.replace_filename(a.report.stem().string() + "-" + std::to_string(volume) + a.report.extension().string());
}

// So that no result is computed for a report that cannot be written.
void check_report_folder(const std::filesystem::path& report) {
  const std::filesystem::path folder = report.has_parent_path() ? report.parent_path() : ".";
  if (!report.has_filename() || std::filesystem::is_directory(report)) {
    fail_usage("--report " + report.string() + ": expected the name of a file, found a folder");
  }
  if (::access(folder.c_str(), W_OK) != 0) {
    fail_usage("--report " + report.string() + ": expected a folder that can be written, found " + file_problem(folder / "", errno));
  }
}

void write_reports(const Arguments& a, ScanRun& scan, const ScanOutcome& outcome) {
  const auto now = std::chrono::system_clock::now();
  for (std::size_t i = 0; i < outcome.volumes.size(); ++i) {
    const std::string page = scan_report(outcome, i, scan.volume(i), a.options.dealer, now);
    write_file(report_path(a, outcome.volumes[i], outcome.volumes.size()), as_bytes(page), true);
  }
}

// A pinned program that is not stored is learned before anything is read, so that the server does not see what became of that.
void learn_pinned(const ClientOptions& options, const Identity& identity) {
  if (!options.approved.all()) ClientService(identity, options).pinned();
}

// Arrays, or a picture.
void infer_values(const Arguments& a, const Identity& identity) {
  learn_pinned(a.options, identity);
  std::vector<InputFile> files;
  for (const std::string& text : a.inputs) files.push_back(input_file_of(text));
  const auto inputs = files.empty() ? picture_input(a.image) : array_inputs(files);
  Progress progress;
  ClientOptions options = a.options;
  options.progress = std::ref(progress);
  ClientService client(identity, options);
  const ScanOutcome outcome = infer_inputs(client, identity, *inputs, files.empty() ? a.image : files.front().path.string());
  progress.clear();
  a.json_wanted ? print_json(to_json(outcome)) : print_text(outcome, a.verbose);
}

void infer(const Arguments& a, const Identity& identity) {
  if (!a.inputs.empty() || is_picture(a.image)) {
    if (!a.volume.empty() || !a.report.empty() || a.scan.resample || a.scan.nan_as_zero) {
      fail_usage("expected none of --volume, --resample, --nan-as-zero and --report with --input or a picture: they are about scans");
    }
    return infer_values(a, identity);
  }
  if (!a.report.empty()) check_report_folder(a.report);
  learn_pinned(a.options, identity);
  // The scan is read, and refused where it must be, before anyone else is connected to.
  ScanRun scan(a.image, a.scan);
  Progress progress;
  ClientOptions options = a.options;
  options.progress = std::ref(progress);
  ClientService client(identity, options);
  const ScanOutcome outcome = scan.infer(client, identity);
  progress.clear();
  a.json_wanted ? print_json(to_json(outcome)) : print_text(outcome, a.verbose);
  if (!a.report.empty()) write_reports(a, scan, outcome);
}

void prefetch(const Arguments& a, const Identity& identity) {
  Progress progress;
  ClientOptions options = a.options;
  options.progress = std::ref(progress);
  ClientService client(identity, options);
  const std::size_t stored = client.prefetch(a.count);
  progress.clear();
  if (a.json_wanted) {
    print_json({{"program", client.program_hash()},
                {"mask", client.mask()},
                {"server", client.server_identity()},
                {"stored", stored},
                {"cost", to_json(client.cost())}});
  } else {
    std::cout << stored << " bundles are stored: as many volumes need no dealer\n";
  }
}

}  // namespace
}  // namespace smpc::tools

int main(int argc, char** argv) {
  using namespace smpc;
  using namespace smpc::tools;
  CLI::App app(
      "Asks a model which class a volume shows, without showing it the volume. The first use of a model downloads its "
      "masked weights (once); every volume uses up one bundle of correlated randomness from the dealer.",
      "smpc-client");
  Arguments a;
  app.fallthrough();
  app.add_option("--image", a.image,
                 "the scan: NIfTI, .nii or .nii.gz, on the model's grid (else see --resample); or a PNG or JPEG picture, for a model "
                 "that says how one becomes its input")
      ->type_name("FILE")
      ->group("Scan");
  app.add_option("--input", a.inputs,
                 "instead of --image: values for the model's input NAME, an array by numpy (.npy) or an ONNX tensor (.pb), of the "
                 "input's shape, or several of them along one more dimension in front; again for another input")
      ->type_name("FILE")
      ->option_text("NAME=FILE")
      ->allow_extra_args(false)
      ->excludes("--image")
      ->group("Scan");
  app.add_option("--volume", a.volume, "which volume of a 4-D scan, counted from 0, or all (default: 0 of a 3-D scan)")
      ->option_text("K|all")
      ->group("Scan");
  app.add_flag("--resample", a.scan.resample,
               "bring a scan on another grid in MNI space onto the model's: voxel for voxel where only its orientation "
               "differs, else by trilinear interpolation. The result says which. Without it such a scan is refused")
      ->group("Scan");
  app.add_flag("--nan-as-zero", a.scan.nan_as_zero,
               "take voxels that are NaN, as some tools write them outside the brain, as 0; the result says how many there were. "
               "Without it a scan that has one is refused")
      ->group("Scan");
  app.add_option("--report", a.report,
                 "write a report of the result with pictures of the volume: one HTML file that needs nothing else; with "
                 "several volumes, one for each, FILE-K.html. It shows the volume, so only its owner may read it (0600)")
      ->type_name("FILE")
      ->group("Result");
  app.add_flag("--json", a.json_wanted, "print one JSON object on standard output, and nothing else")->group("Result");
  app.add_flag("-v,--verbose", a.verbose, "print also who learned what in this run")->group("Result");
  app.add_option("--server", a.options.server, "the model's owner")->type_name("HOST:PORT")->group("Peers")->capture_default_str();
  app.add_option("--server-name", a.options.server_name,
                 "the host name or address that the server's certificate must be valid for, where the server is reached through a "
                 "forwarded port (default: the host of --server)")
      ->option_text("NAME")
      ->check(CLI::Validator([](std::string& name) { return host_problem(name).empty() ? "" : "expected a host name, found " + host_problem(name); }, ""))
      ->group("Peers");
  app.add_option("--dealer", a.options.dealer, "the dealer")->type_name("HOST:PORT")->group("Peers")->capture_default_str();
  ProgramArguments programs;
  add_program_options(app, programs);
  add_folder_options(app, Role::client, a.folders);
  CLI::App* fetch = app.add_subcommand("prefetch", "take bundles now, so that an inference starts at once");
  fetch->add_option("--count", a.count, "bundles to have in store, one a volume")->required()->check(CLI::Range(1, 100000));
  ApproveArguments approval;
  const CLI::App* of_approval = add_approve_command(app, approval);
  UiArguments ui;
  const CLI::App* page = add_ui_command(app, ui);
  StudyArguments study;
  const CLI::App* of_study = add_study_command(app, study);
  AuditArguments audit;
  const CLI::App* of_audit = add_audit_command(app, audit);
  app.require_subcommand(0, 1);
  app.footer("  smpc-client --image scan.nii.gz\n"
             "      which class the scan shows\n"
             "  smpc-client --input x=x.npy --json\n"
             "      any model's outputs for any array\n"
             "  smpc-client --image scan4d.nii.gz --volume all --json > result.json\n"
             "      every volume of a 4-D scan, for a program to read\n"
             "  smpc-client --image scan.nii.gz --report scan.html\n"
             "      the same, and a page with pictures to print or to keep\n"
             "  smpc-client ui --open\n"
             "      the same on a page in the browser\n"
             "  smpc-client prefetch --count 20\n"
             "      everything that can be done ahead of time, for 20 volumes\n"
             "  smpc-client approve\n"
             "      look at the server's program, and take part in approved ones alone\n"
             "  smpc-client study /data/study /data/study/derivatives/smpc participant\n"
             "      every participant of a study\n"
             "  smpc-client audit verify\n"
             "      whether the record of inferences is whole");
  return run_tool(app, argc, argv, [&] {
    const bool asks = !a.image.empty() || !a.inputs.empty();
    if (!fetch->parsed() && !of_approval->parsed() && !page->parsed() && !of_study->parsed() && !of_audit->parsed() && !asks) {
      fail_usage("expected --image SCAN, --input NAME=FILE or a subcommand, prefetch, approve, ui, study or audit; see --help");
    }
    const bool about_a_scan = asks || !a.volume.empty() || !a.report.empty();
    const bool changes_scans = a.scan.resample || a.scan.nan_as_zero;
    if (of_audit->parsed()) {
      if (about_a_scan || changes_scans) {
        fail_usage("audit: expected none of --image, --volume, --resample, --nan-as-zero and --report: it is about the record of inferences");
      }
      audit.json_wanted = a.json_wanted;
      return run_audit_command(audit, a.folders.state, Role::client);
    }
    if (fetch->parsed() && (about_a_scan || changes_scans)) {
      fail_usage("prefetch: expected none of --image, --volume, --resample, --nan-as-zero and --report: it asks about no scan");
    }
    if (of_approval->parsed() && (about_a_scan || a.scan.resample)) {
      fail_usage("approve: expected none of --image, --volume, --resample and --report: it asks about no scan");
    }
    if (page->parsed() && (about_a_scan || a.scan.resample)) {
      fail_usage("ui: expected none of --image, --volume, --resample and --report: they are chosen on the page");
    }
    if (of_study->parsed() && about_a_scan) {
      fail_usage("study: expected none of --image, --volume and --report: it finds its scans itself, takes all volumes or the "
                 "first --n-volumes, and writes a report of each");
    }
    a.scan.selection = parse_volume_selection(a.volume);
    const Identity identity = Identity::load(a.folders.identity, Role::client);
    a.options.state = a.folders.state;
    if (of_approval->parsed()) return run_approve(approval, programs, a.options, identity, a.folders.identity, a.json_wanted);
    a.options.approved = approved_programs(programs, a.folders.identity);
    if (of_study->parsed()) {
      study.options.resample = a.scan.resample;
      study.options.nan_as_zero = a.scan.nan_as_zero;
      return run_study_command(study, a.options, identity, a.json_wanted);
    }
    ui.nan_as_zero = a.scan.nan_as_zero;
    if (page->parsed()) return run_ui(ui, a.options, identity);
    fetch->parsed() ? prefetch(a, identity) : infer(a, identity);
  });
}
