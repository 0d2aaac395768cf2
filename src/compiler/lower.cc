// Pass 4: rings from sound bounds, then ops.
#include <algorithm>
#include <cmath>

#include "bounds.h"
#include "passes.h"

namespace smpc {
namespace {

class Lowering {
 public:
  explicit Lowering(CompileState& state) : s_(state) {}

  bool run(std::string& why) {
    if (!start(why)) return false;
    std::size_t next_affine = 0;
    for (std::size_t i = 0; i < s_.network.layers.size(); ++i) {
      const bool last = i + 1 == s_.network.layers.size();
      if (const auto* a = std::get_if<Affine>(&s_.network.layers[i])) {
        const AffinePlan& plan = s_.affines[next_affine];
        const bool truncates = !last && !std::holds_alternative<Relu>(s_.network.layers[i + 1]);
        if (!affine(*a, plan, s_.weights[next_affine], last, truncates, why)) return false;
        ++next_affine;
        pending_shift_ = plan.shift;
        if (truncates) shift(a->name + " (rescale)", TruncateOp{pending_shift_});
      } else {
        shift(std::get<Relu>(s_.network.layers[i]).name, ReluOp{pending_shift_});
      }
    }
    return finish(why);
  }

 private:
  Program& program() { return s_.program; }

  bool start(std::string& why) {
    program() = Program{};
    program().reveal = s_.options.reveal;
    program().results = s_.results;
    program().inputs = s_.inputs;
    program().outputs = outputs_of(s_.network);
    program().input_norm = s_.input_norm;
    program().grid = s_.grid;
    program().labels = s_.labels;
    program().suite = s_.options.suite;
    program().input_mask = s_.input_mask;
    const std::size_t inputs = s_.input_mask.empty() ? input_count(s_) : count_inside(s_.input_mask);
    const double limit = std::nearbyint(std::ldexp(s_.input_range, s_.input_scale));
    if (!(limit < std::ldexp(1.0, 62))) {
      why = "the input range: does not fit 64 bits at " + std::to_string(s_.input_scale) + " fractional bits";
      return false;
    }
    bounds_ = Bounds(inputs, static_cast<i128>(limit), std::ldexp(s_.input_norm, s_.input_scale));
    program().tensors.push_back({inputs, s_.input_scale, Ring{std::max(2U, wide_bits(bounds_.hull()))}});
    return true;
  }

  // The ring of what the affine map reads is its accumulator's.
  bool affine(const Affine& a, const AffinePlan& plan, const LinearWeights& w, bool last, bool truncates,
              std::string& why) {
    bounds_.linear(w, last);
    Interval all = bounds_.hull();
    if (last && s_.options.reveal == Reveal::label) all = {all.low - all.high, all.high - all.low};  // differences
    unsigned bits = std::max(2U, wide_bits(all) + (truncates ? 1 : 0));
    if (!truncates && !last) bits = std::max(bits, plan.shift + 1);
    if (truncates) bits = std::max(bits, plan.shift + 2);
    if (!fits(bits, a.name, why)) return false;
    program().tensors.back().ring = Ring{bits};
    program().ops.push_back({a.name, LinearOp{a.inputs, a.outputs}});
    program().tensors.push_back({a.outputs, plan.output_scale(), Ring{bits}});
    return true;
  }

  // The op's output is shared in the ring of the next accumulator, which the next affine map sets.
  void shift(const std::string& name, OpKind kind) {
    if (std::holds_alternative<ReluOp>(kind)) {
      bounds_.relu(pending_shift_);
    } else {
      bounds_.truncate(pending_shift_);
    }
    const TensorType& in = program().tensors.back();
    const TensorType out{in.count, in.scale - static_cast<int>(pending_shift_),
                         Ring{std::max(2U, wide_bits(bounds_.hull()))}};
    program().ops.push_back({name, kind});
    program().tensors.push_back(out);
    pending_shift_ = 0;
  }

  bool finish(std::string& why) {
    const std::size_t classes = program().tensors.back().count;
    if (s_.options.reveal == Reveal::label) {
      TensorType& logits = program().tensors.back();
      if (!std::holds_alternative<LinearOp>(program().ops.back().kind)) {
        const Interval all = bounds_.hull();
        const unsigned bits = std::max(2U, wide_bits({all.low - all.high, all.high - all.low}));
        if (!fits(bits, program().ops.back().name, why)) return false;
        logits.ring = Ring{bits};
      }
      program().ops.push_back({"argmax", ArgMaxOp{}});
      program().tensors.push_back({1, 0, Ring{index_bits(classes)}});
    }
    return true;
  }

  bool fits(unsigned bits, const std::string& name, std::string& why) const {
    const unsigned most = s_.options.bits.value_or(max_ring_bits);
    if (bits <= most) return true;
    why = "layer '" + name + "': its values can need " + std::to_string(bits) + " bits, and at most " +
          std::to_string(most) + " are allowed";
    return false;
  }

  CompileState& s_;
  Bounds bounds_;
  unsigned pending_shift_ = 0;
};

}  // namespace

bool lower(CompileState& state, std::string& why) { return Lowering(state).run(why); }

}  // namespace smpc
