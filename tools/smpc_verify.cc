// smpc-verify: float, fixed point in the clear, and two parties, side by side.
#include <algorithm>
#include <cmath>
#include <iostream>
#include <nlohmann/json.hpp>

#include "bound_check.h"
#include "common.h"
#include "model_files.h"
#include "smpc/base/error.h"
#include "smpc/compiler/float_reference.h"
#include "smpc/image/picture.h"
#include "smpc/image/scan.h"
#include "smpc/input/inputs.h"
#include "smpc/runtime/interpreter.h"
#include "smpc/runtime/local_run.h"

namespace smpc::tools {
namespace {

using nlohmann::json;

struct LayerReport {
  std::string name;
  double largest_error = 0;  // fixed point against float
  double largest_value = 0;  // of float
};

struct VolumeReport {
  std::size_t volume = 0;
  std::optional<std::size_t> nan_voxels;  // taken as 0, where that was asked for
  std::optional<std::size_t> first_difference;  // tensor in which two parties and fixed point differ
  std::vector<LayerReport> layers;
  std::size_t float_index = 0;
  std::size_t fixed_index = 0;
  double result_error = 0;  // of a probability, or where the results are none of a value; largest over all classes
  BoundCheck bound;
};

std::size_t largest(std::span<const double> x) {
  return static_cast<std::size_t>(std::max_element(x.begin(), x.end()) - x.begin());
}

LayerReport compare(const std::string& name, std::span<const double> values, std::span<const double> exact) {
  LayerReport l{name, 0, 0};
  for (std::size_t k = 0; k < values.size(); ++k) {
    l.largest_error = std::max(l.largest_error, std::abs(values[k] - exact[k]));
    l.largest_value = std::max(l.largest_value, std::abs(exact[k]));
  }
  return l;
}

// Of scores whose differences alone are sure to fit their ring: the ones nearest to float that differ by these.
std::vector<double> scores(const TensorType& type, const RingVector& x, std::span<const double> exact) {
  const double turn = std::ldexp(1.0, static_cast<int>(type.ring.bits) - type.scale);
  RingVector differences;
  for (const std::uint64_t v : x) differences.push_back(type.ring.reduce(v - x.front()));
  std::vector<double> out = dequantise(type, differences);
  const double first = dequantise(type, std::span(x).first(1)).front();
  for (double& v : out) v += first + turn * std::nearbyint((exact.front() - first) / turn);
  return out;
}

VolumeReport verify(const Compiled& c, const Network& network, std::span<const double> voxels, std::size_t volume,
                    const std::string& name) {
  VolumeReport report;
  report.volume = volume;
  const RingVector input = quantise(c.program, voxels, name);
  const auto fixed = interpret(c.program, c.weights, input);
  const LocalRun two = run_locally(c.program, c.weights, input, 1);
  for (std::size_t i = 0; i < two.tensors.size() && !report.first_difference; ++i) {
    if (two.tensors[i] != fixed[i]) report.first_difference = i;
  }
  if (!report.first_difference && two.output != fixed.back()) report.first_difference = fixed.size() - 1;

  // Float layers against the program's tensors: one per op but a rescale, which is no layer of the model.
  // Float is the whole model on the whole volume, mask or not: the mask takes nothing away.
  const auto layers = float_layers(network, voxels);
  std::size_t layer = 0;
  std::size_t linear = 0;
  std::vector<double> logits;
  const bool is_graph = !network.graph.nodes.empty();
  if (is_graph) {  // whose ops are not those of the program: the output alone
    const std::size_t last = c.program.ops.size() - (c.program.reveal == Reveal::label ? 1 : 0);
    logits = dequantise(c.program.tensors[last], fixed[last]);
    const LayerReport& output = report.layers.emplace_back(compare("output", logits, layers.back()));
    report.bound = {c.error_bound, output.largest_error, output.largest_value};
  }
  for (std::size_t i = 0; i < c.program.ops.size() && !is_graph; ++i) {
    const OpKind& kind = c.program.ops[i].kind;
    if (std::holds_alternative<TruncateOp>(kind) || std::holds_alternative<ArgMaxOp>(kind)) continue;
    std::vector<double> values = dequantise(c.program.tensors[i + 1], fixed[i + 1]);
    linear += std::holds_alternative<LinearOp>(kind) ? 1 : 0;
    if (linear == 1 && !c.hidden_factors.empty()) {
      for (std::size_t k = 0; k < values.size(); ++k) values[k] /= c.hidden_factors[k];
    }
    if (values.size() != layers[layer].size()) {  // a ReLU of the volume itself, inside the mask only
      ++layer;
      continue;
    }
    const bool compared = c.program.reveal == Reveal::label && i + 2 == c.program.ops.size();
    if (compared) values = scores(c.program.tensors[i + 1], fixed[i + 1], layers[layer]);
    report.layers.push_back(compare(c.program.ops[i].name, values, layers[layer]));
    logits = values;
    ++layer;
  }
  if (c.program.labels.empty()) return report;
  const auto results = [&](std::span<const double> scores) {
    return c.program.results == Results::logits ? softmax(scores) : std::vector<double>(scores.begin(), scores.end());
  };
  const std::vector<double> p_fixed = results(logits);
  const std::vector<double> p_float = results(layers.back());
  report.fixed_index = largest(logits);
  report.float_index = largest(layers.back());
  for (std::size_t k = 0; k < p_fixed.size(); ++k) {
    report.result_error = std::max(report.result_error, std::abs(p_fixed[k] - p_float[k]));
  }
  return report;
}

void print_text(const Program& program, const VolumeReport& r) {
  std::printf("volume %zu\n", r.volume);
  if (r.nan_voxels) std::printf("  voxels that were NaN and were taken as 0: %zu\n", *r.nan_voxels);
  std::printf("  %-24s %14s %14s\n", "layer", "largest value", "largest error");
  for (const LayerReport& l : r.layers) std::printf("  %-24.24s %14.6g %14.3g\n", l.name.c_str(), l.largest_value, l.largest_error);
  std::printf("  two parties against fixed point: %s\n",
              r.first_difference ? ("differ first in tensor " + std::to_string(*r.first_difference)).c_str()
                                 : "every bit of every tensor agrees");
  std::printf("  fixed point: %s\n", r.bound.text().c_str());
  if (program.labels.empty()) return;
  std::printf("  float says %s, fixed point says %s; %s differ by at most %.2g\n", program.labels[r.float_index].c_str(),
              program.labels[r.fixed_index].c_str(), program.results == Results::values ? "values" : "probabilities", r.result_error);
}

json to_json(const Program& program, const VolumeReport& r) {
  json layers = json::array();
  for (const LayerReport& l : r.layers) {
    layers.push_back({{"name", l.name}, {"largest_value", l.largest_value}, {"largest_error", l.largest_error}});
  }
  json j = {{"volume", r.volume},
            {"two_party_equal", !r.first_difference.has_value()},
            {"first_difference", r.first_difference ? json(*r.first_difference) : json(nullptr)},
            {"layers", layers},
            {"error_bound", r.bound.bound ? json(*r.bound.bound) : json(nullptr)},
            {"within_error_bound", r.bound.bound ? json(r.bound.holds()) : json(nullptr)}};
  if (r.nan_voxels) j["nan_as_zero"] = *r.nan_voxels;
  if (program.labels.empty()) return j;
  j["float_label"] = program.labels[r.float_index];
  j["fixed_label"] = program.labels[r.fixed_index];
  j["output"] = output_text(program.reveal, program.results);
  j[program.results == Results::values ? "largest_value_error" : "largest_probability_error"] = r.result_error;
  return j;
}

}  // namespace
}  // namespace smpc::tools

int main(int argc, char** argv) {
  using namespace smpc;
  using namespace smpc::tools;
  CLI::App app(
      "Runs a model on a scan three ways in one process: in float, in fixed point in the clear, and between two parties; "
      "says where the last two differ (nowhere, or exit 1) and how far fixed point is from float at every layer (no further than "
      "the compiler states, where it states a bound, or exit 1).",
      "smpc-verify");
  std::string model;
  std::string image;
  std::vector<std::string> arrays;
  std::string volume;
  bool nan_as_zero = false;
  bool json_wanted = false;
  CompileArguments compile;
  app.add_option("--model", model, "the trained model, ONNX")->type_name("FILE")->group("Model")->required();
  app.add_option("--image", image, "the scan, NIfTI, on the model's grid; or a PNG or JPEG picture (see --preprocess)")
      ->type_name("FILE")
      ->group("Scan");
  app.add_option("--input", arrays, "instead of --image: values for the model's input NAME, .npy or .pb; again for another input")
      ->type_name("FILE")
      ->option_text("NAME=FILE")
      ->allow_extra_args(false)
      ->excludes("--image")
      ->group("Scan");
  app.add_option("--volume", volume, "which volume of a 4-D scan, counted from 0, or all (default: 0 of a 3-D scan)")
      ->option_text("K|all")
      ->group("Scan");
  app.add_flag("--nan-as-zero", nan_as_zero, "take voxels that are NaN as 0, and say how many there were (default: refuse the scan)")
      ->group("Scan");
  app.add_flag("--json", json_wanted, "print one JSON object on standard output, and nothing else")->group("Result");
  compile.add_to(app);
  app.footer("  smpc-verify --model mlp.onnx --image scan4d.nii.gz --volume all --reveal logits\n"
             "      every volume; all digits of every layer");
  bool right = true;
  const int code = run_tool(app, argc, argv, [&] {
    if (image.empty() == arrays.empty()) fail_usage("expected --image FILE, or --input NAME=FILE; see --help");
    std::vector<InputFile> files;
    for (const std::string& text : arrays) files.push_back(input_file_of(text));
    const std::unique_ptr<Inputs> inputs = !files.empty() ? array_inputs(files) : is_picture(image) ? picture_input(image) : nullptr;
    if (inputs != nullptr && !volume.empty()) fail_usage("expected no --volume with --input or a picture: it is about scans");
    std::optional<Scan> scan;
    if (inputs != nullptr && nan_as_zero) fail_usage("expected no --nan-as-zero with --input or a picture: it is about scans");
    if (inputs == nullptr) scan = load_scan(image, parse_volume_selection(volume), nan_as_zero ? NanVoxels::zero : NanVoxels::offer);
    const FloatModel trained = load_float_model(model);
    const Compiled compiled = smpc::compile(trained.network, compile.options(), trained.metadata);
    compile.check_mask(compiled.program);
    if (scan && !compiled.program.grid) fail_input("the model declares no grid; give --grid");
    if (scan) check_grid(scan->header, *compiled.program.grid, image, ResampleOption::absent);
    json all = json::array();
    const std::size_t count = scan ? scan->volumes.size() : inputs->samples(compiled.program);
    const std::string source = files.empty() ? image : files.front().path.string();
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t index = scan ? scan->indices[i] : i;
      const SecretVector<double> values = scan ? scan->volumes[i] : inputs->sample(compiled.program, i);
      VolumeReport r = verify(compiled, trained.network, values, index, source + (scan ? ", volume " : ", sample ") + std::to_string(index));
      if (scan && nan_as_zero) r.nan_voxels = scan->nan_voxels[i];
      right = right && !r.first_difference && r.bound.holds();
      json_wanted ? all.push_back(to_json(compiled.program, r)) : print_text(compiled.program, r);
    }
    if (json_wanted) {
      std::cout << json{{"program", to_hex(program_hash(compiled.program))}, {"volumes", all}}.dump() << std::endl;
    }
  });
  return code == 0 && !right ? 1 : code;
}
