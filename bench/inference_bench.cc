// One inference and everything that it needs, beside the float product over weights of the same size. Real processes.
#include <cstdio>
#include <iostream>

#include "float_product.h"
#include "machine.h"
#include "offline_work.h"
#include "relu_run.h"
#include "setup.h"
#include "volume.h"
#include "nifti_writer.h"
#include "smpc/base/file.h"

namespace smpc::bench {
namespace {

using nlohmann::json;

struct Arguments {
  std::string demo;
  std::size_t runs = 40;
  std::size_t runs_of_20 = 8;
};

// The float product for so many columns, timed between the runs of something else.
class FloatClock {
 public:
  FloatClock(const std::vector<LayerShape>& layers, std::size_t columns) : network_(layers, columns) {
    seconds_.resize(float_targets().size());
  }
  void tick() {
    const auto targets = float_targets();
    for (std::size_t t = 0; t < targets.size(); ++t) {
      network_.run(targets[t].kernel);
      for (int i = 0; i < 3; ++i) {
        const double start = seconds_now();
        network_.run(targets[t].kernel);
        seconds_[t].push_back(seconds_now() - start);
      }
    }
  }
  Sample of(std::size_t target) const { return summary(seconds_[target]); }

 private:
  FloatNetwork network_;
  std::vector<std::vector<double>> seconds_;
};

std::vector<LayerShape> layers_of(const Program& program) {
  std::vector<LayerShape> out;
  for (const Op& op : program.ops) {
    if (const auto* l = std::get_if<LinearOp>(&op.kind)) out.push_back({l->outputs, l->inputs});
  }
  return out;
}

struct Online {
  Sample seconds;
  json cost;  // of the last run
};

Online measure_online(const Deployment& d, const std::string& scan, const std::string& volumes, std::size_t count,
                      std::size_t runs, FloatClock& clock) {
  std::vector<double> seconds;
  Online out;
  for (std::size_t i = 0; i < runs; ++i) {
    d.prefetch(count);
    std::vector<std::string> arguments{"--image", scan};
    if (!volumes.empty()) arguments.insert(arguments.end(), {"--volume", volumes});
    out.cost = d.client(arguments)["cost"];
    seconds.push_back(out.cost["online"]["seconds"]);
    clock.tick();
  }
  out.seconds = summary(seconds);
  return out;
}

const char* yes(bool reached) { return reached ? "yes" : "**no**"; }

// A row with a time: its ratio to the float product of every target, and whether the largest ratio is reached.
std::string timed_row(const std::string& what, double least, const std::string& median, const FloatClock& clock,
                      double wanted) {
  std::vector<std::string> cells{what, text_of("%.2f ms", 1e3 * least), median};
  std::string reached;
  const auto targets = float_targets();
  for (std::size_t t = 0; t < targets.size(); ++t) {
    const double ratio = least / clock.of(t).least;
    cells.push_back(text_of("%.2f", ratio));
    if (wanted > 0) reached += (t == 0 ? "" : " / ") + std::string(yes(ratio <= wanted));
  }
  cells.push_back(wanted > 0 ? text_of("at most %.1f x", wanted) : "");
  cells.push_back(reached);
  return row(cells);
}

void print_limits(const FloatClock& one, const FloatClock& twenty) {
  std::cout << row({"float product of all layers, one thread", "1 column: least", "median", "20 columns: least", "median"})
            << repeated_dashes(5);
  const auto targets = float_targets();
  for (std::size_t t = 0; t < targets.size(); ++t) {
    std::string name = targets[t].name;
    if (t == 0) name += " (" SMPC_FLOAT_FLAGS ")";
    std::cout << row({name, text_of("%.2f ms", 1e3 * one.of(t).least), text_of("%.2f ms", 1e3 * one.of(t).median),
                      text_of("%.2f ms", 1e3 * twenty.of(t).least), text_of("%.2f ms", 1e3 * twenty.of(t).median)});
  }
  std::cout << "\n";
}

// Making, taking, finishing and storing 32 bundles, by processes: seconds for one.
double measure_prefetch(const Deployment& d, std::size_t repetitions, double& bytes) {
  double least = 1e9;
  for (std::size_t i = 1; i <= repetitions; ++i) {
    const json phase = d.prefetch(32 * i)["cost"]["offline"];
    least = std::min(least, phase["seconds"].get<double>() / 32);
    bytes = phase["received"].get<double>() / 32;
  }
  return least;
}

std::string plain_row(const std::string& what, const std::string& figure, const std::string& wanted, const char* reached) {
  std::vector<std::string> cells{what, figure, ""};
  cells.resize(cells.size() + float_targets().size());
  cells.push_back(wanted);
  cells.emplace_back(reached);
  return row(cells);
}

std::string bytes_row(const std::string& what, const json& online, double wanted_mega, int wanted_messages) {
  const double up = online["client_to_server"];
  const double down = online["server_to_client"];
  const int messages = online["messages"];
  const bool reached = up + down <= wanted_mega * 1e6 && messages <= wanted_messages;
  std::string wanted = text_of("at most %.2f MB", wanted_mega);
  wanted += ", " + std::to_string(wanted_messages) + " messages";
  return plain_row(what,
                   text_of("%.0f B to the server, ", up) + text_of("%.0f B to the client, ", down) +
                       std::to_string(messages) + " messages",
                   wanted, yes(reached));
}

void print_bytes(const DemoFiles& files, double bundle) {
  const std::string mask = (files.folder / "mask.nii.gz").string();
  for (const std::string suite : {"cryptflow2", "masked"}) {
    for (const std::string reveal : {"label", "logits"}) {
      const std::string what = ", suite " + suite + ", reveal " + reveal;
      std::vector<std::string> options{"--protocol", suite, "--reveal", reveal};
      std::cout << bytes_row("online, no brain mask" + what, explain(files.model(), options)["online"], 0.65, 14);
      options.insert(options.end(), {"--input-mask", mask});
      std::cout << bytes_row("online, brain mask" + what, explain(files.model(), options)["online"], 0.18, 14);
    }
  }
  std::cout << plain_row("bundle, dealer to client", text_of("%.0f B", bundle), "at most 40,000 B", yes(bundle <= 40e3));
}

void print_relu() {
  struct Suited {
    Suite suite;
    double online, bundle;
  };
  for (const Suited s : {Suited{Suite::cryptflow2, 55, 30}, Suited{Suite::masked, 19, 44}}) {
    constexpr std::size_t n = std::size_t{1} << 20;
    const std::string what = "ReLU with truncation, each of 2^20, suite " + std::string(to_text(s.suite));
    std::string wanted = text_of("at most %.0f B online, ", s.online);
    wanted += text_of("%.0f B of bundle, 0.5 us", s.bundle);
    std::optional<ReluRun> least;
    for (int i = 0; i < 7; ++i) {
      const ReluRun r = run_relu(s.suite, n);
      if (!least || r.processor_seconds < least->processor_seconds) least = r;
    }
    const double online = least->online_bytes / n;
    const double bundle = least->bundle_bytes / n;
    const double us = 1e6 * least->processor_seconds / n;  // of both parties, added up
    std::cout << plain_row(what,
                           text_of("%.1f B online, ", online) + text_of("%.1f B of bundle, ", bundle) + text_of("%.2f us", us),
                           wanted, yes(online <= s.online && bundle <= s.bundle && us <= 0.5));
  }
}

void bench(const Arguments& a) {
  const DemoFiles files = demo_files(a.demo);
  const std::vector<unsigned> cpus = processors();
  pin_to(cpus.front());
  const Compiled compiled = compile_model(files.model(), Reveal::logits);
  FloatClock one(layers_of(compiled.program), 1);
  FloatClock twenty(layers_of(compiled.program), 20);
  Deployment d({"--model", files.model(), "--reveal", "logits", "--no-quota"});
  d.start();
  double bundle = 0;
  const double prefetch = measure_prefetch(d, 3, bundle);
  const OfflineWork offline = measure_offline(compiled, 32, 3);
  const Online single = measure_online(d, files.scan(), "", 1, a.runs, one);
  const Online batch = measure_online(d, files.scan4d(), "all", 20, a.runs_of_20, twenty);

  std::cout << describe_machine() << "placement  client and float product on processor " << cpus.front()
            << ", server and dealer on processor " << cpus.back() << ": one thread of computing each\n"
            << "runs       " << single.seconds.count << " of one volume, " << batch.seconds.count
            << " of 20, the float products timed between them; ratios are least to least\n\n";
  std::vector<std::string> heads{"what", "least", "median"};
  for (const FloatTarget& t : float_targets()) heads.push_back("x float, " + t.name);
  print_limits(one, twenty);
  heads.insert(heads.end(), {"wanted", "reached"});
  std::cout << row(heads) << repeated_dashes(heads.size());
  const auto median = [](const Sample& s) { return text_of("%.2f ms", 1e3 * s.median); };
  std::cout << timed_row("one volume online", single.seconds.least, median(single.seconds), one, 3)
            << timed_row("20 volumes online", batch.seconds.least, median(batch.seconds), twenty, 2.5)
            << timed_row("one bundle, made 32 at a time: dealer", offline.dealer, "", one, 0)
            << timed_row("one bundle, made 32 at a time: client's finishing", offline.finish, "", one, 0)
            << timed_row("one bundle, made 32 at a time: sending and storing", std::max(0.0, prefetch - offline.dealer - offline.finish), "", one, 0)
            << timed_row("everything for one more inference (processes: prefetch of 32, then online)",
                         prefetch + single.seconds.least, "", one, 8)
            << timed_row("the same, parts added (dealer, finishing, online)",
                         offline.dealer + offline.finish + single.seconds.least, "", one, 0)
            << plain_row("dealer, one core", text_of("%.0f bundles/s", 1 / offline.dealer), "at least 50 bundles/s",
                         yes(offline.dealer <= 1.0 / 50));
  print_bytes(files, bundle);
  std::cout << std::flush;
  // Both parties compute at once here, so they get both processors.
  unpin();
  print_relu();
}

}  // namespace
}  // namespace smpc::bench

int main(int argc, char** argv) {
  CLI::App app("One inference and everything that it needs, beside the float product over the same weights.",
               "smpc_bench_inference");
  smpc::bench::Arguments a;
  app.add_option("--demo", a.demo, "folder of smpc-demo-model's files (default: made once in the build folder)");
  app.add_option("--runs", a.runs, "of one volume")->check(CLI::PositiveNumber)->capture_default_str();
  app.add_option("--runs-of-20", a.runs_of_20, "of 20 volumes")->check(CLI::PositiveNumber)->capture_default_str();
  return smpc::bench::run_bench(app, argc, argv, [&] { smpc::bench::bench(a); });
}
