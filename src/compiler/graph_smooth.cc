// Smooth functions. A value is clipped to where the function bends, cut into the number of a segment and a place in it, and
// a polynomial with the segment's coefficients is evaluated there. Powers are brought between 1 and 2 first.
#include <algorithm>
#include <bit>
#include <cmath>
#include <map>
#include <tuple>

#include "graph_lowering.h"
#include "smpc/base/error.h"

namespace smpc {
namespace {

constexpr int finest_argument = 16;  // fractional bits of what a spline reads
constexpr double usual_error = 0x1p-13;  // of a function by itself

SecretVector<Interval> all_alike(std::size_t count, i128 low, i128 high) { return SecretVector<Interval>(count, Interval{low, high}); }

// The three highest bits of a number, from above.
i128 rounded_up(i128 v) {
  constexpr unsigned kept = 3;
  const unsigned bits = wide_bits({v, v}) - 1;
  const unsigned shift = bits > kept ? bits - kept : 0;
  return -(-v >> shift) * (i128{1} << shift);
}

// Bounds follow the weights to the last bit. Where a range becomes part of the program, which is public, its ends keep three bits
// each, outwards. A range that ends just before a power of two stays.
Interval public_range(const Interval& v) { return {-rounded_up(-v.low), rounded_up(v.high + 1) - 1}; }

}  // namespace

// Coefficients of every value's segment, then Horner's rule.
GraphLowering::Value GraphLowering::spline_of(const std::string& name, const Value& u, const Spline& s) {
  const std::size_t count = u.bounds.size();
  const unsigned shift = s.segment_bits;
  const i128 last = hull(u.bounds).high;
  need(u.tensor, u.bounds, 1);
  need(u.tensor, shift + s.index_bits + 2);
  const Value j = emit(name + " (segment)", TruncateOp{shift}, {&u}, u.scale - static_cast<int>(shift), all_alike(count, hull(u.bounds).low >> shift, last >> shift), 0);
  const Value t = combined(name + " (place)", {&u, &j}, {1, -(std::int64_t{1} << shift)}, 0, 0,
                           all_alike(count, 0, (i128{1} << shift) - 1), 0);
  const std::size_t parts = s.degree + 1;
  const std::size_t entries = std::size_t{1} << s.index_bits;
  SecretVector<Interval> of_parts;
  std::vector<Interval> of_part;
  for (std::size_t k = 0; k < parts; ++k) {
    const auto from = s.table.begin() + static_cast<std::ptrdiff_t>(k * entries);
    const auto [low, high] = std::minmax_element(from, from + static_cast<std::ptrdiff_t>(entries));
    of_part.push_back({*low, *high});
    of_parts.insert(of_parts.end(), count, of_part.back());
  }
  need(j.tensor, s.index_bits);
  const Value c = emit(name + " (coefficients)", LookupOp{s.index_bits, s.table}, {&j}, s.scale, std::move(of_parts), 0);
  const auto coefficient = [&](std::size_t k) {
    return emit(name + " (coefficient)", TakeOp{1, parts, count, {static_cast<std::int64_t>(k)}}, {&c}, s.scale,
                SecretVector<Interval>(count, of_part[k]), 0);
  };
  Value y = coefficient(s.degree);
  for (std::size_t k = s.degree; k-- > 0;) {
    const ProductOp each{count, 1, 1, 1};
    const Value product = multiplied(name + " (product)", each, y, t, SecretVector<Interval>(count, s.products[k]), 0);
    const Value ck = coefficient(k);
    y = combined(name, {&product, &ck}, {1, 1}, 0, s.scale, SecretVector<Interval>(count, s.sums[k]), 0);
  }
  return y;
}

GraphLowering::Value GraphLowering::smooth(const std::string& name, const Value& given, const Shape& shape) {
  const Value x = given.scale > finest_argument ? cut(given, finest_argument, name + " (rescale)") : given;
  const std::size_t count = x.bounds.size();
  const Interval all = public_range(hull(x.bounds));
  const auto place = [&](double v, i128 otherwise, bool up) {
    const double scaled = std::ldexp(v, x.scale);
    if (!(std::abs(scaled) < 0x1p62)) return otherwise;
    return static_cast<i128>(up ? std::ceil(scaled) : std::floor(scaled));
  };
  i128 low = std::max(all.low, place(shape.low, all.low, false));
  i128 high = std::min(all.high, place(shape.high, all.high, true));
  if (high <= low) {  // all of it beyond one of the ends, or a single value
    if (all.low >= low && low > high) low = high - 1;
    if (high <= low) high = low + 1;
  }
  const SplineWish wish{shape.f, static_cast<std::int64_t>(low), static_cast<std::int64_t>(high - low), x.scale, shape.absolute, shape.relative};
  const std::optional<Spline> s = fit_spline(wish);
  if (!s) {
    if (why_.empty()) {
      why_ = "layer '" + this->name() + "': its values go from " + std::to_string(std::ldexp(static_cast<double>(all.low), -x.scale)) + " to " +
             std::to_string(std::ldexp(static_cast<double>(all.high), -x.scale)) +
             ", over which no spline of 1024 segments and 60 bits is close enough";
    }
    return {};
  }
  // The scale is a name here; that of the segment's number must not fall below 0.
  const int scale = std::max(x.scale, static_cast<int>(s->segment_bits));
  const auto first = static_cast<std::int64_t>(low);
  const i128 width = high - low;
  const bool clips_left = all.low < low;
  const bool clips_right = all.high > high;
  const auto shifted = [&](std::int64_t by, const char* what) {
    SecretVector<Interval> bounds = x.bounds;
    for (Interval& b : bounds) b = {b.low - by, b.high - by};
    return combined(name + what, {&x}, {1}, -by, scale, std::move(bounds), 0);
  };
  Value u = shifted(first, " (from the left end)");
  if (clips_left) u = relu(name + " (clip)", u, 0);
  std::optional<Value> beyond;
  if (clips_right) {
    beyond = relu(name + " (clip)", shifted(static_cast<std::int64_t>(high), " (from the right end)"), 0);
    u = combined(name + " (clipped)", {&u, &*beyond}, {1, -1}, 0, scale, all_alike(count, 0, width), 0);
  } else {
    for (Interval& b : u.bounds) b = {0, width};
  }
  Value y = spline_of(name, u, *s);
  const double spline_error = std::max(s->error, shape.tail + s->error);
  const double own = clips_left || clips_right ? spline_error : s->error;
  const double error = std::min(shape.steepest * x.error, shape.span) + own;
  if (beyond && shape.slope != 0) {
    const int lift = s->scale - x.scale;
    if (lift > 62) too_wide(static_cast<unsigned>(lift) + wide_bits(hull(beyond->bounds)));
    if (!why_.empty()) return {};
    const std::int64_t factor = std::int64_t{1} << lift;
    SecretVector<Interval> bounds = y.bounds;
    for (std::size_t i = 0; i < count; ++i) bounds[i].high += beyond->bounds[i].high * factor;
    y = combined(name, {&y, &*beyond}, {1, factor}, 0, s->scale, std::move(bounds), 0);
  }
  y.error = error;
  y.rms = std::ldexp(magnitude(hull(y.bounds)), -y.scale) / std::sqrt(3.0);
  y.noise = std::hypot(shape.steepest * x.noise, s->error / 2);
  y.error_norm = std::min(error * std::sqrt(static_cast<double>(count)),
                          shape.steepest * x.error_norm + own * std::sqrt(static_cast<double>(count)));
  return y;
}

GraphLowering::Value GraphLowering::lower(const SmoothNode& op) {
  const Value& x = in(0);
  Shape s;
  s.f = [op](double v) { return value_of(op, v); };
  s.absolute = usual_error;
  s.tail = usual_error;
  const double far = -std::log(usual_error);
  switch (op.function) {
    case Smooth::sigmoid:
      s.low = -far;
      s.high = far;
      s.steepest = 0.25;
      s.span = 1;
      break;
    case Smooth::tanh:  // 1 - tanh x < 2 exp(-2 x)
      s.high = (far + std::log(2)) / 2;
      s.low = -s.high;
      s.span = 2;
      break;
    case Smooth::erf:  // 1 - erf x < exp(-x^2) / (x sqrt pi)
      s.high = std::sqrt(far);
      s.low = -s.high;
      s.steepest = 1.13;
      s.span = 2;
      break;
    case Smooth::exp: {
      s.low = -far;
      s.relative = usual_error;
      s.steepest = std::exp(std::ldexp(static_cast<double>(hull(x.bounds).high), -x.scale) + x.error);
      break;
    }
    case Smooth::softplus:
      s.low = -far;
      s.high = far;
      s.slope = 1;
      break;
    case Smooth::elu:  // the ReLU makes the corner that there is where alpha is not 1
      s.f = [op](double v) { return op.alpha * std::expm1(v); };
      s.low = -std::max(1.0, far + std::log(std::max(std::abs(op.alpha), 1e-6)));
      s.high = 0;
      s.slope = 1;
      s.steepest = std::max(1.0, std::abs(op.alpha));
      s.tail = usual_error * std::max(1.0, std::abs(op.alpha) * std::exp(far + s.low));
      break;
  }
  return smooth(name(), x, s);
}

// With v the integer of x, k the number of its highest bit: v 2^(K - k), K being the largest k there can be, lies between
// 2^K and 2^(K+1). x^e of that is a spline; times 2^(e (k - scale)), a sum of signs times constants, it is the result.
GraphLowering::Value GraphLowering::power(const std::string& name, const Value& x, double exponent, double relative, double absolute,
                                          double* part) {
  const std::size_t count = x.bounds.size();
  const Interval all = hull(x.bounds);
  const auto refuse = [&](const std::string& what) {
    if (why_.empty()) {
      why_ = "layer '" + this->name() + "': expected values " + what + ", found bounds from " +
             std::to_string(std::ldexp(static_cast<double>(all.low), -x.scale)) + " to " +
             std::to_string(std::ldexp(static_cast<double>(all.high), -x.scale));
      remedy_ = all.low == 0 ? "add a small constant to them" : "put a Relu and the addition of a small constant before it";
    }
    return Value{};
  };
  if (all.low < 0 || (all.low == 0 && exponent < 0) || all.high <= 0) return refuse(exponent < 0 ? "of one sign" : "that are not negative");
  const bool zero = all.low == 0;
  const auto bit = [](i128 v) { return static_cast<int>(wide_bits({0, v})) - 2; };  // of the highest one
  const int lowest = zero ? 0 : bit(all.low);
  const int highest = bit(all.high);
  const ProductOp each{count, 1, 1, 1};
  const auto weight_of = [&](int k) { return std::exp2(exponent * (k - x.scale)); };
  const double largest_weight = std::max(weight_of(lowest), weight_of(highest));

  // d_k = [v >= 2^k]
  std::vector<Value> steps;
  std::vector<int> octaves;
  for (int k = zero ? 0 : lowest + 1; k <= highest; ++k) {
    SecretVector<Interval> bounds = x.bounds;
    const auto by = std::int64_t{1} << k;
    for (Interval& b : bounds) b = {b.low - by, b.high - by};
    const Value beyond = combined(name + " (octave)", {&x}, {1}, -by, x.scale, std::move(bounds), 0);
    steps.push_back(emit(name + " (octave)", StepOp{}, {&beyond}, 0, all_alike(count, 0, 1), 0));
    octaves.push_back(k);
  }
  // The sum of what each octave weighs.
  const auto weighed = [&](const char* what, auto value, bool nothing_below, int scale, i128 low, i128 high) {
    std::vector<const Value*> inputs;
    std::vector<std::int64_t> factors;
    const std::int64_t offset = nothing_below ? 0 : value(lowest);
    for (std::size_t i = 0; i < steps.size(); ++i) {
      inputs.push_back(&steps[i]);
      const int k = octaves[i];
      factors.push_back(value(k) - (k == lowest && zero ? offset : value(k - 1)));
    }
    if (zero && nothing_below) factors.front() = value(0);
    if (inputs.empty()) {  // one octave: any value will do, times nothing
      inputs.push_back(&x);
      factors.push_back(0);
    }
    return combined(name + what, inputs, std::move(factors), offset, scale, all_alike(count, low, high), 0);
  };
  const Value up = weighed(" (up)", [&](int k) { return std::int64_t{1} << (highest - k); }, false, 0, 1, i128{1} << (highest - lowest));
  const Value lifted = multiplied(name + " (lifted)", each, x, up, all_alike(count, zero ? 0 : i128{1} << highest, (i128{1} << (highest + 1)) - 1), 0);
  // Between 1 and 2, with as many fractional bits as a spline reads.
  const int argument = std::min(finest_argument, highest);
  const Value named = combined(name + " (between 1 and 2)", {&lifted}, {1}, 0, highest, lifted.bounds, 0);
  Value m = argument < highest ? cut(named, argument, name + " (rescale)") : named;
  for (Interval& b : m.bounds) b = {i128{1} << argument, (i128{1} << (argument + 1)) - 1};
  if (!why_.empty()) return {};
  // Where x is 0 so is m: it counts in the width of what is compared, and not in what the spline is fitted to.
  if (zero) need(m.tensor, static_cast<unsigned>(argument) + 4);
  Shape shape;
  shape.f = [exponent](double v) { return std::pow(v, exponent); };
  shape.steepest = std::abs(exponent);
  shape.absolute = std::min(relative, 0x1p-10) / 4;
  m.error = 0;
  m.error_norm = 0;
  Value g = smooth(name + " (spline)", m, shape);
  if (!why_.empty()) return {};
  constexpr int kept = 18;
  const double of_spline = g.error;
  if (g.scale > kept) g = cut(g, kept, name + " (rescale)");
  // Of the weights, so many bits that they and the product fit.
  const int weight_bits = std::ilogb(largest_weight) + 2;
  const int weight_scale = std::min(60 - kept - 3 - weight_bits, std::max(4, 2 - std::ilogb(std::max(absolute, relative * std::min(weight_of(lowest), weight_of(highest))))));
  if (weight_scale < 0) return refuse("whose power fits 60 bits");
  const auto quantised = [&](int k) { return static_cast<std::int64_t>(std::nearbyint(std::ldexp(weight_of(k), weight_scale))); };
  const auto [least, most] = std::minmax({quantised(lowest), quantised(highest)});
  const Value weight = weighed(" (weight)", quantised, zero, weight_scale, zero ? 0 : least, most);
  const Interval of_g = hull(g.bounds);
  Value y = multiplied(name, each, g, weight, all_alike(count, 0, of_g.high * most), 0);

  const double computed_low = std::ldexp(static_cast<double>(all.low), -x.scale);
  const double smallest_x = std::min(computed_low, std::max({0.0, computed_low - x.error, x.exact_low}));
  const double largest_x = std::ldexp(static_cast<double>(all.high), -x.scale);
  const double largest_y = std::max(std::pow(largest_x, exponent), zero ? 0 : std::pow(std::ldexp(static_cast<double>(all.low), -x.scale), exponent));
  const double largest_g = std::ldexp(static_cast<double>(of_g.high), -g.scale);
  const double smallest_g = std::min(1.0, std::exp2(exponent));  // of a value between 1 and 2
  const double rounding = std::abs(exponent) * unit(argument) + of_spline + unit(kept);
  if (part != nullptr) {
    *part = rounding / smallest_g + largest_g / smallest_g * unit(weight_scale + 1) / std::min(weight_of(lowest), weight_of(highest));
  }
  double from_x = std::abs(exponent) * std::pow(smallest_x, exponent - 1) * x.error;
  if (exponent > 0 && smallest_x <= x.error) from_x = std::sqrt(2 * x.error);
  if (exponent < 0 && smallest_x <= 0) return refuse("of one sign, beyond their error");
  // Both lie between what the smallest and the largest x give.
  if (smallest_x > 0) from_x = std::min(from_x, std::abs(std::pow(smallest_x, exponent) - std::pow(largest_x + x.error, exponent)));
  y.error = largest_y / smallest_g * rounding + largest_g * unit(weight_scale + 1) + from_x;
  y.error_norm = y.error * std::sqrt(static_cast<double>(count));
  y.exact_low = exponent > 0 ? std::pow(std::max(0.0, x.exact_low), exponent) : std::pow(largest_x + x.error, exponent);
  // Where x is as large as usual, within its bounds.
  const double usual_x = std::clamp(x.rms, std::max(computed_low, unit(x.scale)), std::max(largest_x, unit(x.scale)));
  y.rms = std::pow(usual_x, exponent);
  y.noise = std::hypot(std::abs(exponent) * y.rms / usual_x * x.noise, y.rms / smallest_g * rounding + largest_g * unit(weight_scale + 1));
  const double certain = largest_y + y.error;
  if (std::ldexp(certain, y.scale) < largest_value) {
    for (Interval& b : y.bounds) b.high = std::min(b.high, static_cast<i128>(std::ldexp(certain, y.scale)) + 1);
  }
  if (!zero) {
    const double surely = std::min(std::pow(largest_x, exponent), std::pow(std::ldexp(static_cast<double>(all.low), -x.scale), exponent)) - y.error;
    const i128 product = std::max<i128>(0, of_g.low * least);
    for (Interval& b : y.bounds) b.low = std::max(product, static_cast<i128>(std::ldexp(std::max(surely, 0.0), y.scale)) - 1);
  }
  return y;
}

GraphLowering::Value GraphLowering::lower(const PowerNode& op) {
  const Value& x = in(0);
  const Interval all = hull(x.bounds);
  if (op.exponent == -1 && all.high < 0) {
    SecretVector<Interval> bounds = x.bounds;
    for (Interval& b : bounds) b = {-b.high, -b.low};
    const Value positive = combined(name() + " (negative)", {&x}, {-1}, 0, x.scale, std::move(bounds), x.error);
    const Value y = power(name(), positive, -1, usual_error, usual_error);
    if (!why_.empty()) return {};
    bounds = y.bounds;
    for (Interval& b : bounds) b = {-b.high, -b.low};
    return combined(name(), {&y}, {-1}, 0, y.scale, std::move(bounds), y.error);
  }
  return power(name(), x, op.exponent, usual_error, usual_error);
}

GraphLowering::Value GraphLowering::spread_rows(const std::string& name, const Value& x, std::size_t rows, std::size_t size) {
  SecretVector<Interval> bounds;
  bounds.reserve(rows * size);
  for (const Interval& b : x.bounds) bounds.insert(bounds.end(), size, b);
  return emit(name, TakeOp{rows, 1, 1, std::vector<std::int64_t>(size, 0)}, {&x}, x.scale, std::move(bounds), x.error);
}

// e = exp(x), s = the sum of a row, p = e / s. With e within a part d of itself and a, p is within 2 d + (K + 1) a, K being
// the size of a row, since s is at least 1.
GraphLowering::Value GraphLowering::lower(const SoftmaxNode& op) {
  Value x = in(0);
  const auto size = static_cast<double>(op.size);
  // No exact value is above 0, so no value is above its error.
  const auto top = static_cast<i128>(std::min(std::ldexp(x.error, x.scale), largest_value)) + 1;
  for (Interval& b : x.bounds) b = {std::min(b.low, top), std::min(b.high, top)};
  Shape s;
  s.f = [](double v) { return std::exp(v); };
  s.relative = usual_error / 2;
  s.absolute = usual_error / 4 / size;
  s.tail = s.absolute;
  s.low = std::log(s.absolute);
  s.steepest = 1;
  const double of_x = x.error;
  x.error = 0;  // it counts at the end
  const double relative = s.relative + (x.scale > finest_argument ? 1.01 * unit(finest_argument) : 0);
  Value e = smooth(name() + " (exp)", x, s);
  if (!why_.empty()) return {};
  const int kept = 15 + std::ilogb(size);
  if (e.scale > kept) e = cut(e, kept, name() + " (rescale)");
  WindowSumOp sum;
  sum.shape.groups = op.rows;
  sum.shape.axes[2].input = sum.shape.axes[2].kernel = op.size;
  const Interval one = hull(e.bounds);
  // One element of each row is exp(0); where values of several scales were subtracted, that of what is wrong with it.
  const double first = room_ == 0 ? 1 : std::exp(-of_x);
  const auto least = std::max<i128>(1, static_cast<i128>(std::ldexp(first * (1 - relative) - s.absolute, e.scale)) - 2);
  const Value total = emit(name() + " (sum)", sum, {&e}, e.scale, all_alike(op.rows, least, one.high * static_cast<i128>(op.size)), 0);
  const Value inverse = power(name() + " (inverse)", total, -1, usual_error / 4, usual_error / 4);
  if (!why_.empty()) return {};
  const Value spread = spread_rows(name() + " (inverse)", inverse, op.rows, op.size);
  const ProductOp each{op.rows * op.size, 1, 1, 1};
  const double absolute = s.absolute + s.tail + unit(e.scale);
  const double largest_e = std::ldexp(static_cast<double>(one.high), -e.scale);
  const double beyond = inverse.error * largest_e;  // e is no larger than the sum that was inverted
  const double error = std::min(1.01 * (2 * relative + (size + 1) * absolute) + beyond + 2 * of_x, 1 + beyond);
  const auto high = static_cast<i128>(std::ldexp(1 + beyond, e.scale + spread.scale)) + 1;
  Value out = multiplied(name(), each, e, spread, all_alike(op.rows * op.size, 0, high), error);
  out.rms = 1 / std::sqrt(size);
  out.noise = out.rms * (in(0).noise + s.relative) + s.absolute;
  return out;
}

// v = the sum of squares of a row, with size * epsilon added; y = x sqrt(size) v^(-1/2). The squares are not shifted, so that
// nothing of a small row is lost.
GraphLowering::Value GraphLowering::lower(const NormalizeNode& op) {
  const Value& x = narrow(0);
  const auto size = static_cast<double>(op.size);
  const std::size_t count = op.rows * op.size;
  const ProductOp each{count, 1, 1, 1};
  const double top = magnitude(hull(x.bounds));
  if (top * top * size >= 0x1p61) too_wide(static_cast<unsigned>(std::ilogb(top * top * size)) + 4);
  if (!why_.empty()) return {};
  const auto square = static_cast<i128>(top) * static_cast<i128>(top);
  const Value squares = multiplied(name() + " (squares)", each, x, x, all_alike(count, 0, square), 0);
  WindowSumOp sum;
  sum.shape.groups = op.rows;
  sum.shape.axes[2].input = sum.shape.axes[2].kernel = op.size;
  const Value total = emit(name() + " (sum)", sum, {&squares}, squares.scale, all_alike(op.rows, 0, square * static_cast<i128>(op.size)), 0);
  const auto more = static_cast<std::int64_t>(std::ceil(std::ldexp(size * op.epsilon, total.scale)));
  const Value positive = combined(name() + " (variance)", {&total}, {1}, more, total.scale,
                                  all_alike(op.rows, more, square * static_cast<i128>(op.size) + more), 0);
  double part = 0;
  Value root = power(name() + " (root)", positive, -0.5, usual_error / 4, 0, &part);
  if (!why_.empty()) return {};
  // |x| root <= 1: what is wrong with the root by a part of it is wrong with y by that part of sqrt(size).
  constexpr int kept = 20;
  if (root.scale > kept + 8) root = cut(root, kept + 8, name() + " (rescale)");
  const auto factor = static_cast<std::int64_t>(std::nearbyint(std::ldexp(std::sqrt(size), 15)));
  const double usual_x = std::max(x.rms, std::sqrt(op.epsilon));
  // What rounding makes of epsilon, as a part of it.
  const double off = std::abs(std::ldexp(static_cast<double>(more), -total.scale) / (size * op.epsilon) - 1);
  if (op.factor) {
    SecretVector<Interval> bounds = root.bounds;
    for (Interval& b : bounds) b = {b.low * factor, b.high * factor};
    const double largest_root = 1 / std::sqrt(op.epsilon);
    Value out = combined(name(), {&root}, {factor}, 0, root.scale + 15, std::move(bounds),
                         largest_root * (part + 0x1p-15 + off / 2) + std::sqrt(size) * unit(root.scale) + x.error / op.epsilon);
    out.rms = 1 / usual_x;
    out.noise = std::hypot(x.noise / usual_x, part + 0x1p-15) / usual_x;
    return out;
  }
  const Value spread = spread_rows(name() + " (root)", root, op.rows, op.size);
  // The Jacobian, sqrt(size / v) (I - x x^T / v), stretches by 1 / sqrt(epsilon) at most; and the sum of a row's |elements| is
  // at most 1 + 0.2 (1 + sqrt(size)) times that.
  const double from_x = std::min((1 + 0.2 * (1 + std::sqrt(size))) * x.error, x.error_norm) / std::sqrt(op.epsilon);
  // |x| v^(-3/2), with epsilon in v, is less than 0.4 / epsilon.
  const double of_root = part + std::ldexp(top, -x.scale) * unit(root.scale);
  const double limit = 1.01 + of_root;  // |x| root, before sqrt(size)
  const double error = std::min(std::sqrt(size) * (of_root + 0.2 * off) + from_x, std::sqrt(size) * (1 + limit));
  const auto high = static_cast<i128>(std::ldexp(limit, x.scale + spread.scale)) + 1;
  const Value y = multiplied(name() + " (unit)", each, x, spread, all_alike(count, -high, high), 0);
  const Value cut_y = cut(y, kept, name() + " (rescale)");
  SecretVector<Interval> bounds = cut_y.bounds;
  for (Interval& b : bounds) b = {b.low * factor, b.high * factor};
  Value out = combined(name(), {&cut_y}, {factor}, 0, cut_y.scale + 15, std::move(bounds), error + std::sqrt(size) * (cut_y.error + 0x1p-15));
  out.rms = 1;
  out.noise = std::hypot(x.noise / usual_x, part + std::sqrt(size) * cut_y.error + 0x1p-15);
  return out;
}

}  // namespace smpc
