// smpc-compile: from a trained model to a public program and secret weights.
#include <cmath>
#include <iostream>
#include <nlohmann/json.hpp>

#include "common.h"
#include "model_files.h"
#include "smpc/base/error.h"
#include "smpc/base/file.h"
#include "smpc/base/text.h"
#include "smpc/compiler/operators.h"
#include "smpc/image/volume_reader.h"
#include "smpc/runtime/explain.h"

namespace smpc::tools {
namespace {

using nlohmann::json;

// "100Mbps", "1Gbps" in bit/s; "20ms", "1.5s", "300us" in seconds.
double with_unit(const std::string& text, const std::vector<std::pair<std::string, double>>& units, const char* what) {
  std::size_t used = 0;
  double value = -1;
  try {
    value = std::stod(text, &used);
  } catch (const std::exception&) {
    used = 0;
  }
  for (const auto& [unit, factor] : units) {
    if (used > 0 && text.substr(used) == unit && std::isfinite(value) && value >= 0) return value * factor;
  }
  fail_usage(std::string(what) + ": expected a number and a unit like " + units.front().first + ", found '" + text + "'");
}

struct Line {
  double bandwidth;
  double latency;
  std::string text;
};

json online_json(const Explanation& e, const Line& line) {
  return {{"volumes", e.volumes},
          {"client_to_server", e.client_to_server},
          {"server_to_client", e.server_to_client},
          {"messages", e.messages},
          {"line_seconds", line_seconds(e, line.bandwidth, line.latency)}};
}

json costliest_json(const Explanation& e) {
  json out = json::array();
  for (const LayerCost& l : costliest(e, 3)) out.push_back({{"name", l.name}, {"online", l.online}, {"bundle", l.bundle}});
  return out;
}

void print_json(const Compiled& c, const Explanation& e, const Explanation& many, const Line& line) {
  json rows = json::array();
  for (const ExplainRow& r : e.rows) {
    rows.push_back({{"name", r.name}, {"op", r.op}, {"count", r.count}, {"scale", r.scale}, {"bits", r.bits},
                    {"client_to_server", r.client_to_server}, {"server_to_client", r.server_to_client},
                    {"messages", r.messages}, {"bundle", r.bundle_bytes}});
    if (!r.comparison.empty()) rows.back()["comparison"] = r.comparison;
  }
  std::cout << json{{"program", to_hex(program_hash(c.program))},
                    {"reveal", to_text(c.program.reveal)},
                    {"protocol", to_text(c.program.suite)},
                    {"rows", rows},
                    {"online", online_json(e, line)},
                    {"online_together", online_json(many, line)},
                    {"input", {{"elements", c.program.whole_input()}, {"inside_mask", c.program.input().count}}},
                    {"bundle", e.bundle_bytes},
                    {"masked_weights", e.masked_weight_bytes},
                    {"memory", {{"server", e.memory.server}, {"client", e.memory.client}}},
                    {"memory_together", {{"server", many.memory.server}, {"client", many.memory.client}}},
                    {"costliest", costliest_json(e)},
                    {"logit_error", c.logit_error},
                    {"error_bound", c.error_bound ? json(*c.error_bound) : json(nullptr)},
                    {"line_seconds", line_seconds(e, line.bandwidth, line.latency)}}
                   .dump()
            << std::endl;
}

void print_line(const Explanation& e, const Line& line) {
  const std::string what = e.volumes == 1 ? "one volume" : std::to_string(e.volumes) + " volumes together";
  std::printf("%s: %zu B to the server, %zu B to the client, %zu messages in sequence; bundle%s at most %zu B\n", what.c_str(),
              e.client_to_server, e.server_to_client, e.messages, e.volumes == 1 ? "" : "s of", e.bundle_bytes);
  std::printf("  on the line at %s: %.3f s, without computing\n", line.text.c_str(),
              line_seconds(e, line.bandwidth, line.latency));
  std::printf("  memory of the run, at its largest: %.1f MB of the server beside its weights, %.1f MB of the client\n",
              static_cast<double>(e.memory.server) / 1e6, static_cast<double>(e.memory.client) / 1e6);
}

void print_table(const Compiled& c, const Explanation& e, const Explanation& many, const Line& line) {
  std::printf("program %s, protocol %s, reveals the %s\n", to_hex(program_hash(c.program)).c_str(),
              std::string(to_text(c.program.suite)).c_str(), std::string(to_text(c.program.reveal)).c_str());
  if (!c.program.input_mask.empty()) {
    std::printf("a public mask: %zu of %zu elements are inside\n", c.program.input().count, c.program.whole_input());
  }
  std::printf("\n");
  std::printf("%-24s %-9s %8s %6s %5s %12s %12s %9s %9s\n", "name", "op", "values", "scale", "bits", "to server B",
              "to client B", "messages", "bundle B");
  for (const ExplainRow& r : e.rows) {
    std::printf("%-24.24s %-9s %8zu %6d %5u %12zu %12zu %9zu %9zu\n", r.name.c_str(), r.op.c_str(), r.count, r.scale,
                r.bits, r.client_to_server, r.server_to_client, r.messages, r.bundle_bytes);
  }
  std::printf("\ncomparisons (digits as bits x how many, from the lowest; digits under each child of the root; AND levels)\n");
  for (const ExplainRow& r : e.rows) {
    if (!r.comparison.empty()) std::printf("%-24.24s %s\n", r.name.c_str(), r.comparison.c_str());
  }
  std::printf("\n");
  print_line(e, line);
  if (many.volumes > 1) print_line(many, line);
  std::printf("masked weights, once per client: %zu B\n", e.masked_weight_bytes);
  const double all = static_cast<double>(e.client_to_server + e.server_to_client + e.bundle_bytes);
  std::printf("the layers that cost most, online and bundle together:\n");
  for (const LayerCost& l : costliest(e, 3)) {
    std::printf("  %-24.24s %12zu B online %12zu B bundle, %.0f %%\n", l.name.c_str(), l.online, l.bundle,
                100 * static_cast<double>(l.online + l.bundle) / all);
  }
  std::printf("rounding moves an output by about %.1e (standard deviation, an estimate for inputs of the usual size)\n", c.logit_error);
  if (c.error_bound) {
    std::printf("no output is further than %.1e from what the model computes in exact arithmetic, for any input\n", *c.error_bound);
  }
  std::printf("What this table tells of the weights, everyone who holds the program learns: shapes, scales (how large the "
              "largest weight of a layer is, within a factor of two) and widths (the same of a layer's sums).\n");
}

std::string short_number(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1e", value);
  return text;
}

// Nothing is refused for it, so it must not pass unnoticed.
void tell_coarsest(const Compiled& c) {
  std::cerr << "mixed scales: values can grow too large for one, and layer '" << printable(c.coarsest->layer) << "' keeps " << c.coarsest->scale
            << " fractional bits. Outputs may be off by about " << short_number(c.logit_error) << ", an estimate"
            << (c.error_bound ? ", and by no more than " + short_number(*c.error_bound) : std::string()) << ": compare with float by smpc-verify. A smaller --input-range lets layers keep more\n";
}

// Of a chain whose owner asks for a scale or a width.
void tell_coarse(const Compiled& c) {
  std::cerr << "the scale or width that is given is coarse: rounding moves an output by about " << short_number(c.logit_error)
            << ", an estimate, where " << short_number(promised_logit_error) << " keeps probabilities within 1e-4: compare with float by smpc-verify\n";
}

// The root mean square of a voxel in all volumes of a scan.
double usual_size(const std::string& scan) {
  VolumeReader reader(scan, VolumeSelection{.all = true});
  double squares = 0;
  double count = 0;
  for (std::size_t i = 0; i < reader.indices().size(); ++i) {
    for (const double v : reader.next()) squares += v * v;
    count += static_cast<double>(reader.header().grid.voxels());
  }
  const double size = std::sqrt(squares / count);
  if (!(size > 0)) fail_input(scan + ": expected volumes that are not zero throughout, to tell the usual size of a voxel");
  return size;
}

// A line for each node, and whether the whole compiles.
void check_model(const std::string& file, const CompileOptions& options) {
  const std::vector<NodeCheck> nodes = check_nodes(load_model(std::filesystem::path(file)));
  std::size_t wrong = 0;
  for (const NodeCheck& n : nodes) {
    std::printf("%-9s %s\n", n.supported ? "supported" : "NOT", printable(n.node).c_str());
    if (n.supported) continue;
    ++wrong;
    std::printf("          %s\n", printable(n.reason).c_str());
  }
  std::fflush(stdout);
  if (wrong > 0) fail_input(file + ": " + std::to_string(wrong) + " of " + std::to_string(nodes.size()) + " nodes are not supported");
  load_compiled({file, "", ""}, options);
  std::printf("all %zu nodes are supported, and the model compiles\n", nodes.size());
}

}  // namespace
}  // namespace smpc::tools

int main(int argc, char** argv) {
  using namespace smpc;
  using namespace smpc::tools;
  CLI::App app(
      "Compiles a trained ONNX model: STEM.stripped.onnx (the graph without a weight, public), STEM.weights (what was "
      "stripped, secret) and STEM.program (what both parties run, public).",
      "smpc-compile");
  std::string model;
  std::string out;
  std::vector<std::string> join;
  std::string bandwidth = "1Gbps";
  std::string latency = "20ms";
  std::size_t volumes = 1;
  bool explain_wanted = false;
  bool json_wanted = false;
  std::string calibrate;
  bool check_wanted = false;
  bool operators_wanted = false;
  CompileArguments compile;
  app.add_option("MODEL", model, "the trained model, ONNX")->type_name("FILE");
  app.add_option("-o,--output", out, "folder for the three files; with --join, the model to write")
      ->type_name("FILE")
      ->option_text("PATH")
      ->group("Files");
  app.add_option("--join", join, "puts the model together again that STRIPPED and WEIGHTS were made of; no MODEL then")
      ->type_name("FILE")
      ->option_text("STRIPPED WEIGHTS")
      ->group("Files")
      ->expected(2)
      ->excludes("MODEL");
  app.add_flag("--check", check_wanted,
               "instead of compiling: list every node of MODEL, whether it is supported, and if not why and what to do. Exits with 0 "
               "only if all are and the model compiles")
      ->group("Files");
  app.add_flag("--operators", operators_wanted, "print the operators of ONNX that are supported, and what of their attributes, as Markdown")
      ->group("Files");
  compile.add_to(app);
  app.add_option("--calibrate", calibrate,
                 "scan with usual volumes, all of which are read: their root mean square is taken for --input-rms, which it prints. It "
                 "chooses scales and never bounds. A graph has one scale for all: there it serves the estimate of how far outputs are off")
      ->type_name("FILE")
      ->group("Model");
  app.add_flag("--explain", explain_wanted, "print one row per op: shape, scale, bits, bytes, messages, bundle")->group("Cost");
  app.add_flag("--json", json_wanted, "with --explain: one JSON object")->group("Cost");
  app.add_option("--bandwidth", bandwidth, "for --explain: bit/s of the line, e.g. 100Mbps")
      ->option_text("RATE")
      ->group("Cost")
      ->capture_default_str();
  app.add_option("--latency", latency, "for --explain: one way, e.g. 20ms")
      ->option_text("TIME")
      ->group("Cost")
      ->capture_default_str();
  app.add_option("--volumes", volumes, "for --explain: also so many volumes together, in one run")
      ->check(CLI::Range(1, 64))
      ->group("Cost")
      ->capture_default_str();
  app.footer("  smpc-compile mlp.onnx -o build-mlp --explain\n"
             "      writes the three files, and shows what an inference costs\n"
             "  smpc-compile --join build-mlp/mlp.stripped.onnx build-mlp/mlp.weights -o mlp.onnx\n"
             "      gives the model back");
  return run_tool(app, argc, argv, [&] {
    if (!join.empty()) {
      if (out.empty()) fail_usage("--join: expected -o MODEL.onnx; see --help");
      return join_model(join[0], join[1], out);
    }
    if (operators_wanted) {
      std::cout << operators_markdown();
      return;
    }
    if (model.empty() || (out.empty() && !explain_wanted && !check_wanted)) {
      fail_usage("expected MODEL.onnx and -o DIR (or --explain or --check); see --help");
    }
    if (check_wanted) return check_model(model, compile.options());
    const Line line{with_unit(bandwidth, {{"Gbps", 1e9}, {"Mbps", 1e6}, {"kbps", 1e3}}, "--bandwidth"),
                    with_unit(latency, {{"ms", 1e-3}, {"s", 1}, {"us", 1e-6}}, "--latency"),
                    bandwidth + " and " + latency + " one way"};
    CompileOptions options = compile.options();
    if (!calibrate.empty()) {
      if (options.input_rms) fail_usage("--calibrate: expected no --input-rms beside it");
      options.input_rms = usual_size(calibrate);
      std::cerr << "usual root mean square of a voxel: --input-rms " << json(*options.input_rms).dump() << "\n";
    }
    const Compiled compiled = load_compiled({model, "", ""}, options);
    compile.check_mask(compiled.program);
    if (compiled.coarsest) tell_coarsest(compiled);
    if (!compiled.error_bound && compiled.logit_error > 1.001 * promised_logit_error) tell_coarse(compiled);
    if (!out.empty()) write_compiled(model, out, options, compiled.program);
    if (!explain_wanted) return;
    const Explanation e = explain(compiled.program);
    const Explanation many = explain(compiled.program, volumes);
    json_wanted ? print_json(compiled, e, many, line) : print_table(compiled, e, many, line);
  });
}
