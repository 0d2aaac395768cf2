// Functions of one fixed-point variable as polynomials on segments of one width, in integers: what a LookupOp and a few
// products compute.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "bounds.h"

namespace smpc {

// f at (first + u) / 2^scale, for the integers u from 0 to `last`.
struct SplineWish {
  std::function<double(double)> f;
  std::int64_t first = 0;
  std::int64_t last = 0;
  int scale = 0;
  double absolute = 0;  // the error may be this much, and this part of |f|
  double relative = 0;
};

// u = j 2^segment_bits + t; y = ((c_d[j] t + c_(d-1)[j]) t + ...) + c_0[j], an integer of `scale` fractional bits.
struct Spline {
  unsigned index_bits = 1;
  unsigned segment_bits = 0;
  unsigned degree = 1;
  int scale = 0;
  std::vector<std::int64_t> table;  // c_0, c_1, ... as LookupOp has it
  // Of every u: the largest |y - f|; and what y lies in, and what the sum lies in before and after each c_k is added.
  double error = 0;
  std::vector<Interval> products;   // by k, 0 to degree - 1
  std::vector<Interval> sums;       // by k, 0 to degree
};

// The cheapest one found that keeps within the wish, tried on every u there is. None where at most 2^widest_lookup segments
// or 60 bits do not suffice. At most 2^24 of u.
std::optional<Spline> fit_spline(const SplineWish& wish);

// y of one u.
std::int64_t evaluate(const Spline& spline, std::int64_t u);

}  // namespace smpc
