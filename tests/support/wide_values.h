// A program in the clear and without rings: every value in integers as wide as it comes, beside which the rings can be judged.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <stdexcept>

#include "smpc/base/wide.h"
#include "smpc/program/moves.h"
#include "smpc/program/weights.h"

namespace smpc::testing {

using Wide = std::vector<i128>;

// Of 128 bits, which must do: values stay within +-2^125.
constexpr i128 widest = i128{1} << 125;
inline i128 checked(i128 v) {
  if (v > widest || v < -widest) throw std::overflow_error("128 bits do not do");
  return v;
}
inline i128 sum_of(i128 a, i128 b) { return checked(a + b); }
inline i128 product_of(i128 a, i128 b) {
  const auto size = [](i128 v) { return v < 0 ? -v : v; };
  if (b != 0 && size(a) > widest / size(b)) throw std::overflow_error("128 bits do not do");
  return a * b;
}

class WideOp {
 public:
  WideOp(const std::vector<std::span<const i128>>& in, const LinearWeights* w, std::size_t count) : y(count), in_(in), w_(w) {}

  void operator()(const LinearOp& op) {
    for (std::size_t r = 0; r < op.outputs; ++r) {
      y[r] = w_->bias[r];
      for (std::size_t k = 0; k < op.inputs; ++k) add(y[r], in_[0][k], w_->matrix[r * op.inputs + k]);
    }
  }
  void operator()(const ConvOp& op) {
    windows(op.shape, [&](std::size_t row, std::size_t column) { return i128{w_->matrix[row * op.shape.columns() + column]}; });
    for (std::size_t i = 0; i < y.size(); ++i) y[i] = sum_of(y[i], w_->bias[i / op.shape.positions()]);
  }
  void operator()(const WindowSumOp& op) {
    windows(op.shape, [](std::size_t, std::size_t) { return i128{1}; });
  }
  void operator()(const BiasOp&) { each([&](std::size_t i) { return sum_of(in_[0][i], w_->bias[i]); }); }
  void operator()(const SumOp& op) {
    std::fill(y.begin(), y.end(), i128{op.offset});
    for (std::size_t k = 0; k < in_.size(); ++k) {
      for (std::size_t i = 0; i < y.size(); ++i) add(y[i], in_[k][i], op.factors[k]);
    }
  }
  void operator()(const ScaleOp& op) {
    each([&](std::size_t i) { return product_of(in_[0][i], op.factors[i / op.inner % op.factors.size()]); });
  }
  void operator()(const ProductOp& op) {
    for (std::size_t b = 0; b < op.batch; ++b) {
      for (std::size_t r = 0; r < op.rows; ++r) {
        for (std::size_t c = 0; c < op.columns; ++c) {
          for (std::size_t k = 0; k < op.inner; ++k) {
            add(y[(b * op.rows + r) * op.columns + c], in_[0][(b * op.rows + r) * op.inner + k], in_[1][(b * op.inner + k) * op.columns + c]);
          }
        }
      }
    }
  }
  void operator()(const ReluOp& op) { each([&](std::size_t i) { return std::max<i128>(in_[0][i], 0) >> op.shift; }); }
  void operator()(const TruncateOp& op) { each([&](std::size_t i) { return in_[0][i] >> op.shift; }); }
  void operator()(const StepOp&) { each([&](std::size_t i) { return i128{in_[0][i] >= 0 ? 1 : 0}; }); }
  void operator()(const LookupOp& op) {
    const std::size_t count = in_[0].size();
    each([&](std::size_t i) {
      const auto index = static_cast<std::size_t>(in_[0][i % count] & ((i128{1} << op.bits) - 1));
      return i128{op.table[(i / count << op.bits) + index]};
    });
  }
  void operator()(const ArgMaxOp&) { y[0] = std::max_element(in_[0].begin(), in_[0].end()) - in_[0].begin(); }
  void operator()(const TransposeOp& op) { move_elements<i128>(op, in_, y); }
  void operator()(const TakeOp& op) { move_elements<i128>(op, in_, y); }
  void operator()(const ConcatOp& op) { move_elements<i128>(op, in_, y); }

  Wide y;

 private:
  static void add(i128& sum, i128 a, i128 b) { sum = sum_of(sum, product_of(a, b)); }
  template <class F>
  void each(F f) {
    for (std::size_t i = 0; i < y.size(); ++i) y[i] = f(i);
  }
  template <class Weight>
  void windows(const ConvShape& s, Weight weight) {
    const auto& [a, b, c] = s.axes;
    const std::size_t image = a.input * b.input * c.input;
    for (std::size_t i = 0; i < y.size(); ++i) {
      const std::size_t row = i / s.positions();
      const std::size_t p = i % s.positions();
      for (std::size_t column = 0; column < s.columns(); ++column) {
        const std::ptrdiff_t at[] = {a.input_at(p / c.output / b.output, column / c.kernel / b.kernel % a.kernel),
                                     b.input_at(p / c.output % b.output, column / c.kernel % b.kernel), c.input_at(p % c.output, column % c.kernel)};
        if (std::any_of(std::begin(at), std::end(at), [](std::ptrdiff_t k) { return k < 0; })) continue;
        const std::size_t channel = row / s.out_channels * s.in_channels + column / (a.kernel * b.kernel * c.kernel);
        const std::size_t place = (static_cast<std::size_t>(at[0]) * b.input + static_cast<std::size_t>(at[1])) * c.input + static_cast<std::size_t>(at[2]);
        add(y[i], in_[0][channel * image + place], weight(row, column));
      }
    }
  }

  const std::vector<std::span<const i128>>& in_;
  const LinearWeights* w_;
};

// Every tensor for one volume, `input` being in tensor 0's ring.
inline std::vector<Wide> wide_values(const Program& p, const Weights& weights, const RingVector& input) {
  std::vector<Wide> all(1);
  for (const std::uint64_t v : input) all[0].push_back(p.input().ring.to_signed(v));
  std::size_t next = 0;
  for (std::size_t i = 0; i < p.ops.size(); ++i) {
    std::vector<std::span<const i128>> in;
    for (const std::size_t t : p.inputs_of(i)) in.emplace_back(all[t]);
    WideOp op(in, weight_counts(p, i).bias > 0 ? &weights[next++] : nullptr, p.tensors[i + 1].count);
    std::visit(op, p.ops[i].kind);
    all.push_back(std::move(op.y));
  }
  return all;
}

inline bool lies_within(const Wide& values, unsigned bits) {
  const i128 end = i128{1} << (bits - 1);
  return std::all_of(values.begin(), values.end(), [&](i128 v) { return v >= -end && v < end; });
}

// What is right only where its value fits its ring: what an op reads that is no sum of multiples, and the result.
inline void expect_what_is_compared_fits(const Program& p, const std::vector<Wide>& wide) {
  for (std::size_t i = 0; i < p.ops.size(); ++i) {
    const OpKind& kind = p.ops[i].kind;
    const std::size_t t = p.inputs_of(i).front();
    const unsigned bits = p.tensors[t].ring.bits;
    if (std::holds_alternative<ArgMaxOp>(kind)) {
      const auto [low, high] = std::minmax_element(wide[t].begin(), wide[t].end());
      EXPECT_TRUE(lies_within({*high - *low, *low - *high}, bits)) << p.ops[i].name;
    } else if (std::holds_alternative<TruncateOp>(kind)) {
      EXPECT_TRUE(lies_within(wide[t], bits - 1)) << p.ops[i].name;
    } else if (std::holds_alternative<ReluOp>(kind) || std::holds_alternative<StepOp>(kind)) {
      EXPECT_TRUE(lies_within(wide[t], bits)) << p.ops[i].name;
    }
  }
  EXPECT_TRUE(p.reveal == Reveal::label || lies_within(wide.back(), p.output().ring.bits));
}

// What a program gives in its rings is what it gives without, tensor by tensor.
inline void expect_same_in_rings(const Program& p, const std::vector<Wide>& wide, const std::vector<RingVector>& fixed) {
  ASSERT_EQ(wide.size(), fixed.size());
  for (std::size_t t = 0; t < wide.size(); ++t) {
    ASSERT_EQ(wide[t].size(), fixed[t].size()) << t;
    for (std::size_t i = 0; i < wide[t].size(); ++i) {
      ASSERT_EQ(p.tensors[t].ring.reduce(static_cast<std::uint64_t>(wide[t][i])), fixed[t][i])
          << "tensor " << t << ", of " << (t > 0 ? p.ops[t - 1].name : "the input");
    }
  }
}

}  // namespace smpc::testing
