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
    fail_input("the model's metadata smpc.labels: expected a JSON array of names, in UTF-8; give --labels, or write it again");
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

json picture_json(const PictureRule& r) {
  return {{"height", r.height},   {"width", r.width}, {"channels", r.channels == 1 ? "grey" : "rgb"}, {"layout", r.channels_last ? "HWC" : "CHW"},
          {"factor", r.factor}, {"mean", r.mean},   {"deviation", r.deviation}};
}

// Throws what json throws, and bad_input, where something is missing, unknown or none of what is allowed.
PictureRule picture_rule_of(const json& j) {
  const char* const keys[] = {"height", "width", "channels", "layout", "factor", "mean", "deviation"};
  for (const auto& [key, unused] : j.items()) {
    if (std::find(std::begin(keys), std::end(keys), key) == std::end(keys)) fail_input("a picture: '" + key + "' is unknown");
  }
  for (const char* key : keys) {
    if (!j.contains(key)) fail_input(std::string("a picture: expected '") + key + "', found none");
  }
  const auto side = [&](const char* key) {
    const auto n = whole_number<std::uint32_t>(j.at(key));
    if (!n || *n == 0 || *n > 16384) fail_input(std::string("a picture: ") + key + ": expected 1 to 16384");
    return *n;
  };
  PictureRule r;
  r.height = side("height");
  r.width = side("width");
  const auto channels = j.at("channels").get<std::string>();
  const auto layout = j.at("layout").get<std::string>();
  if (channels != "grey" && channels != "rgb") fail_input("a picture: channels: expected grey or rgb");
  if (layout != "CHW" && layout != "HWC") fail_input("a picture: layout: expected CHW or HWC");
  r.channels = channels == "grey" ? 1 : 3;
  r.channels_last = layout == "HWC";
  r.factor = j.at("factor").get<double>();
  r.mean = j.at("mean").get<std::vector<double>>();
  r.deviation = j.at("deviation").get<std::vector<double>>();
  const auto finite = [](double v) { return std::isfinite(v); };
  if (!finite(r.factor) || !std::all_of(r.mean.begin(), r.mean.end(), finite) ||
      !std::all_of(r.deviation.begin(), r.deviation.end(), [&](double v) { return finite(v) && v > 0; }) ||
      r.mean.size() != r.channels || r.deviation.size() != r.channels) {
    fail_input("a picture: expected a finite factor, and for each channel a finite mean and a positive deviation");
  }
  return r;
}

// 45 x 54 x 45 in whatever way the model spells it.
bool looks_like_mni_4mm(const std::vector<std::size_t>& dims) {
  std::vector<std::size_t> d;
  for (const auto n : dims) {
    if (n != 1) d.push_back(n);
  }
  return d == std::vector<std::size_t>{45, 54, 45} || d == std::vector<std::size_t>{109350};
}

}  // namespace

Grid default_grid() {
  Grid g;
  g.shape = {45, 54, 45};
  g.affine = {-4, 0, 0, 90, 0, 4, 0, -126, 0, 0, 4, -72, 0, 0, 0, 1};
  return g;
}

PictureRule picture_rule(const std::string& text) {
  try {
    return picture_rule_of(json::parse(text));
  } catch (const json::exception&) {
    fail_input("a picture: expected a JSON object with height, width, channels, layout, factor, mean and deviation");
  }
}

std::string to_json(const CompileOptions& o) {
  json j = {{"reveal", to_text(o.reveal)}, {"protocol", to_text(o.suite)}};
  if (o.scale) j["scale"] = *o.scale;
  if (o.mixed_scales) j["mixed-scales"] = true;
  if (o.bits) j["bits"] = *o.bits;
  if (o.input_range) j["input-range"] = *o.input_range;
  for (const auto& [name, range] : o.input_ranges) j["input-ranges"][name] = {range.low, range.high};
  for (const auto& [name, rule] : o.pictures) j["pictures"][name] = picture_json(rule);
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
    o.mixed_scales = j.value("mixed-scales", false);
    if (j.contains("bits")) o.bits = expect(whole_number<unsigned>(j["bits"]));
    if (j.contains("input-range")) o.input_range = j["input-range"].get<double>();
    if (j.contains("input-ranges")) {
      for (const auto& [name, range] : j["input-ranges"].items()) o.input_ranges[name] = {range.at(0).get<double>(), range.at(1).get<double>()};
    }
    if (j.contains("pictures")) {
      for (const auto& [name, rule] : j["pictures"].items()) o.pictures[name] = picture_rule_of(rule);
    }
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
  std::size_t n = 0;
  for (const NetworkValue& in : state.network.inputs) n += elements_of(in.shape);
  return n;
}

std::vector<ProgramOutput> outputs_of(const Network& network) {
  std::vector<ProgramOutput> out;
  for (const NetworkValue& o : network.outputs) out.push_back({o.name, o.shape});
  return out;
}

namespace {

// Classes are one row, of one output. 0: the outputs are something else.
std::size_t class_count(const Network& network) {
  if (network.outputs.size() != 1) return 0;
  const std::vector<std::size_t>& shape = network.outputs.front().shape;
  const auto longer = std::count_if(shape.begin(), shape.end(), [](std::size_t d) { return d != 1; });
  constexpr std::size_t most_classes = 65536;
  const std::size_t count = elements_of(shape);
  return longer <= 1 && count <= most_classes ? count : 0;
}

// What the results are, for both kinds of network: classes are probabilities only where the model or its owner says so.
Results results_of(const Network& network, bool named) {
  switch (network.scores) {
    case Scores::logits: return Results::logits;
    case Scores::probabilities: return Results::probabilities;
    case Scores::linear: return named && class_count(network) > 1 ? Results::logits : Results::values;
    case Scores::values:
    case Scores::indices: return Results::values;
  }
  return Results::values;
}

void declare_labels(CompileState& s, const std::string* declared) {
  const bool indices = s.network.scores == Scores::indices;
  const std::size_t classes = indices ? 0 : class_count(s.network);
  const bool named = !s.options.labels.empty() || declared != nullptr;
  s.results = results_of(s.network, named);
  if (indices && s.options.reveal == Reveal::label) {
    fail_input("the output: expected scores, whose largest is the label, or an ArgMax over all classes of one sample at the end, found the "
               "indices of an ArgMax over another axis or with select_last_index; give --reveal logits, which opens them");
  }
  if (classes == 0) {
    if (s.options.reveal == Reveal::label) {
      fail_input("the outputs: expected one row of classes, whose largest is the label, found " +
                 (s.network.outputs.size() > 1 ? std::to_string(s.network.outputs.size()) + " outputs"
                                               : "an output of " + std::to_string(elements_of(s.network.outputs.front().shape)) + " elements") +
                 "; give --reveal logits");
    }
    if (!s.options.labels.empty()) fail_input("labels: expected none, since the outputs are no classes; leave out --labels");
    return;
  }
  if (classes == 1 && s.options.reveal == Reveal::label) {
    fail_input("the output: expected two classes or more, whose largest is the label, found one value, whose label would always be the "
               "same; give --reveal logits, and the server --quota-total N or --no-quota");
  }
  if (!s.options.labels.empty()) {
    s.labels = s.options.labels;
  } else if (declared != nullptr) {
    s.labels = labels_of(*declared);
  } else {
    for (std::size_t c = 0; c < classes; ++c) s.labels.push_back("class_" + std::to_string(c));
  }
  if (s.labels.size() != classes) {
    fail_input("labels: expected " + std::to_string(classes) + ", one for each output of the model, found " +
               std::to_string(s.labels.size()) + "; give --labels");
  }
}

// Every input with its range and picture. What the options name must be there.
void declare_inputs(CompileState& s, const std::string* declared) {
  Range all{-default_input_range, default_input_range};
  if (s.options.input_range) {
    if (!(std::isfinite(*s.options.input_range) && *s.options.input_range > 0)) fail_input("smpc.input-range: expected a positive number");
    all = {-*s.options.input_range, *s.options.input_range};
  } else if (declared != nullptr) {
    const auto range = range_of(*declared);
    if (!range) fail_input("the model's metadata smpc.input-range: expected a positive number, or LOW:HIGH, found '" + *declared + "'");
    all = *range;
  }
  std::map<std::string, Range> ranges = s.options.input_ranges;
  if (const auto every = ranges.find(""); every != ranges.end()) {
    all = every->second;
    ranges.erase(every);
  }
  std::map<std::string, PictureRule> pictures = s.options.pictures;
  if (pictures.count("") != 0 && s.network.inputs.size() == 1) {
    pictures.emplace(s.network.inputs.front().name, std::move(pictures.at("")));
    pictures.erase("");
  }
  for (const NetworkValue& in : s.network.inputs) {
    const auto own = ranges.find(in.name);
    const Range range = own == ranges.end() ? all : own->second;
    ProgramInput input{in.name, in.shape, range.low, range.high};
    if (own != ranges.end()) ranges.erase(own);
    if (const auto picture = pictures.find(in.name); picture != pictures.end()) {
      const PictureRule& rule = picture->second;
      if (std::size_t{rule.height} * rule.width * rule.channels != elements_of(in.shape)) {
        fail_input("the picture of input '" + in.name + "': " + std::to_string(rule.channels) + " x " + std::to_string(rule.height) +
                   " x " + std::to_string(rule.width) + " values do not fit its " + std::to_string(elements_of(in.shape)));
      }
      input.picture = rule;
      pictures.erase(picture);
    }
    s.input_range = std::max({s.input_range, std::abs(range.low), std::abs(range.high)});
    s.inputs.push_back(std::move(input));
  }
  for (const auto& [name, unused] : ranges) fail_input("--input-range: the model has no input '" + name + "'");
  for (const auto& [name, unused] : pictures) fail_input("--preprocess: the model has no input '" + name + "'");
  if (!(s.input_range < 0x1p62)) fail_input("the input range: too large for 64 bits; give a smaller --input-range");
}

bool has_usual_grid(const CompileState& s) {
  return s.network.inputs.size() == 1 && looks_like_mni_4mm(s.network.inputs.front().shape);
}

}  // namespace

std::optional<Range> range_of(const std::string& text) {
  const auto number = [](const std::string& t) -> std::optional<double> {
    std::size_t used = 0;
    try {
      const double value = std::stod(t, &used);
      if (used == t.size() && std::isfinite(value)) return value;
    } catch (const std::exception&) {
    }
    return std::nullopt;
  };
  const auto colon = text.find(':');
  const auto low = number(text.substr(0, colon));
  if (!low) return std::nullopt;
  if (colon == std::string::npos) return *low > 0 ? std::optional(Range{-*low, *low}) : std::nullopt;
  const auto high = number(text.substr(colon + 1));
  return high && *low < *high ? std::optional(Range{*low, *high}) : std::nullopt;
}

double usual_rms(const CompileState& s, bool range_is_declared) {
  const double part = s.input_range * usual_part_of_range;
  double rms = s.given_rms.value_or(range_is_declared || !has_usual_grid(s) ? part : usual_rms_of_z_maps);
  // Never beyond what is refused; and where a norm is declared, half of it is usual.
  rms = std::min(rms, s.input_range);
  if (s.input_norm > 0) rms = std::min(rms, s.input_norm / 2 / std::sqrt(static_cast<double>(input_count(s))));
  return rms;
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
  const std::string* range = find("smpc.input-range");
  declare_inputs(s, range);
  s.input_norm = number(s.options.input_norm, "smpc.input-norm").value_or(0);
  const bool single = s.network.inputs.size() == 1;
  s.given_rms = number(s.options.input_rms, "smpc.input-rms");
  s.input_rms = usual_rms(s, s.options.input_range || range != nullptr || !s.options.input_ranges.empty());
  declare_labels(s, find("smpc.labels"));
  const auto* grid = find("smpc.grid");
  if (s.options.grid) {
    s.grid = s.options.grid;
  } else if (grid != nullptr) {
    s.grid = grid_of(json::parse(*grid, nullptr, false));
  } else if (has_usual_grid(s)) {
    s.grid = default_grid();
  }
  if (!single && (s.grid || s.input_norm > 0 || s.options.input_mask)) {
    fail_input("the inputs: expected one for a grid, a norm or a mask, found " + std::to_string(s.network.inputs.size()));
  }
  const std::size_t inputs = input_count(s);
  if (s.grid && s.grid->voxels() != inputs) {
    fail_input("the grid: expected as many voxels as the model has inputs, " + std::to_string(inputs) + ", found " +
               std::to_string(s.grid->voxels()));
  }
  if (s.options.input_mask) apply_mask(s);
}

}  // namespace smpc
