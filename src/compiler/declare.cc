// Pass 1, and the options as JSON.
#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "passes.h"
#include "smpc/base/error.h"

namespace smpc {
namespace {

using nlohmann::json;

// Where a range is declared and no root mean square, an input is taken to be about this part of its range.
constexpr double usual_part_of_range = 1.0 / 16;
// Where neither is, on the usual grid: z-maps have a variance of about 1 by construction, over the brain; twice that
// leaves room for strong components.
constexpr double usual_rms_of_z_maps = 2;

double positive(const std::string& text, const std::string& what) {
  std::size_t used = 0;
  double value = 0;
  try {
    value = std::stod(text, &used);
  } catch (const std::exception&) {
    used = 0;
  }
  if (used == 0 || used != text.size() || !std::isfinite(value) || value <= 0) {
    fail_input(what + ": expected a positive number, found '" + text + "'");
  }
  return value;
}

std::vector<std::string> labels_of(const std::string& text) {
  const json j = json::parse(text, nullptr, false);
  std::vector<std::string> out;
  if (j.is_array()) {
    for (const json& e : j) {
      if (!e.is_string()) break;
      out.push_back(e.get<std::string>());
    }
  }
  if (!j.is_array() || out.size() != j.size()) {
    fail_input("the model's metadata smpc.labels: expected a JSON array of names");
  }
  return out;
}

// A cast alone would be undefined where the number does not fit.
template <class Integer>
std::optional<Integer> whole_number(const json& j) {
  const double v = j.get<double>();
  const auto least = static_cast<double>(std::numeric_limits<Integer>::min());
  const double most = std::min(static_cast<double>(std::numeric_limits<Integer>::max()), 0x1p53);
  if (!(v >= least && v <= most && std::floor(v) == v)) return std::nullopt;
  return static_cast<Integer>(v);
}

Grid grid_of(const json& j) {
  const auto refuse = [] {
    fail_input("the model's metadata smpc.grid: expected {\"shape\": [3 numbers], \"affine\": [4 rows of 4 numbers]}");
  };
  try {
    Grid g;
    const json& shape = j.at("shape");
    const json& affine = j.at("affine");
    if (shape.size() != 3 || affine.size() != 4) refuse();
    for (std::size_t i = 0; i < 3; ++i) {
      const auto n = whole_number<std::uint32_t>(shape[i]);
      if (!n) refuse();
      g.shape[i] = *n;
    }
    for (std::size_t r = 0; r < 4; ++r) {
      if (affine[r].size() != 4) refuse();
      for (std::size_t c = 0; c < 4; ++c) g.affine[4 * r + c] = affine[r][c].get<double>();
    }
    return g;
  } catch (const json::exception&) {
    refuse();
  }
  return {};
}

json grid_json(const Grid& g) {
  json affine = json::array();
  for (std::size_t r = 0; r < 4; ++r) {
    affine.push_back(std::vector<double>(g.affine.begin() + static_cast<std::ptrdiff_t>(4 * r),
                                         g.affine.begin() + static_cast<std::ptrdiff_t>(4 * r + 4)));
  }
  return {{"shape", g.shape}, {"affine", affine}};
}

// 45 x 54 x 45 in whatever way the model spells it.
bool looks_like_mni_4mm(const std::vector<std::int64_t>& dims) {
  std::vector<std::int64_t> d;
  for (const auto n : dims) {
    if (n != 1) d.push_back(n);
  }
  return d == std::vector<std::int64_t>{45, 54, 45} || d == std::vector<std::int64_t>{109350};
}

}  // namespace

Grid default_grid() {
  Grid g;
  g.shape = {45, 54, 45};
  g.affine = {-4, 0, 0, 90, 0, 4, 0, -126, 0, 0, 4, -72, 0, 0, 0, 1};
  return g;
}

std::string to_json(const CompileOptions& o) {
  json j = {{"reveal", to_text(o.reveal)}, {"protocol", to_text(o.suite)}};
  if (o.scale) j["scale"] = *o.scale;
  if (o.bits) j["bits"] = *o.bits;
  if (o.input_range) j["input-range"] = *o.input_range;
  if (o.input_norm) j["input-norm"] = *o.input_norm;
  if (o.input_rms) j["input-rms"] = *o.input_rms;
  if (!o.labels.empty()) j["labels"] = o.labels;
  if (o.grid) j["grid"] = grid_json(*o.grid);
  if (o.input_mask) {
    j["input-mask"] = {{"voxels", o.input_mask->voxels}, {"inside", to_hex(ByteView(o.input_mask->inside))}};
  }
  return j.dump();
}

CompileOptions compile_options_from_json(const std::string& text) {
  constexpr const char* unreadable = "the weights file: its compile options cannot be read; compile the model again";
  const auto expect = [&](auto number) {
    if (!number) fail_input(unreadable);
    return number;
  };
  try {
    const json j = json::parse(text);
    CompileOptions o;
    o.reveal = j.at("reveal") == "logits" ? Reveal::logits : Reveal::label;
    o.suite = j.value("protocol", "cryptflow2") == "masked" ? Suite::masked : Suite::cryptflow2;
    if (j.contains("scale")) o.scale = expect(whole_number<int>(j["scale"]));
    if (j.contains("bits")) o.bits = expect(whole_number<unsigned>(j["bits"]));
    if (j.contains("input-range")) o.input_range = j["input-range"].get<double>();
    if (j.contains("input-norm")) o.input_norm = j["input-norm"].get<double>();
    if (j.contains("input-rms")) o.input_rms = j["input-rms"].get<double>();
    if (j.contains("labels")) o.labels = j["labels"].get<std::vector<std::string>>();
    if (j.contains("grid")) o.grid = grid_of(j["grid"]);
    if (j.contains("input-mask")) {
      const json& mask = j["input-mask"];
      const auto voxels = expect(whole_number<std::size_t>(mask.at("voxels")));
      o.input_mask = InputMask{from_hex(mask.at("inside").get<std::string>()), *voxels};
    }
    return o;
  } catch (const json::exception&) {
    fail_input(unreadable);
  }
}

namespace {

// Weights outside the mask leave the model. What may stand before the first affine map, a ReLU, keeps zeros.
void apply_mask(CompileState& s) {
  const InputMask& mask = *s.options.input_mask;
  const std::size_t inputs = input_count(s);
  if (!s.grid || mask.voxels != inputs || mask.inside.size() != (inputs + 7) / 8) {
    fail_input("the input mask: expected a model on a grid and as many voxels as it has, " + std::to_string(inputs) +
               ", found " + std::to_string(mask.voxels));
  }
  const std::size_t inside = count_inside(mask.inside);
  if (inside == 0) fail_input("the input mask: expected voxels that are not zero, found none");
  if (inside == inputs) return;
  if (!s.network.graph.nodes.empty()) {
    fail_input("the input mask: expected a chain of linear layers, found a graph; compile it without --input-mask");
  }
  const auto first = std::find_if(s.network.layers.begin(), s.network.layers.end(),
                                  [](const Layer& l) { return std::holds_alternative<Affine>(l); });
  if (first == s.network.layers.end()) fail_input("the input mask: expected a model with a linear layer, found none");
  auto& a = std::get<Affine>(*first);
  std::size_t to = 0;
  for (std::size_t o = 0; o < a.outputs; ++o) {
    for (std::size_t i = 0; i < a.inputs; ++i) {
      if (is_inside(mask.inside, i)) a.weights[to++] = a.weights[o * a.inputs + i];
    }
  }
  a.weights.resize(to);
  a.inputs = inside;
  s.input_mask = mask.inside;
}

}  // namespace

std::size_t input_count(const CompileState& state) {
  std::size_t n = 1;
  for (const auto d : state.network.input_dims) n *= static_cast<std::size_t>(d < 0 ? 1 : d);
  return n;
}

std::size_t class_count(const Network& network) {
  if (!network.graph.nodes.empty()) return network.graph.nodes.back().count;
  for (auto it = network.layers.rbegin(); it != network.layers.rend(); ++it) {
    if (const auto* a = std::get_if<Affine>(&*it)) return a->outputs;
  }
  std::size_t n = 1;
  for (const auto d : network.input_dims) n *= static_cast<std::size_t>(d);
  return n;
}

void declare(CompileState& s, const std::map<std::string, std::string>& metadata) {
  const auto find = [&](const char* key) -> const std::string* {
    const auto it = metadata.find(key);
    return it == metadata.end() ? nullptr : &it->second;
  };
  const auto number = [&](const std::optional<double>& option, const char* key) -> std::optional<double> {
    const std::string* text = find(key);
    if (option && !(std::isfinite(*option) && *option > 0)) {
      fail_input(std::string(key) + ": expected a positive number");
    }
    if (option || text == nullptr) return option;
    return positive(*text, "the model's metadata " + std::string(key));
  };
  if (s.network.layers.empty() && s.network.graph.nodes.empty()) fail_input("the model: expected at least one layer, found none");
  const auto range = number(s.options.input_range, "smpc.input-range");
  s.input_range = range.value_or(default_input_range);
  if (!(s.input_range < 0x1p62)) fail_input("the input range: too large for 64 bits; give a smaller --input-range");
  s.input_norm = number(s.options.input_norm, "smpc.input-norm").value_or(0);
  const bool usual_grid = looks_like_mni_4mm(s.network.input_dims);
  const double part = s.input_range * usual_part_of_range;
  s.input_rms = number(s.options.input_rms, "smpc.input-rms").value_or(range || !usual_grid ? part : usual_rms_of_z_maps);
  // Never beyond what is refused; and where a norm is declared, half of it is usual.
  s.input_rms = std::min(s.input_rms, s.input_range);
  if (s.input_norm > 0) s.input_rms = std::min(s.input_rms, s.input_norm / 2 / std::sqrt(static_cast<double>(input_count(s))));
  const std::size_t classes = class_count(s.network);
  const auto* labels = find("smpc.labels");
  if (!s.options.labels.empty()) {
    s.labels = s.options.labels;
  } else if (labels != nullptr) {
    s.labels = labels_of(*labels);
  } else {
    for (std::size_t c = 0; c < classes; ++c) s.labels.push_back("class_" + std::to_string(c));
  }
  if (s.labels.size() != classes) {
    fail_input("labels: expected " + std::to_string(classes) + ", one for each output of the model, found " +
               std::to_string(s.labels.size()) + "; give --labels");
  }
  const auto* grid = find("smpc.grid");
  if (s.options.grid) {
    s.grid = s.options.grid;
  } else if (grid != nullptr) {
    s.grid = grid_of(json::parse(*grid, nullptr, false));
  } else if (usual_grid) {
    s.grid = default_grid();
  }
  const std::size_t inputs = input_count(s);
  if (s.grid && s.grid->voxels() != inputs) {
    fail_input("the grid: expected as many voxels as the model has inputs, " + std::to_string(inputs) + ", found " +
               std::to_string(s.grid->voxels()));
  }
  if (s.options.input_mask) apply_mask(s);
}

}  // namespace smpc
