// A graph as a program, value by value: each with sound bounds of its elements, of its norm, and of its error.
//
// A bound of the norm is what keeps deep networks within 64 bits: a map multiplies it by its largest singular value, where
// intervals grow by the sum of a row's |weights|. Whichever is smaller counts, of values and of errors alike.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include "bounds.h"
#include "graph_lower.h"
#include "passes.h"
#include "spline.h"

namespace smpc {

// Of a tensor's elements together, Euclidean, as real numbers, and of their errors.
struct Norms {
  double norm = std::numeric_limits<double>::infinity();
  double error = std::numeric_limits<double>::infinity();
};

// The last fractional bit.
inline double unit(int scale) { return std::ldexp(1.0, -scale); }

// Of bounds, and of what they are multiplied by: so their products fit 128 bits.
constexpr double largest_value = 0x1p63;
constexpr int largest_lift = 50;    // bits by which a value is lifted to a finer scale, at most

// A bound that came out as no number, of zero times an unbounded one, is none.
inline double bounded(double v) { return std::isnan(v) ? std::numeric_limits<double>::infinity() : v; }

inline Interval joined(const Interval& a, const Interval& b) { return {std::min(a.low, b.low), std::max(a.high, b.high)}; }

inline Interval times(const Interval& v, i128 factor) {
  const i128 a = v.low * factor;
  const i128 b = v.high * factor;
  return {std::min(a, b), std::max(a, b)};
}

// Root mean squares of what rounding to nearest, or down, takes away, in units of the last bit.
inline const double rounding_deviation = 1 / std::sqrt(12.0);
inline const double flooring_deviation = 1 / std::sqrt(3.0);

class GraphLowering {
 public:
  GraphLowering(CompileState& state, const GraphPrecision& precision)
      : s_(state), graph_(state.network.graph), scale_(precision.scale), weight_bits_(precision.weight_bits), room_(precision.room) {}

  GraphFit run();

 private:
  static constexpr double unknown = std::numeric_limits<double>::infinity();

  struct Value {
    std::size_t tensor = 0;
    int scale = 0;
    SecretVector<Interval> bounds;
    double error = 0;       // of any element against exact arithmetic, at most
    double norm = 0;        // of all elements together, Euclidean, as real numbers
    double error_norm = 0;  // of all errors together
    // Estimates, root mean square, for inputs of the usual size: of an element, and of what is wrong with it.
    double rms = 0;
    double noise = 0;
    double exact_low = -unknown;  // no exact value is less, however large the error
    std::optional<int> multiplied_at;  // the scale at which it is multiplied, where that has been decided
  };

  // ---- The program
  void start();
  void need(std::size_t tensor, unsigned bits);  // whoever reads it
  void need(std::size_t tensor, std::span<const Interval> bounds, unsigned more = 0);
  void too_wide(unsigned bits) { too_wide(bits, name()); }
  void too_wide(unsigned bits, const std::string& layer);
  void expect_small(double factor, const Value& v);  // by which v is multiplied
  void too_large(double constant, int scale);
  std::string name() const { return node_ == nullptr ? "input" : node_->name; }
  std::string name_of(std::size_t v) const;
  Value emit(const std::string& name, OpKind kind, const std::vector<const Value*>& inputs, int scale,
             SecretVector<Interval> bounds, double error, Norms norms = {});
  void estimate(const OpKind& kind, const std::vector<const Value*>& inputs, Value& out) const;
  void forget(std::size_t node);
  void finish();
  void choose_rings();

  // ---- Values
  const Value& in(std::size_t k) const { return values_[node_->inputs[k]]; }
  double largest(const Value& v) const;
  int scale_of(const Value& v) const;   // at which it is multiplied
  const Value& narrow(std::size_t k);  // with no more fractional bits than that
  Value cut(const Value& v, int scale, const std::string& name);  // itself, where it is no finer than that
  // Of values that are added, or become one; `more`: fractional bits that the sum has beyond them.
  int common_scale(const std::vector<const Value*>& all, int more) const;
  Value coarser(const Value& v, int scale);          // cut, where it is finer than that
  std::vector<Value> alike(std::vector<Value> all);  // all at their common scale
  Value biased(const Value& x, std::span<const double> by);
  template <class Move>
  Value moved(const Move& op, const std::vector<Value>& all, double most_copies);
  // sum of factor * value + offset, in integers, under the scale that is given.
  Value combined(const std::string& name, const std::vector<const Value*>& all, std::vector<std::int64_t> factors, std::int64_t offset,
                 int scale, SecretVector<Interval> bounds, double error);
  Value relu(const std::string& name, const Value& x, unsigned shift);
  Value multiplied(const std::string& name, const ProductOp& op, const Value& a, const Value& b, SecretVector<Interval> bounds,
                   double error, Norms norms = {});

  // ---- Ops: graph_lower_ops.cc
  Value lower(const ConstantNode& op);
  Value lower(const OffsetNode& op) { return biased(in(0), op.values); }
  Value lower(const MapNode& op);
  Value lower(const SumNode& op);
  Value lower(const ScaleNode& op);
  Value lower(const WindowSumOp& op);
  Value lower(const TransposeOp& op);
  Value lower(const TakeOp& op);
  Value lower(const ConcatOp& op);
  Value lower(const ProductOp& op);
  Value lower(const ReluNode& op);
  Value lower(const MaxNode& op);
  Value lower(const AbsNode& op);
  Value lower(const StepNode& op);
  // graph_smooth.cc
  Value lower(const SmoothNode& op);
  Value lower(const PowerNode& op);
  Value lower(const SoftmaxNode& op);
  Value lower(const NormalizeNode& op);

  // y = f(x) between `low` and `high`, and beyond them the values there, on the right plus `slope` times what x is beyond.
  struct Shape {
    std::function<double(double)> f;
    double low = -unknown;
    double high = unknown;
    double slope = 0;       // 0 or 1
    double tail = 0;        // how far f is from that, beyond
    double steepest = 1;    // |f'|, where x lies
    double span = unknown;  // between any two values of f, at most
    double absolute = 0;    // see SplineWish
    double relative = 0;
  };
  Value smooth(const std::string& name, const Value& x, const Shape& shape);
  Value spline_of(const std::string& name, const Value& u, const Spline& spline);
  // x^exponent of values that are positive (for 1/2: not negative), within about a part `relative` of itself plus `absolute`.
  // `part`: of itself alone, what x's own error makes of it left out.
  Value power(const std::string& name, const Value& x, double exponent, double relative, double absolute, double* part = nullptr);
  Value spread_rows(const std::string& name, const Value& x, std::size_t rows, std::size_t size);

  CompileState& s_;
  const Graph& graph_;
  int scale_;
  int weight_bits_;
  int room_;
  const GraphNode* node_ = nullptr;
  std::vector<std::vector<const GraphNode*>> readers_;  // of each value
  std::vector<Value> values_;
  std::vector<std::optional<Value>> shifted_;  // of a value, at its scale_of
  std::vector<unsigned> needed_;               // bits of each tensor
  std::string why_;
  std::string remedy_;
  bool too_wide_ = false;
  bool compares_ = false;  // what is not exact
};

}  // namespace smpc
