#include "bounds.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "spectral.h"

namespace smpc {
unsigned wide_bits(const Interval& v) {
  const auto positive = [](i128 x) { return static_cast<u128>(x < 0 ? ~x : x); };
  const u128 all = positive(v.low) | positive(v.high);
  const auto high = static_cast<std::uint64_t>(all >> 64);
  const auto low = static_cast<std::uint64_t>(all);
  return 1 + static_cast<unsigned>(high != 0 ? 64 + std::bit_width(high) : std::bit_width(low));
}

double magnitude(const Interval& v) { return static_cast<double>(std::max(-v.low, v.high)); }

Interval hull(std::span<const Interval> all) {
  Interval h = all.front();
  for (const Interval& v : all) h = {std::min(h.low, v.low), std::max(h.high, v.high)};
  return h;
}

Bounds::Bounds(std::size_t count, i128 limit, double norm) : intervals_(count, {-limit, limit}) {
  norm_ = interval_norm();
  if (norm > 0) norm_ = std::min(norm_, norm * slack);
}

double Bounds::interval_norm() const {
  double squares = 0;
  for (const Interval& v : intervals_) squares += magnitude(v) * magnitude(v);
  return std::sqrt(squares) * slack;
}

// Two ways, the better counts. With the norm: sigma(W) |x|. With the intervals alone: sigma(W D) |D^-1 x| for a diagonal
// D; columns of zeros drop out, and D_i = |column i|^(-1/2), rounded to a power of two, weighs every column as its
// share of the result asks for.
double Bounds::norm_after(const LinearWeights& w) const {
  const std::size_t rows = w.bias.size();
  const std::size_t columns = intervals_.size();
  SecretVector<double> squares(columns);
  WeightMatrix::Wide row(columns);
  for (std::size_t r = 0; r < rows; ++r) {
    w.matrix.read(r * columns, row);
    for (std::size_t c = 0; c < columns; ++c) squares[c] += static_cast<double>(row[c]) * static_cast<double>(row[c]);
  }
  constexpr int most = 24;
  std::vector<int> scaling(columns);
  double plain = 0;
  double scaled = 0;
  for (std::size_t c = 0; c < columns; ++c) {
    if (!(squares[c] > 0)) continue;
    scaling[c] = -std::clamp(static_cast<int>(std::lround(std::log2(squares[c]) / 4)), 0, most);
    plain += std::pow(magnitude(intervals_[c]), 2);
    scaled += std::pow(std::ldexp(magnitude(intervals_[c]), -scaling[c]), 2);
  }
  const double with_norm = std::min(norm_, std::sqrt(plain) * slack) *
                           spectral_norm_bound(w.matrix, rows, columns, std::vector<int>(columns));
  const double with_intervals = std::sqrt(scaled) * slack * spectral_norm_bound(w.matrix, rows, columns, scaling);
  double bias = 0;
  for (const std::int64_t b : w.bias) bias += static_cast<double>(b) * static_cast<double>(b);
  return (std::min(with_norm, with_intervals) + std::sqrt(bias)) * slack;
}

void Bounds::linear(const LinearWeights& w, bool last) {
  const std::size_t columns = intervals_.size();
  const double norm = last ? 0 : norm_after(w);
  SecretVector<Interval> out(w.bias.size());
  WeightMatrix::Wide row(columns);
  for (std::size_t o = 0; o < out.size(); ++o) {
    w.matrix.read(o * columns, row);
    i128 low = 0;
    i128 high = 0;
    double square = 0;
    for (std::size_t i = 0; i < columns; ++i) {
      const i128 weight = row[i];
      const i128 x = weight * intervals_[i].low;
      const i128 y = weight * intervals_[i].high;
      low += std::min(x, y);
      high += std::max(x, y);
      square += static_cast<double>(weight) * static_cast<double>(weight);
    }
    const double limit = std::sqrt(square) * norm_ * slack + 1;
    if (limit < 0x1p120) {
      low = std::max(low, -static_cast<i128>(limit));
      high = std::min(high, static_cast<i128>(limit));
    }
    out[o] = {low + w.bias[o], high + w.bias[o]};
  }
  intervals_ = std::move(out);
  norm_ = last ? interval_norm() : std::min(norm, interval_norm());
}

void Bounds::relu(unsigned shift) {
  for (Interval& b : intervals_) b = {std::max<i128>(b.low, 0) >> shift, std::max<i128>(b.high, 0) >> shift};
  norm_ = std::min(std::ldexp(norm_, -static_cast<int>(shift)), interval_norm());
}

void Bounds::truncate(unsigned shift) {
  for (Interval& b : intervals_) b = {b.low >> shift, b.high >> shift};
  const double moved = std::sqrt(static_cast<double>(intervals_.size()));
  norm_ = std::min((std::ldexp(norm_, -static_cast<int>(shift)) + moved) * slack, interval_norm());
}

}  // namespace smpc
