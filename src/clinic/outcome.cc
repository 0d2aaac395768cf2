#include "smpc/clinic/outcome.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <numeric>

#include "cell_text.h"
#include "smpc/runtime/interpreter.h"

namespace smpc {
namespace {

using nlohmann::json;

json to_json(const PhaseCost& c) { return {{"sent", c.sent}, {"received", c.received}, {"seconds", c.seconds}}; }

// Values in the shape that the model gives them, flat.
json outputs_json(const ScanOutcome& outcome, std::size_t i) {
  json all = json::array();
  const std::vector<double> values = output_values(outcome, i);
  auto from = values.begin();
  for (const ProgramOutput& out : outcome.outputs) {
    const auto to = from + static_cast<std::ptrdiff_t>(out.count());
    all.push_back({{"name", out.name}, {"shape", out.shape}, {"values", std::vector<double>(from, to)}});
    from = to;
  }
  return all;
}

json result_json(const ScanOutcome& outcome, std::size_t i) {
  const VolumeResult& r = outcome.results[i];
  const bool logits = outcome.what == Results::logits;
  if (outcome.labels.empty()) {
    json j = {{"volume", outcome.volumes[i]}, {"outputs", outputs_json(outcome, i)}};
    if (logits) j["logits"] = r.logits;
    return j;
  }
  json j = {{"volume", outcome.volumes[i]}, {"index", r.index}, {"label", label_of(outcome, i)}};
  if (!outcome.nan_voxels.empty()) j["nan_as_zero"] = outcome.nan_voxels[i];
  if (r.logits.empty()) return j;
  j[logits ? "logits" : "values"] = r.logits;
  const std::vector<double> p = probabilities_of(outcome, i);
  if (p.empty()) return j;
  j["probability"] = p[r.index];
  json top = json::array();
  for (const RankedClass& c : ranked(outcome, i, 5)) {
    top.push_back({{"index", c.index}, {"label", c.label}, {"probability", *c.probability}});
  }
  j["top"] = top;
  return j;
}

// Quoted where it must be.
std::string csv_field(const std::string& given) {
  const std::string text = cell_text(given);
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"') out += '"';
    out += c;
  }
  return out + '"';
}

std::size_t nan_voxels(const ScanOutcome& outcome) {
  return std::accumulate(outcome.nan_voxels.begin(), outcome.nan_voxels.end(), std::size_t{0});
}

std::string nan_sentence(std::size_t n) {
  if (n == 0) return "no voxel was NaN";
  return std::to_string(n) + (n == 1 ? " voxel was NaN and was taken as 0" : " voxels were NaN and were taken as 0");
}

}  // namespace

std::string exact_number(double value) { return json(value).dump(); }

std::string nan_words(const ScanOutcome& outcome) {
  if (outcome.nan_voxels.empty()) return "";
  const std::size_t volumes = outcome.nan_voxels.size();
  return nan_sentence(nan_voxels(outcome)) + (volumes > 1 ? ", in " + std::to_string(volumes) + " volumes together" : "");
}

std::string nan_words(const ScanOutcome& outcome, std::size_t i) {
  return outcome.nan_voxels.empty() ? "" : nan_sentence(outcome.nan_voxels[i]);
}

const std::string& label_of(const ScanOutcome& outcome, std::size_t i) {
  return outcome.labels[outcome.results[i].index];
}

std::vector<double> probabilities_of(const ScanOutcome& outcome, std::size_t i) {
  const std::vector<double>& opened = outcome.results[i].logits;
  if (opened.empty() || outcome.what == Results::values) return {};
  if (outcome.what == Results::logits) return softmax(opened);
  std::vector<double> p = opened;  // in fixed point: a last bit may lie beyond 0 or 1
  for (double& v : p) v = std::clamp(v, 0.0, 1.0);
  return p;
}

std::vector<double> output_values(const ScanOutcome& outcome, std::size_t i) {
  const std::vector<double>& opened = outcome.results[i].logits;
  return outcome.what == Results::logits && outcome.labels.empty() ? softmax(opened) : opened;
}

std::vector<RankedClass> ranked(const ScanOutcome& outcome, std::size_t i, std::size_t count) {
  const std::vector<double>& opened = outcome.results[i].logits;
  if (opened.empty()) return {};
  const std::vector<double> p = probabilities_of(outcome, i);
  std::vector<std::size_t> order(opened.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return opened[a] > opened[b]; });
  order.resize(std::min(count, order.size()));
  std::vector<RankedClass> out;
  for (const std::size_t c : order) {
    out.push_back({c, outcome.labels[c], p.empty() ? std::nullopt : std::optional(p[c]), opened[c]});
  }
  return out;
}

json to_json(const ClientCost& c) {
  json online = to_json(c.online);
  online["messages"] = c.messages;
  online["rounds"] = c.rounds;
  return {{"online", online},
          {"offline", to_json(c.offline)},
          {"setup", to_json(c.setup)},
          {"control", {{"sent", c.control.sent}, {"received", c.control.received}}}};
}

json to_json(const ScanOutcome& outcome) {
  json j = {{"program", outcome.program},
            {"mask", outcome.mask},
            {"server", outcome.server},
            {"reveal", to_text(outcome.reveal)},
            {"output", output_text(outcome.reveal, outcome.what)},
            {"results", json::array()},
            {"cost", to_json(outcome.cost)}};
  if (!outcome.resampling.empty()) j["resampling"] = outcome.resampling;
  if (!outcome.caution.empty()) j["caution"] = outcome.caution;
  if (!outcome.nan_voxels.empty()) j["nan_as_zero"] = nan_voxels(outcome);
  for (std::size_t i = 0; i < outcome.results.size(); ++i) j["results"].push_back(result_json(outcome, i));
  return j;
}

std::string to_csv(const ScanOutcome& outcome) {
  const bool opened = outcome.reveal == Reveal::logits;
  const std::string column = outcome.what == Results::logits ? "logit " : "value ";
  std::string out = "volume,index,label";
  if (opened && outcome.what != Results::values) out += ",probability";
  for (std::size_t c = 0; opened && c < outcome.labels.size(); ++c) out += "," + csv_field(column + outcome.labels[c]);
  if (!outcome.nan_voxels.empty()) out += ",nan_as_zero";
  out += "\n";
  for (std::size_t i = 0; i < outcome.results.size(); ++i) {
    const VolumeResult& r = outcome.results[i];
    out += std::to_string(outcome.volumes[i]) + "," + std::to_string(r.index) + "," + csv_field(label_of(outcome, i));
    if (const auto p = probabilities_of(outcome, i); !p.empty()) out += "," + exact_number(p[r.index]);
    for (const double v : r.logits) out += "," + exact_number(v);
    if (!outcome.nan_voxels.empty()) out += "," + std::to_string(outcome.nan_voxels[i]);
    out += "\n";
  }
  return out;
}

Learned who_learned_what(const ScanOutcome& outcome) {
  const std::size_t n = outcome.results.size();
  const std::string volumes = n == 1 ? "one volume" : std::to_string(n) + " volumes";
  const ClientCost& c = outcome.cost;
  Learned out;
  const std::string values = outcome.labels.empty() ? std::to_string(outcome.results.front().logits.size()) + " numbers"
                                                     : std::to_string(outcome.labels.size()) + " scores";
  out.client = "You learned " + (outcome.reveal == Reveal::label ? "one label" : values) +
               " for " + (n == 1 ? "the volume" : "each of " + volumes) +
               ", and nothing else of the model's weights beyond the public program.";
  out.server = "The model's owner (" + outcome.server + ") learned that " + outcome.client + " asked about " + volumes +
               " and when; of the volume it saw " + human_bytes(c.online.sent) +
               " of masked numbers, each of which could as well be any other.";
  out.dealer = c.offline.received > 0
                   ? "The dealer learned that " + outcome.client + " took " + human_bytes(c.offline.received) +
                         " of random numbers now; it saw neither volume nor weights nor the result."
                   : std::string("The dealer was not asked: its random numbers were in store. It saw neither volume nor "
                                 "weights nor the result.");
  return out;
}

}  // namespace smpc
