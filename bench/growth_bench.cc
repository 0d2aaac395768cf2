// How time, bytes and memory grow: with volumes, hidden width, image size, and number of ReLUs. Tables and pictures.
#include <malloc.h>
#include <unistd.h>

#include <fstream>
#include <iostream>

#include "chart.h"
#include "machine.h"
#include "memory.h"
#include "relu_run.h"
#include "roles_watch.h"
#include "support/sample_files.h"
#include "setup.h"
#include "smpc/image/scan.h"

namespace smpc::bench {
namespace {

using nlohmann::json;

struct Arguments {
  std::string demo;
  std::filesystem::path out = "growth";
  std::size_t most_volumes = 1000;
  std::size_t widest = 800;
  std::size_t largest_image = 500'000;
  unsigned relu_bits = 22;
};

struct Point {
  double x = 0;
  double offline = 0;  // seconds: dealer and client, all bundles
  double online = 0;   // seconds
  double up = 0, down = 0, bundles = 0;                  // bytes
  double server = 0, dealer = 0, client = 0, taking = 0;  // peak bytes; the client's while asking and while taking bundles
};

// One inference of so many volumes: the least online time of some, the largest memory of all.
Point measure(const Deployment& d, double x, const std::string& scan, std::size_t volumes, std::size_t repetitions) {
  Point p;
  p.x = x;
  p.online = p.offline = 1e9;
  for (std::size_t i = 0; i < repetitions; ++i) {
    RolesWatch taking(d);
    const json offline = d.prefetch(volumes, std::ref(taking))["cost"]["offline"];
    RolesWatch asking(d);
    std::vector<std::string> arguments{"--image", scan};
    if (volumes > 1) arguments.insert(arguments.end(), {"--volume", "all"});
    const json online = d.client(arguments, std::ref(asking))["cost"]["online"];
    p.offline = std::min(p.offline, offline["seconds"].get<double>());
    p.online = std::min(p.online, online["seconds"].get<double>());
    p.bundles = offline["received"];
    p.up = online["sent"];
    p.down = online["received"];
    const auto larger = [](double& a, const MemoryWatch& w) { a = std::max(a, static_cast<double>(w.largest().peak)); };
    larger(p.server, asking.server);
    larger(p.dealer, taking.dealer);
    larger(p.client, asking.client);
    larger(p.taking, taking.client);
  }
  return p;
}

class Report {
 public:
  explicit Report(std::filesystem::path folder) : folder_(std::move(folder)) {
    std::filesystem::create_directories(folder_);
    table_.open(folder_ / "growth.md");
    if (!table_) throw std::runtime_error("cannot write " + (folder_ / "growth.md").string());
    say("# Growth\n\n```\n" + describe_machine() + "```\n");
  }
  void say(const std::string& text) {
    table_ << text << std::flush;
    std::cout << text << std::flush;
  }
  void picture(const std::string& name, const std::string& title, const std::string& x_label, const std::vector<Panel>& panels) {
    std::ofstream(folder_ / (name + ".svg")) << chart(title, x_label, panels);
    say("\n![" + title + "](" + name + ".svg)\n");
  }

  void points(const std::string& name, const std::string& title, const std::string& x_label, const std::vector<Point>& all) {
    say("\n## " + title + "\n\n" +
        row({x_label, "bundles made and taken", "online", "to the server", "to the client", "bundles", "server, peak",
             "dealer, peak", "client asking, peak", "client taking bundles, peak"}) +
        repeated_dashes(10));
    std::vector<Panel> panels{{"seconds", {{"online", {}}, {"bundles made and taken", {}}}},
                              {"bytes", {{"to the server", {}}, {"to the client", {}}, {"bundles", {}}}},
                              {"peak resident bytes", {{"server", {}}, {"dealer", {}}, {"client online", {}}, {"taking bundles", {}}}}};
    for (const Point& p : all) {
      say(row({text_of("%.0f", p.x), text_of("%.3f s", p.offline), text_of("%.4f s", p.online), text_of("%.0f B", p.up),
               text_of("%.0f B", p.down), text_of("%.0f B", p.bundles), mega(p.server), mega(p.dealer), mega(p.client),
               mega(p.taking)}));
      const std::vector<std::vector<double>> values{{p.online, p.offline}, {p.up, p.down, p.bundles},
                                                    {p.server, p.dealer, p.client, p.taking}};
      for (std::size_t i = 0; i < values.size(); ++i) {
        for (std::size_t k = 0; k < values[i].size(); ++k) panels[i].series[k].points.emplace_back(p.x, values[i][k]);
      }
    }
    picture(name, title, x_label, panels);
  }

 private:
  std::filesystem::path folder_;
  std::ofstream table_;
};

constexpr testing::Shape demo_shape{45, 54, 45};

void volumes(const Arguments& a, Report& report) {
  const DemoFiles files = demo_files(a.demo);
  std::vector<std::vector<float>> maps;
  for (const auto& v : load_scan(files.scan4d(), {true, {}}).volumes) maps.emplace_back(v.begin(), v.end());
  Deployment d({"--model", files.model(), "--reveal", "logits", "--no-quota"});
  d.start();
  d.prefetch(1);
  d.client({"--image", files.scan()});  // masked weights are there, no bundle is left
  std::vector<Point> all;
  for (const std::size_t n : {1, 2, 5, 10, 20, 50, 100, 200, 500, 1000}) {
    if (n > a.most_volumes) break;
    const TemporaryFolder folder;
    const std::string scan = (folder / "scan.nii").string();
    testing::write_scan(scan, demo_shape, maps, n);
    all.push_back(measure(d, static_cast<double>(n), scan, n, n <= 20 ? 5 : 1));
  }
  report.points("volumes", "Volumes (the demo model)", "volumes", all);
}

Point random_model(double x, testing::Shape image, const std::vector<std::size_t>& layers) {
  const TemporaryFolder folder;
  const std::string model = (folder / "model.onnx").string();
  const std::string scan = (folder / "scan.nii").string();
  testing::write_random_mlp(model, image, layers);
  testing::write_scan(scan, image, {testing::random_volume(image)}, 1);
  Deployment d({"--model", model, "--reveal", "logits", "--no-quota"});
  d.start();
  d.prefetch(1);
  d.client({"--image", scan});
  return measure(d, x, scan, 1, 5);
}

void widths(const Arguments& a, Report& report) {
  std::vector<Point> all;
  for (const std::size_t h : {50, 100, 200, 400, 800}) {
    if (h <= a.widest) all.push_back(random_model(static_cast<double>(h), demo_shape, {h, h, h, 58}));
  }
  report.points("width", "Hidden width (109350-h-h-h-58, random weights)", "hidden width", all);
}

void images(const Arguments& a, Report& report) {
  std::vector<Point> all;
  for (const std::size_t side : {22, 29, 37, 46, 58, 79}) {
    const std::size_t n = side * side * side;
    if (n <= a.largest_image) all.push_back(random_model(static_cast<double>(n), {side, side, side}, {32, 10}));
  }
  report.points("image", "Image size (n-32-10, random weights)", "voxels", all);
}

// Both parties in this process.
void relus(const Arguments& a, Report& report) {
  report.say("\n## ReLUs with truncation (44 bits, 15 shifted away; both parties in one process)\n\n" +
             row({"ReLUs", "suite", "both parties", "each", "online", "bundle", "process, peak"}) + repeated_dashes(7));
  std::vector<Panel> panels{{"seconds", {}}, {"bytes online", {}}, {"bytes of bundle", {}}, {"peak resident bytes", {}}};
  for (const Suite suite : {Suite::cryptflow2, Suite::masked}) {
    const std::string name(to_text(suite));
    Series time{name, {}};
    Series online{name, {}};
    Series bundle{name, {}};
    Series memory{name, {}};
    for (unsigned bits = 10; bits <= a.relu_bits; bits += 2) {
      const std::size_t n = std::size_t{1} << bits;
      const double x = static_cast<double>(n);
      ::malloc_trim(0);  // what earlier parts left
      reset_peak(::getpid());
      std::optional<ReluRun> least;
      for (int i = 0; i < (bits <= 16 ? 7 : 3); ++i) {
        const ReluRun r = run_relu(suite, n);
        if (!least || r.seconds < least->seconds) least = r;
      }
      const double peak = static_cast<double>(resident(::getpid()).peak);
      time.points.emplace_back(x, least->seconds);
      online.points.emplace_back(x, least->online_bytes);
      bundle.points.emplace_back(x, least->bundle_bytes);
      memory.points.emplace_back(x, peak);
      report.say(row({std::to_string(n), name, text_of("%.4f s", least->seconds), text_of("%.2f us", 1e6 * least->seconds / x),
                      text_of("%.1f B each", least->online_bytes / x), text_of("%.1f B each", least->bundle_bytes / x), mega(peak)}));
    }
    panels[0].series.push_back(time);
    panels[1].series.push_back(online);
    panels[2].series.push_back(bundle);
    panels[3].series.push_back(memory);
  }
  report.picture("relus", "ReLUs with truncation (both parties in one process)", "ReLUs", panels);
}

}  // namespace
}  // namespace smpc::bench

int main(int argc, char** argv) {
  CLI::App app("How time, bytes and memory grow. Writes growth.md and pictures (SVG) into a folder.", "smpc_bench_growth");
  smpc::bench::Arguments a;
  app.add_option("--demo", a.demo, "folder of smpc-demo-model's files (default: made once in the build folder)");
  app.add_option("--output", a.out, "folder for growth.md and the pictures")->capture_default_str();
  app.add_option("--volumes", a.most_volumes, "most volumes; 0 leaves them out")->capture_default_str();
  app.add_option("--width", a.widest, "widest hidden layer; 0 leaves them out")->capture_default_str();
  app.add_option("--image", a.largest_image, "most voxels; 0 leaves them out")->capture_default_str();
  app.add_option("--relu-bits", a.relu_bits, "at most 2 to this many ReLUs; 0 leaves them out")->check(CLI::Range(0, 26))->capture_default_str();
  return smpc::bench::run_bench(app, argc, argv, [&] {
    smpc::bench::Report report(a.out);
    if (a.most_volumes > 0) smpc::bench::volumes(a, report);
    if (a.widest > 0) smpc::bench::widths(a, report);
    if (a.largest_image > 0) smpc::bench::images(a, report);
    if (a.relu_bits > 0) smpc::bench::relus(a, report);
  });
}
