#include "smpc/runtime/explain.h"

#include <algorithm>
#include <set>

#include "smpc/correlation/bundle.h"
#include "smpc/net/channel.h"
#include "smpc/runtime/schedule.h"

namespace smpc {
namespace {

// The corrections of one op: its demands lie together, in the order of the ops.
std::vector<std::size_t> bundle_bytes_by_op(const Plan& plan) {
  std::vector<std::size_t> out;
  for (const OpPlan& op : plan.ops) {
    std::size_t bytes = 0;
    const auto add = [&](std::size_t demand) { bytes += correction_bytes(plan.demands[demand]); };
    const auto add_shift = [&](const ShiftPlan& s) {
      for (const std::size_t d : s.node_demands) {
        if (d != s.opening) add(d);  // of suite masked, whose digits are of the opening
      }
      for (const auto& d : {s.carry, s.wrap, s.product, s.opening, s.low_bit}) {
        if (d) add(*d);
      }
    };
    if (const auto* linear = std::get_if<LinearPlan>(&op)) {
      add(linear->demand);
    } else if (const auto* shift = std::get_if<ShiftPlan>(&op)) {
      add_shift(*shift);
    } else if (const auto* product = std::get_if<ProductPlan>(&op)) {
      add(product->demand);
    } else if (const auto* step = std::get_if<StepPlan>(&op)) {
      add_shift(step->compare);
      add(step->bit);
    } else if (const auto* lookup = std::get_if<LookupPlan>(&op)) {
      add(lookup->demand);
    } else if (const auto* arg_max = std::get_if<ArgMaxPlan>(&op)) {
      for (const ArgMaxRound& round : arg_max->rounds) {
        add_shift(round.compare);
        if (round.select_index) add(*round.select_index);
      }
    }
    out.push_back(bytes);
  }
  return out;
}

std::size_t leaves_below(const ComparisonLayout& layout, const ComparisonNode& node) {
  if (node.children.empty()) return 1;
  std::size_t leaves = 0;
  for (const unsigned c : node.children) leaves += leaves_below(layout, layout.nodes[c]);
  return leaves;
}

std::string comparison_of(const OpPlan& op) {
  const auto text = [](const ShiftPlan& s) { return s.comparison ? comparison_text(*s.comparison) : std::string(); };
  if (const auto* shift = std::get_if<ShiftPlan>(&op)) return text(*shift);
  if (const auto* step = std::get_if<StepPlan>(&op)) return text(step->compare);
  if (const auto* arg_max = std::get_if<ArgMaxPlan>(&op)) {
    return arg_max->rounds.empty() ? std::string() : text(arg_max->rounds.front().compare);
  }
  return {};
}

}  // namespace

std::string comparison_text(const ComparisonLayout& layout) {
  std::vector<const ComparisonNode*> digits;
  for (const ComparisonNode& n : layout.nodes) {
    if (n.children.empty()) digits.push_back(&n);
  }
  std::sort(digits.begin(), digits.end(),
            [](const ComparisonNode* a, const ComparisonNode* b) { return a->first_bit < b->first_bit; });
  std::string text = "digits ";
  for (std::size_t i = 0; i < digits.size();) {
    std::size_t end = i;
    while (end < digits.size() && digits[end]->bits == digits[i]->bits) ++end;
    text += (i > 0 ? "+" : "") + std::to_string(digits[i]->bits) + "x" + std::to_string(end - i);
    i = end;
  }
  const ComparisonNode& root = layout.root();
  const auto low = static_cast<std::size_t>(layout.low_node);
  text += ", tree ";
  if (root.children.empty() || (layout.low_node >= 0 && &layout.nodes[low] == &root)) {
    text += std::to_string(leaves_below(layout, root));
  } else {
    for (std::size_t i = 0; i < root.children.size(); ++i) {
      const bool after_low = i == 1 && layout.low_node >= 0 && root.children[0] == low;
      text += (i == 0 ? "" : after_low ? "|" : ",") + std::to_string(leaves_below(layout, layout.nodes[root.children[i]]));
    }
  }
  return text + ", " + std::to_string(layout.levels) + (layout.levels == 1 ? " level" : " levels");
}

Explanation explain(const Program& program, std::size_t volumes) {
  const Plan plan = correlation_plan(program);
  const Schedule schedule = make_schedule(program, plan, volumes);
  const std::vector<Cost> by_op = cost_by_op(program, schedule);
  const std::vector<std::size_t> bundle = bundle_bytes_by_op(plan);
  std::vector<std::set<std::size_t>> messages(by_op.size());
  for (std::size_t m = 0; m < schedule.messages.size(); ++m) {
    for (const std::size_t h : schedule.messages[m].halves) messages[schedule.halves[h].op].insert(m);
  }
  Explanation e;
  e.volumes = volumes;
  const TensorType& in = program.input();
  e.rows.push_back({"input", "Input", in.count, in.scale, in.ring.bits, 0, 0, 0, 0, {}});
  for (std::size_t i = 0; i < program.ops.size(); ++i) {
    const TensorType& t = program.tensors[i + 1];
    e.rows.push_back({program.ops[i].name, std::string(op_name(program.ops[i].kind)), t.count, t.scale, t.ring.bits,
                      by_op[i].client_to_server, by_op[i].server_to_client, messages[i].size(), bundle[i],
                      comparison_of(plan.ops[i])});
  }
  if (program.reveal == Reveal::logits) {
    const TensorType& t = program.output();
    e.rows.push_back({"logits", "Reveal", t.count, t.scale, t.ring.bits, by_op.back().client_to_server,
                      by_op.back().server_to_client, messages.back().size(), 0, {}});
  }
  const Cost cost = predicted_cost(schedule);
  e.client_to_server = cost.client_to_server;
  e.server_to_client = cost.server_to_client;
  e.messages = cost.messages;
  e.bundle_bytes = plan.correction_bytes() + 32 + 2 * frame_header_bytes + longest_bundle_header;
  e.masked_weight_bytes = MaskedLayout(plan).bytes();
  e.memory = predicted_memory(program, plan, schedule);
  return e;
}

std::vector<LayerCost> costliest(const Explanation& e, std::size_t most) {
  std::vector<LayerCost> layers;
  for (const ExplainRow& r : e.rows) {
    const std::string name = r.name.substr(0, r.name.find(" ("));
    auto layer = std::find_if(layers.begin(), layers.end(), [&](const LayerCost& l) { return l.name == name; });
    if (layer == layers.end()) layer = layers.insert(layer, {name, 0, 0});
    layer->online += r.client_to_server + r.server_to_client;
    layer->bundle += r.bundle_bytes;
  }
  std::erase_if(layers, [](const LayerCost& l) { return l.online + l.bundle == 0; });
  std::stable_sort(layers.begin(), layers.end(), [](const auto& a, const auto& b) { return a.online + a.bundle > b.online + b.bundle; });
  layers.resize(std::min(layers.size(), most));
  return layers;
}

double line_seconds(const Explanation& e, double bandwidth, double latency) {
  return static_cast<double>(8 * (e.client_to_server + e.server_to_client)) / bandwidth +
         static_cast<double>(e.messages) * latency;
}

}  // namespace smpc
