#include "ending.h"

#include <algorithm>
#include <limits>
#include <map>
#include <optional>

namespace smpc {
namespace {

// A Clip that moves a probability by no more than this guards a logarithm or a quotient elsewhere.
constexpr double guard = 1e-3;

// ONNX's TensorProto.DataType.
bool is_float_type(std::int64_t type) { return type == 1 || type == 10 || type == 11; }
// Types that hold the index of any class: float, int32, int64, double, uint32, uint64.
bool holds_index(std::int64_t type) { return type == 1 || type == 6 || type == 7 || type == 11 || type == 12 || type == 13; }

bool is_one_of(const Node& node, std::initializer_list<const char*> ops) {
  return std::any_of(ops.begin(), ops.end(), [&](const char* op) { return node.op == op; });
}

bool is_soft(const Node& node) { return is_one_of(node, {"Softmax", "LogSoftmax"}); }

template <class T>
std::optional<T> attribute(const Node& node, const char* name) {
  const auto at = node.attributes.find(name);
  const auto* v = at == node.attributes.end() ? nullptr : std::get_if<T>(&at->second);
  return v == nullptr ? std::nullopt : std::optional<T>(*v);
}

class EndFinder {
 public:
  explicit EndFinder(const Model& model) : model_(model) {
    for (const ValueInfo& in : model.inputs) computed_.insert(in.name);
    for (const Node& n : model.nodes) {
      for (const std::string& in : n.inputs) ++uses_[in];
      if (!n.outputs.empty()) producers_.emplace(n.outputs.front(), &n);
      note_linear(n);
    }
    for (const ValueInfo& out : model.outputs) ++uses_[out.name];
  }

  Ending find() {
    Ending e;
    if (model_.outputs.empty() || model_.outputs.size() > 2) return e;
    std::string scores = model_.outputs.front().name;
    if (model_.outputs.size() == 2) {
      const std::string other = model_.outputs.back().name;
      if (!find_label(e, other, scores)) {
        if (!find_label(e, scores, other)) return e;
        scores = other;
      }
    }
    const Path path = walk(scores);
    if (path.end != nullptr) {
      e.node = path.end->outputs.front();
      e.after = path.passed;
      e.guarded = path.guarded;
    }
    if (path.end != nullptr && path.end->op == "ArgMax") {
      const Path above = walk(path.end->inputs.front());
      if (above.end != nullptr && is_soft(*above.end) && above.passed.empty()) e.below = above.end->outputs.front();
    }
    const std::string& last = path.end == nullptr ? scores : path.end->inputs.front();
    e.linear = linear_.count(last) != 0;
    return e;
  }

 private:
  struct Path {
    const Node* end = nullptr;      // Softmax, LogSoftmax or ArgMax
    std::set<std::string> passed;   // what comes after it
    bool guarded = false;
  };

  const Node* producer(const std::string& name) const {
    const auto at = producers_.find(name);
    return at == producers_.end() || at->second->inputs.empty() ? nullptr : at->second;
  }

  // Backwards, along values that nothing else reads.
  Path walk(std::string name) const {
    Path path;
    bool whole = false;    // whole numbers
    bool clipped = false;
    for (const Node* n = producer(name); n != nullptr && uses_.at(name) == 1; n = producer(name)) {
      if (is_soft(*n) || n->op == "ArgMax") {
        const bool fits = n->op == "ArgMax" ? !clipped : !whole && (n->op == "Softmax" || !clipped);
        if (fits) path.end = n;
        return fits ? path : Path{};
      }
      if (n->op == "Cast") {
        const std::int64_t to = attribute<std::int64_t>(*n, "to").value_or(0);
        if (!is_float_type(to) && !holds_index(to)) return {};
        whole = whole || !is_float_type(to);
      } else if (n->op == "Clip") {
        const auto range = clip_range(*n);
        if (!range || range->first > guard || range->second < 1 - guard) return {};
        clipped = true;
        path.guarded = path.guarded || range->first > 0 || range->second < 1;
      } else if (!keeps(*n)) {
        return {};
      }
      path.passed.insert(name);
      name = n->inputs.front();
    }
    return {};
  }

  static bool keeps(const Node& node) {
    return is_one_of(node, {"Identity", "Flatten", "Reshape", "Squeeze", "Unsqueeze", "Dropout"});
  }

  std::optional<std::pair<double, double>> clip_range(const Node& node) const {
    std::pair<double, double> range{-std::numeric_limits<double>::infinity(), std::numeric_limits<double>::infinity()};
    if (const auto low = attribute<float>(node, "min")) range.first = static_cast<double>(*low);
    if (const auto high = attribute<float>(node, "max")) range.second = static_cast<double>(*high);
    for (std::size_t i = 1; i < std::min<std::size_t>(node.inputs.size(), 3); ++i) {
      if (node.inputs[i].empty()) continue;
      const auto at = model_.constants.find(node.inputs[i]);
      if (at == model_.constants.end() || at->second.size() != 1) return std::nullopt;
      double& end = i == 1 ? range.first : range.second;
      if (const auto* f = std::get_if<SecretVector<float>>(&at->second.values)) {
        end = static_cast<double>(f->front());
      } else if (const auto* d = std::get_if<SecretVector<double>>(&at->second.values)) {
        end = d->front();
      } else {
        return std::nullopt;
      }
    }
    return range;
  }

  // Whether one output is the index of the largest of what another is the Softmax of, or of that Softmax. That ArgMax then counts as
  // no reader of theirs.
  bool find_label(Ending& e, const std::string& label, const std::string& scores) {
    const Path path = walk(label);
    if (path.end == nullptr || path.end->op != "ArgMax") return false;
    std::set<std::string> of_scores{scores};
    bool soft = false;
    for (const Node* n = producer(scores); n != nullptr && !soft; n = producer(n->inputs.front())) {
      soft = is_soft(*n);
      if (!soft && !keeps(*n) && n->op != "Cast" && n->op != "Clip") break;
      of_scores.insert(n->inputs.front());
    }
    const std::string& read = path.end->inputs.front();
    if (!soft || of_scores.count(read) == 0) return false;
    --uses_[read];
    e.label = path.end->outputs.front();
    e.after_label = path.passed;
    e.label_output = label;
    return true;
  }

  // Forwards, node by node: what a linear op computes, and sums, multiples and means of that.
  void note_linear(const Node& node) {
    if (node.outputs.empty() || node.op == "Shape") return;
    std::size_t read = 0;
    bool all_linear = true;
    bool all_rectified = true;
    for (const std::string& in : node.inputs) {
      if (computed_.count(in) == 0) continue;
      ++read;
      all_linear = all_linear && linear_.count(in) != 0;
      all_rectified = all_rectified && (linear_.count(in) != 0 || rectified_.count(in) != 0);
    }
    if (read == 0) return;
    computed_.insert(node.outputs.begin(), node.outputs.end());
    const std::string& out = node.outputs.front();
    const bool sums = keeps(node) || is_one_of(node, {"Cast", "Transpose", "Neg", "Add", "Sub", "Sum", "BatchNormalization", "ReduceSum"});
    const bool scales = read == 1 && (node.op == "Mul" || (node.op == "Div" && computed_.count(node.inputs.front()) != 0));
    // Some networks average what a ReLU leaves of their last layer.
    const bool means = is_one_of(node, {"GlobalAveragePool", "AveragePool", "ReduceMean"});
    if (is_one_of(node, {"Gemm", "MatMul", "Conv", "ConvTranspose"}) || (all_linear && (sums || scales)) || (all_rectified && means)) {
      linear_.insert(out);
    }
    if (all_linear && node.op == "Relu") rectified_.insert(out);
  }

  const Model& model_;
  std::map<std::string, const Node*> producers_;
  std::map<std::string, int> uses_;   // nodes and outputs that read a name
  std::set<std::string> computed_;    // from the inputs
  std::set<std::string> linear_;
  std::set<std::string> rectified_;
};

}  // namespace

Ending ending_of(const Model& model) { return EndFinder(model).find(); }

}  // namespace smpc
