// smpc-client: learns which network a volume shows, without showing the volume.
#include <iostream>
#include <nlohmann/json.hpp>

#include "common.h"
#include "smpc/base/error.h"
#include "smpc/image/volume_reader.h"
#include "smpc/runtime/interpreter.h"
#include "smpc/service/client.h"

namespace smpc::tools {
namespace {

using nlohmann::json;

struct Arguments {
  ClientOptions options;
  Folders folders;
  std::string image;
  std::string volume;
  VolumeSelection selection;
  std::size_t count = 0;
  bool json_wanted = false;
};

json phase_json(const PhaseCost& c) { return {{"sent", c.sent}, {"received", c.received}, {"seconds", c.seconds}}; }

json cost_json(const ClientCost& c) {
  json online = phase_json(c.online);
  online["messages"] = c.messages;
  online["rounds"] = c.rounds;
  return {{"online", online},
          {"offline", phase_json(c.offline)},
          {"setup", phase_json(c.setup)},
          {"control", {{"sent", c.control.sent}, {"received", c.control.received}}}};
}

json result_json(const Program& program, std::size_t volume, const VolumeResult& r) {
  json j = {{"volume", volume}, {"index", r.index}, {"label", program.labels[r.index]}};
  if (r.logits.empty()) return j;
  const std::vector<double> p = softmax(r.logits);
  j["probability"] = p[r.index];
  j["logits"] = r.logits;
  std::vector<std::size_t> order(p.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return r.logits[a] > r.logits[b]; });
  json top = json::array();
  for (std::size_t i = 0; i < std::min<std::size_t>(5, order.size()); ++i) {
    top.push_back({{"index", order[i]}, {"label", program.labels[order[i]]}, {"probability", p[order[i]]}});
  }
  j["top"] = top;
  return j;
}

void print_text(const Program& program, const std::vector<std::size_t>& volumes,
                const std::vector<VolumeResult>& results, const ClientCost& c) {
  for (std::size_t i = 0; i < results.size(); ++i) {
    const VolumeResult& r = results[i];
    if (results.size() > 1) std::cout << "volume " << volumes[i] << ": ";
    std::cout << program.labels[r.index];
    if (!r.logits.empty()) {
      char text[32];
      std::snprintf(text, sizeof text, "  %.4f", softmax(r.logits)[r.index]);
      std::cout << text;
    }
    std::cout << "\n";
  }
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

// The volumes that --volume selects, quantised, one at a time; in the clear, so they stay in this process. All are
// quantised, and refused where they must be, before the first is used; that one is kept, the others are read again when
// their turn comes.
class Volumes {
 public:
  Volumes(const Program& program, VolumeReader& reader, const std::string& image)
      : program_(program), reader_(reader), image_(image) {
    const std::size_t count = reader.indices().size();
    while (at_ < count) {
      RingVector one = read();
      if (kept_.empty()) kept_ = std::move(one);
    }
    at_ = 0;
  }

  RingVector next() {
    if (at_ == 0) {
      ++at_;
      return std::move(kept_);
    }
    if (at_ == 1) {
      reader_.rewind();
      reader_.next();
    }
    return read();
  }

 private:
  RingVector read() {
    const std::string what = image_ + ", volume " + std::to_string(reader_.indices()[at_++]);
    return quantise(program_, reader_.next(), what);
  }

  const Program& program_;
  VolumeReader& reader_;
  const std::string image_;
  RingVector kept_;  // the first
  std::size_t at_ = 0;
};

void infer(const Arguments& a, const Identity& identity) {
  // The scan is read, and refused where it must be, before anyone is connected to.
  VolumeReader scan(a.image, a.selection);
  Progress progress;
  ClientOptions options = a.options;
  options.progress = std::ref(progress);
  ClientService client(identity, options);
  const Program& program = client.connect();
  if (!program.grid) {
    fail_input("the server's model declares no grid, so it takes no --image; its owner can give --grid");
  }
  check_grid(scan.header(), *program.grid, a.image);
  Volumes volumes(program, scan, a.image);
  const auto results = client.infer(scan.indices().size(), [&] { return volumes.next(); });
  if (!a.json_wanted) return print_text(program, scan.indices(), results, client.cost());
  json j = {{"program", client.program_hash()},
            {"mask", client.mask()},
            {"server", client.server_identity()},
            {"reveal", to_text(program.reveal)},
            {"results", json::array()},
            {"cost", cost_json(client.cost())}};
  for (std::size_t i = 0; i < results.size(); ++i) j["results"].push_back(result_json(program, scan.indices()[i], results[i]));
  std::cout << j.dump() << std::endl;
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
                      {"cost", cost_json(client.cost())}}
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
  app.add_option("--server", a.options.server, "HOST:PORT of the model's owner")->capture_default_str();
  app.add_option("--dealer", a.options.dealer, "HOST:PORT of the dealer")->capture_default_str();
  add_folder_options(app, Role::client, a.folders);
  app.add_flag("--json", a.json_wanted, "print one JSON object on standard output, and nothing else");
  app.add_option("--image", a.image, "the scan: NIfTI, .nii or .nii.gz, on the model's grid");
  app.add_option("--volume", a.volume, "which volume of a 4-D scan, counted from 0, or all (default: 0 of a 3-D scan)");
  CLI::App* fetch = app.add_subcommand("prefetch", "take bundles now, so that an inference starts at once");
  fetch->add_option("--count", a.count, "bundles to have in store, one a volume")->required()->check(CLI::Range(1, 100000));
  app.require_subcommand(0, 1);
  return run_tool(app, argc, argv, [&] {
    if (!fetch->parsed() && a.image.empty()) fail_usage("expected --image SCAN or the subcommand prefetch; see --help");
    a.selection = parse_volume_selection(a.volume);
    const Identity identity = Identity::load(a.folders.identity, Role::client);
    a.options.state = a.folders.state;
    fetch->parsed() ? prefetch(a, identity) : infer(a, identity);
  });
}
