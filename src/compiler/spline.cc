#include "spline.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <numbers>

#include "smpc/program/program.h"

namespace smpc {
namespace {

constexpr unsigned most_degree = 2;
constexpr unsigned most_bits = 60;
constexpr std::int64_t most_points = std::int64_t{1} << 24;

struct Segments {
  unsigned degree;
  unsigned index_bits;
  unsigned segment_bits;
};

// What a value costs: the one-hot vector stored; each product's openings and correction.
double cost_of(const Segments& s, unsigned bits) {
  return (std::ldexp(1.0, static_cast<int>(s.index_bits)) + 5.0 * s.degree) * bits;
}

double allowed(const SplineWish& w, double f) { return w.absolute + w.relative * std::abs(f); }

class Fit {
 public:
  Fit(const SplineWish& wish, const Segments& s) : w_(wish), s_(s), width_(std::int64_t{1} << s.segment_bits) {}

  // Coefficients of powers of t, t in integers, from values at Chebyshev's points: near the best polynomial.
  std::array<double, most_degree + 1> coefficients(std::int64_t j) const {
    const unsigned n = s_.degree + 1;
    std::array<double, most_degree + 1> at{}, values{}, c{};
    for (unsigned i = 0; i < n; ++i) {
      const double angle = std::numbers::pi * (2 * i + 1) / (2.0 * n);
      at[i] = (std::cos(angle) + 1) / 2 * static_cast<double>(width_ - 1);
      values[i] = f(static_cast<double>(j * width_) + at[i]);
    }
    // Newton's divided differences, then powers.
    for (unsigned k = 1; k < n; ++k) {
      for (unsigned i = n - 1; i >= k; --i) values[i] = (values[i] - values[i - 1]) / (at[i] - at[i - k]);
    }
    for (unsigned k = n; k-- > 0;) {
      for (unsigned i = n - 1; i > 0; --i) c[i] = c[i - 1] - at[k] * c[i];
      c[0] = values[k] - at[k] * c[0];
    }
    return c;
  }

  double f(double u) const { return w_.f(std::ldexp(static_cast<double>(w_.first) + u, -w_.scale)); }

  // Whether polynomials alone, in float, keep within three quarters of what is allowed, at some points of each segment.
  bool is_close() const {
    const std::int64_t segments = w_.last / width_ + 1;
    for (std::int64_t j = 0; j < segments; ++j) {
      const auto c = coefficients(j);
      constexpr int points = 12;
      for (int i = 0; i <= points; ++i) {
        const double t = static_cast<double>(i) / points * static_cast<double>(width_ - 1);
        const double u = static_cast<double>(j * width_) + t;
        double y = 0;
        for (unsigned k = s_.degree + 1; k-- > 0;) y = y * t + c[k];
        const double exact = f(u);
        if (!(std::abs(y - exact) <= 0.75 * allowed(w_, exact))) return false;
      }
    }
    return true;
  }

 private:
  const SplineWish& w_;
  Segments s_;
  std::int64_t width_;
};

// The coefficients as integers. c_k has `scale` fractional bits less what t^k brings.
std::optional<Spline> quantised(const SplineWish& w, const Segments& s, int scale) {
  const Fit fit(w, s);
  Spline out;
  out.index_bits = s.index_bits;
  out.segment_bits = s.segment_bits;
  out.degree = s.degree;
  out.scale = scale;
  const std::size_t entries = std::size_t{1} << s.index_bits;
  out.table.resize((s.degree + 1) * entries);
  const std::int64_t segments = (w.last >> s.segment_bits) + 1;
  for (std::int64_t j = 0; j < static_cast<std::int64_t>(entries); ++j) {
    const auto c = fit.coefficients(std::min(j, segments - 1));
    for (unsigned k = 0; k <= s.degree; ++k) {
      const double q = std::nearbyint(std::ldexp(c[k], scale));
      if (!(std::abs(q) < 0x1p62)) return std::nullopt;
      out.table[k * entries + static_cast<std::size_t>(j)] = static_cast<std::int64_t>(q);
    }
  }
  return out;
}

void widen(Interval& all, i128 v, bool first) {
  all = first ? Interval{v, v} : Interval{std::min(all.low, v), std::max(all.high, v)};
}

// Every u. False where one is further away than allowed, or needs too many bits.
bool measure(Spline& s, const SplineWish& w) {
  const std::size_t entries = std::size_t{1} << s.index_bits;
  s.products.resize(s.degree);
  s.sums.resize(s.degree + 1);
  for (std::int64_t u = 0; u <= w.last; ++u) {
    const auto j = static_cast<std::size_t>(u >> s.segment_bits);
    const i128 t = u & ((std::int64_t{1} << s.segment_bits) - 1);
    i128 y = s.table[s.degree * entries + j];
    widen(s.sums[s.degree], y, u == 0);
    for (unsigned k = s.degree; k-- > 0;) {
      y *= t;
      widen(s.products[k], y, u == 0);
      y += s.table[k * entries + j];
      widen(s.sums[k], y, u == 0);
    }
    const double exact = w.f(std::ldexp(static_cast<double>(w.first + u), -w.scale));
    const double error = std::abs(std::ldexp(static_cast<double>(y), -s.scale) - exact);
    if (!(error <= allowed(w, exact))) return false;
    s.error = std::max(s.error, error);
  }
  // An index that stands for no u may be looked up where the input is known to be of no use; it must fit all the same.
  const auto fits = [](const Interval& v) { return wide_bits(v) <= most_bits; };
  return std::all_of(s.products.begin(), s.products.end(), fits) && std::all_of(s.sums.begin(), s.sums.end(), fits);
}

}  // namespace

std::int64_t evaluate(const Spline& s, std::int64_t u) {
  const std::size_t entries = std::size_t{1} << s.index_bits;
  const auto j = static_cast<std::size_t>(u >> s.segment_bits);
  const std::int64_t t = u & ((std::int64_t{1} << s.segment_bits) - 1);
  std::int64_t y = s.table[s.degree * entries + j];
  for (unsigned k = s.degree; k-- > 0;) y = y * t + s.table[k * entries + j];
  return y;
}

std::optional<Spline> fit_spline(const SplineWish& w) {
  if (w.last < 0 || w.last >= most_points) return std::nullopt;
  double largest = 0;
  for (int i = 0; i <= 256; ++i) {
    const double u = static_cast<double>(w.last) * i / 256;
    largest = std::max(largest, std::abs(w.f(std::ldexp(static_cast<double>(w.first) + u, -w.scale))));
  }
  if (!std::isfinite(largest)) return std::nullopt;
  const double smallest_allowed = w.absolute > 0 ? w.absolute : w.relative * largest / 4;
  const int result_bits = std::max(1, std::ilogb(std::max(largest, 0x1p-30)) + 2);
  const unsigned bits_of_u = std::max(2U, static_cast<unsigned>(std::bit_width(static_cast<std::uint64_t>(w.last))));
  struct Candidate {
    Segments segments;
    int scale;
    double cost;
  };
  std::vector<Candidate> candidates;
  for (unsigned degree = 1; degree <= most_degree; ++degree) {
    for (unsigned n = 1; n <= widest_lookup && n < bits_of_u; ++n) {
      const Segments s{degree, n, bits_of_u - n};
      if (!Fit(w, s).is_close()) continue;
      // c_0 is rounded by a sixteenth of what is allowed; so is each c_k t^k.
      const int scale = std::max(4, 4 - std::ilogb(smallest_allowed)) + static_cast<int>(degree * s.segment_bits);
      const auto bits = static_cast<unsigned>(scale + result_bits);
      if (bits <= most_bits) candidates.push_back({s, scale, cost_of(s, bits)});
      break;
    }
  }
  std::sort(candidates.begin(), candidates.end(), [](const auto& a, const auto& b) { return a.cost < b.cost; });
  for (const Candidate& c : candidates) {
    std::optional<Spline> s = quantised(w, c.segments, c.scale);
    if (s && measure(*s, w)) return s;
  }
  return std::nullopt;
}

}  // namespace smpc
