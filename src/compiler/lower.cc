// Pass 4: sound bounds, element by element, then rings and ops.
#include <algorithm>
#include <bit>
#include <cmath>

#include "passes.h"
#include "smpc/base/error.h"
#include "smpc/base/wide.h"

namespace smpc {
namespace {

struct Interval {
  i128 low = 0;
  i128 high = 0;
};

// Bits of a two's complement integer that holds [low, high].
unsigned wide_bits(const Interval& v) {
  const auto magnitude = [](i128 x) { return static_cast<u128>(x < 0 ? ~x : x); };
  const u128 all = magnitude(v.low) | magnitude(v.high);
  const auto high = static_cast<std::uint64_t>(all >> 64);
  const auto low = static_cast<std::uint64_t>(all);
  return 1 + static_cast<unsigned>(high != 0 ? 64 + std::bit_width(high) : std::bit_width(low));
}

Interval hull(const std::vector<Interval>& values) {
  Interval all = values.front();
  for (const Interval& v : values) all = {std::min(all.low, v.low), std::max(all.high, v.high)};
  return all;
}

class Lowering {
 public:
  explicit Lowering(CompileState& state) : s_(state) {}

  bool run(std::string& why) {
    start();
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

  void start() {
    program() = Program{};
    program().reveal = s_.options.reveal;
    for (const auto d : s_.network.input_dims) program().input_shape.push_back(static_cast<std::size_t>(d));
    program().input_range = s_.input_range;
    program().input_norm = s_.input_norm;
    program().grid = s_.grid;
    program().labels = s_.labels;
    std::size_t inputs = 1;
    for (const std::size_t d : program().input_shape) inputs *= d;
    const double limit = std::nearbyint(std::ldexp(s_.input_range, s_.input_scale));
    if (!(limit < std::ldexp(1.0, 62))) fail_input("the input range: too large for 64 bits; give a smaller --input-range");
    bounds_.assign(inputs, {-static_cast<i128>(limit), static_cast<i128>(limit)});
    norm_ = std::ldexp(s_.input_norm, s_.input_scale);
    program().tensors.push_back({inputs, s_.input_scale, Ring{std::max(2U, wide_bits(hull(bounds_)))}});
  }

  // Interval arithmetic on the integers themselves; the first layer also by Cauchy and Schwarz, where a norm is declared.
  void bound(const Affine& a, const LinearWeights& w) {
    std::vector<Interval> out(a.outputs);
    WeightMatrix::Wide row(a.inputs);
    for (std::size_t o = 0; o < a.outputs; ++o) {
      w.matrix.read(o * a.inputs, row);
      i128 low = 0;
      i128 high = 0;
      double square = 0;
      for (std::size_t i = 0; i < a.inputs; ++i) {
        const i128 x = row[i] * bounds_[i].low;
        const i128 y = row[i] * bounds_[i].high;
        low += std::min(x, y);
        high += std::max(x, y);
        square += static_cast<double>(row[i]) * row[i];
      }
      if (norm_ > 0) {
        const auto limit = static_cast<i128>(std::sqrt(square) * norm_ * (1 + 1e-9)) + 1;
        low = std::max(low, -limit);
        high = std::min(high, limit);
      }
      out[o] = {low + w.bias[o], high + w.bias[o]};
    }
    norm_ = 0;
    bounds_ = std::move(out);
  }

  // The ring of what the affine map reads is its accumulator's.
  bool affine(const Affine& a, const AffinePlan& plan, const LinearWeights& w, bool last, bool truncates,
              std::string& why) {
    bound(a, w);
    Interval all = hull(bounds_);
    if (last && s_.options.reveal == Reveal::label) all = {all.low - all.high, all.high - all.low};  // differences
    unsigned bits = std::max(2U, wide_bits(all) + (truncates ? 1 : 0));
    if (!fits(bits, a.name, why)) return false;
    if (!truncates && !last) bits = std::max(bits, plan.shift + 1);
    if (truncates) bits = std::max(bits, plan.shift + 2);
    program().tensors.back().ring = Ring{bits};
    program().ops.push_back({a.name, LinearOp{a.inputs, a.outputs}});
    program().tensors.push_back({a.outputs, plan.output_scale(), Ring{bits}});
    return true;
  }

  // The op's output is shared in the ring of the next accumulator, which the next affine map sets.
  void shift(const std::string& name, OpKind kind) {
    const bool clamps = std::holds_alternative<ReluOp>(kind);
    for (Interval& b : bounds_) {
      if (clamps) b = {std::max<i128>(b.low, 0), std::max<i128>(b.high, 0)};
      b = {b.low >> pending_shift_, b.high >> pending_shift_};
    }
    const TensorType& in = program().tensors.back();
    const TensorType out{in.count, in.scale - static_cast<int>(pending_shift_),
                         Ring{std::max(2U, wide_bits(hull(bounds_)))}};
    program().ops.push_back({name, kind});
    program().tensors.push_back(out);
    pending_shift_ = 0;
  }

  bool finish(std::string& why) {
    const std::size_t classes = program().tensors.back().count;
    if (s_.options.reveal == Reveal::label) {
      TensorType& logits = program().tensors.back();
      if (!std::holds_alternative<LinearOp>(program().ops.back().kind)) {
        const Interval all = hull(bounds_);
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
          std::to_string(most) + " are allowed; give a smaller --input-range or --scale" +
          (most < max_ring_bits ? ", or a larger --bits" : "");
    return false;
  }

  CompileState& s_;
  std::vector<Interval> bounds_;
  double norm_ = 0;
  unsigned pending_shift_ = 0;
};

}  // namespace

bool lower(CompileState& state, std::string& why) { return Lowering(state).run(why); }

}  // namespace smpc
