// smpc-client: learns which network a volume shows, without showing the volume.
#include <iostream>
#include <nlohmann/json.hpp>

#include "common.h"
#include "progress.h"
#include "smpc/base/error.h"
#include "smpc/clinic/outcome.h"

namespace smpc::tools {
namespace {

using nlohmann::json;

struct Arguments {
  ClientOptions options;
  Folders folders;
  std::string image;
  std::string volume;
  ScanOptions scan;
  std::size_t count = 0;
  bool json_wanted = false;
};

void print_text(const ScanOutcome& outcome) {
  for (std::size_t i = 0; i < outcome.results.size(); ++i) {
    if (outcome.results.size() > 1) std::cout << "volume " << outcome.volumes[i] << ": ";
    std::cout << label_of(outcome, i);
    for (const RankedClass& best : ranked(outcome, i, 1)) {
      char text[32];
      std::snprintf(text, sizeof text, "  %.4f", best.probability);
      std::cout << text;
    }
    std::cout << "\n";
  }
  for (const std::string& note : {outcome.resampling, outcome.caution}) {
    if (!note.empty()) std::cout << "note: " << note << "\n";
  }
  const ClientCost& c = outcome.cost;
  // What each party sent, and how long it took.
  const auto line = [](const char* what, const PhaseCost& p, const char* other, const std::string& more) {
    if (p.sent + p.received == 0) return;
    std::cout << what << ": ";
    if (p.sent > 0) std::cout << "client sent " << human_bytes(p.sent) << ", ";
    char seconds[32];
    std::snprintf(seconds, sizeof seconds, "%.3f s", p.seconds);
    std::cout << other << " sent " << human_bytes(p.received) << ", " << seconds << more << "\n";
  };
  line("inference", c.online, "server", ", " + std::to_string(c.rounds) + " messages in sequence");
  line("correlated randomness", c.offline, "dealer", "");
  line("program and masked weights, once", c.setup, "server", "");
}

void infer(const Arguments& a, const Identity& identity) {
  // The scan is read, and refused where it must be, before anyone is connected to.
  ScanRun scan(a.image, a.scan);
  Progress progress;
  ClientOptions options = a.options;
  options.progress = std::ref(progress);
  ClientService client(identity, options);
  const ScanOutcome outcome = scan.infer(client, identity);
  if (a.json_wanted) {
    std::cout << to_json(outcome).dump() << std::endl;
  } else {
    print_text(outcome);
  }
}

void prefetch(const Arguments& a, const Identity& identity) {
  Progress progress;
  ClientOptions options = a.options;
  options.progress = std::ref(progress);
  ClientService client(identity, options);
  const std::size_t stored = client.prefetch(a.count);
  if (a.json_wanted) {
    std::cout << json{{"program", client.program_hash()},
                      {"mask", client.mask()},
                      {"server", client.server_identity()},
                      {"stored", stored},
                      {"cost", to_json(client.cost())}}
                     .dump()
              << std::endl;
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
  app.add_option("--image", a.image, "the scan: NIfTI, .nii or .nii.gz, on the model's grid (else see --resample)")->type_name("FILE")->group("Scan");
  app.add_option("--volume", a.volume, "which volume of a 4-D scan, counted from 0, or all (default: 0 of a 3-D scan)")
      ->option_text("K|all")
      ->group("Scan");
  app.add_flag("--resample", a.scan.resample,
               "bring a scan on another grid in MNI space onto the model's: voxel for voxel where only its orientation "
               "differs, else by trilinear interpolation. The result says which. Without it such a scan is refused")
      ->group("Scan");
  app.add_flag("--json", a.json_wanted, "print one JSON object on standard output, and nothing else")->group("Result");
  app.add_option("--server", a.options.server, "the model's owner")->type_name("HOST:PORT")->group("Peers")->capture_default_str();
  app.add_option("--dealer", a.options.dealer, "the dealer")->type_name("HOST:PORT")->group("Peers")->capture_default_str();
  add_folder_options(app, Role::client, a.folders);
  CLI::App* fetch = app.add_subcommand("prefetch", "take bundles now, so that an inference starts at once");
  fetch->add_option("--count", a.count, "bundles to have in store, one a volume")->required()->check(CLI::Range(1, 100000));
  app.require_subcommand(0, 1);
  app.footer("  smpc-client --image scan.nii.gz\n"
             "      which class the scan shows\n"
             "  smpc-client --image scan4d.nii.gz --volume all --json > result.json\n"
             "      every volume of a 4-D scan, for a program to read\n"
             "  smpc-client prefetch --count 20\n"
             "      everything that can be done ahead of time, for 20 volumes");
  return run_tool(app, argc, argv, [&] {
    if (!fetch->parsed() && a.image.empty()) fail_usage("expected --image SCAN or the subcommand prefetch; see --help");
    a.scan.selection = parse_volume_selection(a.volume);
    const Identity identity = Identity::load(a.folders.identity, Role::client);
    a.options.state = a.folders.state;
    fetch->parsed() ? prefetch(a, identity) : infer(a, identity);
  });
}
