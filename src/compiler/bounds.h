// Sound bounds of a program's integers: an interval for every element, and the Euclidean norm of all of them together.
#pragma once

#include <span>
#include <vector>

#include "smpc/base/wide.h"
#include "smpc/program/weights.h"

namespace smpc {

// Bounds that are computed in double are made wider by this: sums of up to 2^32 positive terms err by less.
constexpr double slack = 1 + 1e-6;

struct Interval {
  i128 low = 0;
  i128 high = 0;
};

// Bits of a two's complement integer that holds [low, high].
unsigned wide_bits(const Interval& v);
double magnitude(const Interval& v);
// What all of them lie in; at least one.
Interval hull(std::span<const Interval> all);

class Bounds {
 public:
  Bounds() = default;
  // `count` elements within +-limit, of a norm of at most `norm` where it is positive.
  Bounds(std::size_t count, i128 limit, double norm);

  // y = W x + bias. Of each y_o the smaller of two bounds: sum |w| bound(x), and |row| |x| (Cauchy and Schwarz).
  // |y| <= sigma(W) |x| + |bias|, sigma being the largest singular value, and no more than the intervals allow.
  // `last`: nothing linear follows, and the norm is not needed.
  void linear(const LinearWeights& w, bool last);
  // y = max(x, 0) >> shift: the norm is divided, and flooring lowers it.
  void relu(unsigned shift);
  // y = x >> shift: the norm is divided, and flooring moves each element by less than 1.
  void truncate(unsigned shift);

  Interval hull() const { return smpc::hull(intervals_); }

 private:
  double interval_norm() const;
  double norm_after(const LinearWeights& w) const;

  SecretVector<Interval> intervals_;
  double norm_ = 0;
};

}  // namespace smpc
