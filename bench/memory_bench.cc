// What server, client and dealer hold in memory, and how long they take to start: on a new model, and on one they know.
#include <algorithm>
#include <iostream>

#include "machine.h"
#include "memory.h"
#include "relay.h"
#include "roles_watch.h"
#include "setup.h"

namespace smpc::bench {
namespace {

struct Arguments {
  std::string demo;
  std::size_t runs = 5;
};

struct Limits {
  double weights = 0;  // bytes, at four each
  double masked = 0;   // bytes, as packed
};

Limits limits_of(const std::string& model) {
  Limits l;
  const Compiled compiled = compile_model(model, Reveal::logits);
  for (const Op& op : compiled.program.ops) {
    if (const auto* linear = std::get_if<LinearOp>(&op.kind)) {
      l.weights += 4 * static_cast<double>(linear->outputs * linear->inputs);
    }
  }
  l.masked = explain(model, {"--reveal", "logits"})["masked_weights"];
  return l;
}

void print_memory(const std::string& what, const Resident& r, double base, const std::string& base_name, double wanted) {
  std::vector<std::string> cells{what, mega(static_cast<double>(r.total)), mega(static_cast<double>(r.anon)),
                                 mega(static_cast<double>(r.file)), mega(static_cast<double>(r.peak))};
  const double ratio = base > 0 ? static_cast<double>(r.peak) / base : 0;
  cells.push_back(base > 0 ? text_of("%.2f x ", ratio) + base_name : "");
  cells.push_back(wanted > 0 ? text_of("at most %.1f x", wanted) : "");
  cells.emplace_back(wanted > 0 ? (ratio <= wanted ? "yes" : "**no**") : "");
  std::cout << row(cells);
}

void print_time(const std::string& what, double seconds, double wanted) {
  std::cout << row({what, text_of("%.3f s", seconds), text_of("at most %.1f s", wanted), seconds <= wanted ? "yes" : "**no**"});
}

double seconds_since(std::chrono::steady_clock::time_point t) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - t).count();
}

// Dealer and server; seconds from the server's exec to its line "listening".
double start(Deployment& d) {
  d.start_dealer();
  d.start_server(false);
  const double seconds = seconds_since(d.server->started());
  d.server->wait_for("ready");
  return seconds;
}

// From exec of smpc-client to the first byte that it sends to the server, the least of some runs.
double first_byte(Deployment& d, const std::string& scan, std::size_t runs) {
  Relay relay("127.0.0.1:" + d.server_port, {});
  const std::string direct = std::exchange(d.server_port, std::to_string(relay.port()));
  double least = 1e9;
  for (std::size_t i = 0; i < runs; ++i) {
    relay.reset_counts();
    const Outcome r = d.run_client({"--image", scan}, {.cpu = processors().front()});
    if (r.exit_code != 0) throw std::runtime_error(r.err);
    const double exec = std::chrono::duration<double>(r.started.time_since_epoch()).count();
    least = std::min(least, relay.counts().first_byte.value() - exec);
  }
  d.server_port = direct;
  return least;
}

void bench(const Arguments& a) {
  const DemoFiles files = demo_files(a.demo);
  const Limits limits = limits_of(files.model());
  std::cout << describe_machine() << "limits     weights at four bytes each " << mega(limits.weights)
            << ", masked weights as packed " << mega(limits.masked) << "\n\n";
  std::cout << row({"resident", "largest", "of it its own", "of it mapped files", "peak", "peak against", "wanted", "reached"})
            << repeated_dashes(8);
  Deployment d({"--model", files.model(), "--reveal", "logits", "--no-quota"});

  const double new_model = start(d);
  print_memory("server, first start of a model", resident(d.server->pid()), limits.weights, "weights", 0);
  print_memory("dealer, just started", resident(d.dealer->pid()), 0, "", 0);
  {
    RolesWatch first(d);
    d.prefetch(1, std::ref(first));
    print_memory("client, first use (download, one bundle)", first.client.largest(), limits.masked, "masked weights", 0);
    print_memory("server, while a client downloads the masked weights", first.server.largest(), limits.weights, "weights", 0);
  }

  d.server->stop();
  d.dealer->stop();
  double seen = start(d);
  for (std::size_t i = 1; i < a.runs; ++i) {
    d.server->stop();
    d.dealer->stop();
    seen = std::min(seen, start(d));
  }
  print_memory("server, start of a model seen before", resident(d.server->pid()), limits.weights, "weights", 0);
  RolesWatch bundles(d);
  d.prefetch(32 + a.runs, std::ref(bundles));
  print_memory("client, taking " + std::to_string(31 + a.runs) + " bundles", bundles.client.largest(), limits.masked, "masked weights", 1.2);
  print_memory("dealer, making them", bundles.dealer.largest(), 0, "", 0);
  RolesWatch one(d);
  d.client({"--image", files.scan()}, std::ref(one));
  print_memory("server, serving one volume", one.server.largest(), limits.weights, "weights", 1.4);
  print_memory("client, asking about one volume", one.client.largest(), limits.masked, "masked weights", 1.2);
  RolesWatch twenty(d);
  d.client({"--image", files.scan4d(), "--volume", "all"}, std::ref(twenty));
  print_memory("server, serving 20 volumes", twenty.server.largest(), limits.weights, "weights", 1.4);
  print_memory("client, asking about 20 volumes", twenty.client.largest(), limits.masked, "masked weights", 1.2);

  d.prefetch(a.runs);
  const double byte = first_byte(d, files.scan(), a.runs);
  std::cout << "\nOwn memory is what the process wrote itself (RssAnon); mapped files (RssFile) can be dropped and read again. "
               "The peak counts from the start of a start, and from the start of the client's run for the others. Clients "
               "are sampled every millisecond.\n\n"
            << row({"start", "seconds", "wanted", "reached"}) << repeated_dashes(4);
  print_time("smpc-server to \"listening\", a new model", new_model, 6);
  print_time("smpc-server to \"listening\", a model seen before (least of " + std::to_string(a.runs) + ")", seen, 1.5);
  print_time("smpc-client from exec to its first byte to the server (least of " + std::to_string(a.runs) + ")", byte, 0.2);
}

}  // namespace
}  // namespace smpc::bench

int main(int argc, char** argv) {
  CLI::App app("What server, client and dealer hold in memory, and how long they take to start.", "smpc_bench_memory");
  smpc::bench::Arguments a;
  app.add_option("--demo", a.demo, "folder of smpc-demo-model's files (default: made once in the build folder)");
  app.add_option("--runs", a.runs, "of what is timed")->check(CLI::PositiveNumber)->capture_default_str();
  return smpc::bench::run_bench(app, argc, argv, [&] { smpc::bench::bench(a); });
}
