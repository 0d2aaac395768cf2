#include "smpc/runtime/interpreter.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <sstream>

#include "smpc/base/error.h"
#include "smpc/base/wide.h"
#include "smpc/protocol/local.h"
#include "smpc/ring/kernels.h"

namespace smpc {
namespace {

RingVector linear(const LinearOp& op, const LinearWeights& w, Ring ring, const RingVector& x) {
  RingVector y(op.outputs);
  for (std::size_t i = 0; i < op.outputs; ++i) y[i] = static_cast<std::uint64_t>(w.bias[i]);
  w.matrix.visit([&](auto m) { accumulate_product(m, op.inputs, x, 1, y, op.outputs, 0, ring); });
  reduce_all(ring, y);
  return y;
}

RingVector convolution(const ConvShape& shape, const LinearWeights& w, Ring ring, const RingVector& x) {
  RingVector y(shape.outputs());
  for (std::size_t i = 0; i < y.size(); ++i) y[i] = static_cast<std::uint64_t>(w.bias[i / shape.positions()]);
  w.matrix.visit([&]<class T>(std::span<const T> m) { accumulate_conv(shape, m, x, y, ring); });
  reduce_all(ring, y);
  return y;
}

RingVector shift(const RingVector& x, Ring in, Ring out, unsigned by, bool clamp_at_zero) {
  RingVector y(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) {
    std::int64_t v = in.to_signed(x[i]);
    if (clamp_at_zero) v = std::max<std::int64_t>(v, 0);
    y[i] = out.from_signed(v >> by);
  }
  return y;
}

RingVector looked_up(const LookupOp& op, const RingVector& x, const TensorType& out) {
  RingVector y;
  y.reserve(out.count);
  for (std::size_t k = 0; k < op.parts(); ++k) {
    for (const std::uint64_t index : x) y.push_back(out.ring.from_signed(op.table[k << op.bits | Ring{op.bits}.reduce(index)]));
  }
  return y;
}

std::string short_text(double x) {
  std::ostringstream out;
  out << x;
  return out.str();
}

// Where an element of an input lies: voxel indices in an image, else its index.
std::string place(const Program& program, std::size_t element) {
  if (!program.grid) return "index " + std::to_string(element);
  const auto& shape = program.grid->shape;
  return "voxel (" + std::to_string(element / shape[2] / shape[1]) + ", " + std::to_string(element / shape[2] % shape[1]) +
         ", " + std::to_string(element % shape[2]) + ")";
}

void check_outside(const Program& program, std::span<const double> values, const std::string& what) {
  std::size_t count = 0;
  std::size_t first = 0;
  for (std::size_t i = values.size(); i-- > 0;) {
    if (is_inside(program.input_mask, i) || values[i] == 0) continue;
    ++count;
    first = i;
  }
  if (count == 0) return;
  throw VolumeRefusal("mask", what + ": expected zero outside the model's mask, found " + std::to_string(count) +
                                  (count == 1 ? " value that is not, at " : " values that are not, the first at ") + place(program, first) +
                                  "; mask the volume first");
}

// As the parties do it, neighbour against neighbour, by differences: those fit the ring, the values themselves need not.
RingVector arg_max(const RingVector& x, Ring ring) {
  RingVector left(x.size());
  std::iota(left.begin(), left.end(), std::uint64_t{0});
  while (left.size() > 1) {
    RingVector winners;
    for (std::size_t i = 0; i < left.size(); i += 2) {
      const bool second = i + 1 < left.size() && ring.msb(ring.reduce(x[left[i]] - x[left[i + 1]])) != 0;
      winners.push_back(left[second ? i + 1 : i]);
    }
    left = std::move(winners);
  }
  return left;
}

// A sum of squares of up to 2^64 integers of 64 bits: more than 128 bits can hold.
class SumOfSquares {
 public:
  void add(std::int64_t v) noexcept {
    const u128 square = static_cast<u128>(static_cast<i128>(v) * v);
    low_ += square;
    if (low_ < square) ++high_;
  }
  bool exceeds(long double limit) const noexcept { return std::ldexp(static_cast<long double>(high_), 128) + static_cast<long double>(low_) > limit; }

 private:
  u128 low_ = 0;
  std::uint64_t high_ = 0;
};

}  // namespace

std::vector<RingVector> interpret(const Program& program, const Weights& weights, const RingVector& input) {
  check_weights(program, weights);
  SMPC_CHECK(input.size() == program.input().count);
  std::vector<RingVector> tensors{input};
  std::size_t next_weights = 0;
  for (std::size_t i = 0; i < program.ops.size(); ++i) {
    const OpKind& kind = program.ops[i].kind;
    const std::vector<std::size_t> read = program.inputs_of(i);
    const RingVector& x = tensors[read[0]];
    const Ring in = program.tensors[read[0]].ring;
    const TensorType& out = program.tensors[i + 1];
    const bool weighted = weight_counts(program, i).bias > 0;
    const LinearWeights* w = weighted ? &weights[next_weights++] : nullptr;
    if (const auto* op = std::get_if<LinearOp>(&kind)) {
      tensors.push_back(linear(*op, *w, out.ring, x));
    } else if (const auto* conv = std::get_if<ConvOp>(&kind)) {
      tensors.push_back(convolution(conv->shape, *w, out.ring, x));
    } else if (const auto* relu = std::get_if<ReluOp>(&kind)) {
      tensors.push_back(shift(x, in, out.ring, relu->shift, true));
    } else if (const auto* cut = std::get_if<TruncateOp>(&kind)) {
      tensors.push_back(shift(x, in, out.ring, cut->shift, false));
    } else if (std::holds_alternative<ArgMaxOp>(kind)) {
      tensors.push_back(arg_max(x, in));
    } else if (const auto* p = std::get_if<ProductOp>(&kind)) {
      RingVector y(out.count);
      accumulate_matrices(p->batch, p->rows, p->inner, p->columns, x, tensors[read[1]], y);
      reduce_all(out.ring, y);
      tensors.push_back(std::move(y));
    } else if (std::holds_alternative<StepOp>(kind)) {
      RingVector y(out.count);
      for (std::size_t k = 0; k < y.size(); ++k) y[k] = out.ring.reduce(1 - in.msb(x[k]));
      tensors.push_back(std::move(y));
    } else if (const auto* lookup = std::get_if<LookupOp>(&kind)) {
      tensors.push_back(looked_up(*lookup, x, out));
    } else {
      std::vector<std::span<const std::uint64_t>> all;
      for (const std::size_t t : read) all.emplace_back(tensors[t]);
      Added added{true, {}};
      if (w != nullptr) added.bias = w->bias;
      tensors.push_back(apply_local(kind, all, added, out));
    }
  }
  return tensors;
}

RingVector quantise(const Program& program, std::span<const double> values, const std::string& what) {
  const TensorType& type = program.input();
  if (values.size() != program.whole_input()) {
    fail_input(what + ": expected " + std::to_string(program.whole_input()) + " values, found " +
               std::to_string(values.size()));
  }
  const ByteView mask = program.input_mask;
  if (!mask.empty()) check_outside(program, values, what);
  RingVector out;
  out.reserve(type.count);
  SumOfSquares squares;
  std::size_t next = 0;
  for (const ProgramInput& in : program.inputs) {
    const std::size_t count = in.count();
    for (std::size_t i = 0; i < count; ++i, ++next) {
      if (!mask.empty() && !is_inside(mask, next)) continue;
      if (!(values[next] >= in.low && values[next] <= in.high)) {
        throw VolumeRefusal("range", what + (program.inputs.size() > 1 ? ", input " + in.name : std::string()) +
                                         ": expected finite values from " + short_text(in.low) + " to " + short_text(in.high) +
                                         ", the range that the model declares; the first that is not has index " + std::to_string(i));
      }
      const auto q = static_cast<std::int64_t>(std::nearbyint(std::ldexp(values[next], type.scale)));
      squares.add(q);
      out.push_back(type.ring.from_signed(q));
    }
  }
  if (program.input_norm > 0) {
    const auto limit = static_cast<long double>(std::ldexp(program.input_norm, type.scale));
    if (squares.exceeds(limit * limit)) {
      throw VolumeRefusal("norm", what + ": expected values whose squares sum to at most " +
                                      short_text(program.input_norm * program.input_norm) +
                                      ", as the model declares; found more: is it scaled as the model expects?");
    }
  }
  return out;
}

std::vector<double> dequantise(const TensorType& type, std::span<const std::uint64_t> values) {
  std::vector<double> out;
  out.reserve(values.size());
  for (const std::uint64_t v : values) {
    out.push_back(std::ldexp(static_cast<double>(type.ring.to_signed(v)), -type.scale));
  }
  return out;
}

std::vector<double> softmax(std::span<const double> logits) {
  const double largest = *std::max_element(logits.begin(), logits.end());
  std::vector<double> p;
  double sum = 0;
  for (const double x : logits) sum += p.emplace_back(std::exp(x - largest));
  for (double& x : p) x /= sum;
  return p;
}

}  // namespace smpc
