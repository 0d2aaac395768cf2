// Pass 3: integers.
//
// The first affine map of a model on a grid multiplies images, whose neighbouring voxels are alike. Its weights'
// rounding errors are diffused, as in halftoning (R. Floyd and L. Steinberg, An adaptive algorithm for spatial grey
// scale, 1976): voxel after voxel, each hands its error e on to the next voxels along the three axes, in equal parts.
// What a row's sum errs by, sum e_i x_i before, is then sum e_i (x_i - mean of x at the next voxels), which is small for
// a smooth image.
#include <algorithm>
#include <array>
#include <cmath>

#include "passes.h"
#include "remedies.h"
#include "smpc/base/error.h"

namespace smpc {
namespace {

// Where the error at each of the map's inputs goes. Voxels outside the mask take no part: there the image is zero.
class Neighbours {
 public:
  struct Next {
    std::array<std::uint32_t, 3> at;  // `inputs` where there is none
    double share = 0;
  };

  // No errors are handed on.
  explicit Neighbours(std::size_t inputs) : next_(inputs, Next{{none(inputs), none(inputs), none(inputs)}, 0}) {}

  // Model order: the last axis of the grid runs fastest.
  Neighbours(std::size_t inputs, const Grid& grid, ByteView mask) : Neighbours(inputs) {
    std::vector<std::uint32_t> place(grid.voxels(), none(inputs));
    std::uint32_t inside = 0;
    for (std::size_t v = 0; v < place.size(); ++v) {
      if (mask.empty() || is_inside(mask, v)) place[v] = inside++;
    }
    SMPC_CHECK(inside == inputs);
    const std::array<std::size_t, 3> stride = {std::size_t{grid.shape[1]} * grid.shape[2], grid.shape[2], 1};
    for (std::size_t v = 0; v < place.size(); ++v) {
      if (place[v] == inputs) continue;
      Next& next = next_[place[v]];
      int found = 0;
      for (std::size_t axis = 0; axis < 3; ++axis) {
        if (v / stride[axis] % grid.shape[axis] + 1 == grid.shape[axis]) continue;
        next.at[axis] = place[v + stride[axis]];
        found += next.at[axis] != inputs ? 1 : 0;
      }
      next.share = found > 0 ? 1.0 / found : 0;
    }
  }

  const Next& operator[](std::size_t i) const { return next_[i]; }

 private:
  static std::uint32_t none(std::size_t inputs) { return static_cast<std::uint32_t>(inputs); }

  std::vector<Next> next_;
};

// To nearest, ties to even, below 2^51; std::nearbyint is a call on every processor without SSE4.1.
double nearest(double x) {
  constexpr double shift = 0x1.8p52;
  return (x + shift) - shift;
}

constexpr std::size_t lanes = 8;  // rows side by side: within a row every rounding waits for the one before

struct Rows {
  std::array<const float*, lanes> weights;
  std::array<double, lanes> factors;
};

template <class T>
void round_rows(const Rows& rows, std::span<const double> divisors, const Neighbours& neighbours,
                std::span<T* const, lanes> out, SecretVector<std::array<double, lanes>>& carried) {
  std::fill(carried.begin(), carried.end(), std::array<double, lanes>{});
  for (std::size_t i = 0; i + 1 < carried.size(); ++i) {
    const double divisor = divisors.empty() ? 1 : divisors[i];
    const Neighbours::Next& next = neighbours[i];
    std::array<double, lanes> error;
    for (std::size_t r = 0; r < lanes; ++r) {
      const double exact = static_cast<double>(rows.weights[r][i]) * rows.factors[r] / divisor + carried[i][r];
      const double whole = nearest(exact);
      out[r][i] = static_cast<T>(static_cast<std::int32_t>(whole));
      error[r] = (exact - whole) * next.share;
    }
    if (!(next.share > 0)) continue;
    for (const std::uint32_t n : next.at) {
      for (std::size_t r = 0; r < lanes; ++r) carried[n][r] += error[r];
    }
  }
}

template <class Values>
Values rounded(const Affine& a, const AffinePlan& plan, std::span<const double> divisors,
               const Neighbours& neighbours) {
  using T = typename Values::value_type;
  Values matrix(a.outputs * a.inputs);
  SecretVector<std::array<double, lanes>> carried(a.inputs + 1);  // the last one is nobody's
  for (std::size_t first = 0; first < a.outputs; first += lanes) {
    Rows rows;
    std::array<T*, lanes> out;
    for (std::size_t r = 0; r < lanes; ++r) {
      const std::size_t o = std::min(first + r, a.outputs - 1);  // lanes beyond the last row repeat it
      rows.weights[r] = a.weights.data() + o * a.inputs;
      rows.factors[r] = std::ldexp(plan.factors.empty() ? 1 : plan.factors[o], plan.weight_scale);
      out[r] = matrix.data() + o * a.inputs;
    }
    round_rows<T>(rows, divisors, neighbours, out, carried);
  }
  return matrix;
}

// In two bytes each at once where they fit, so that they never lie there in four. What a weight is handed moves it by at
// most 2.
WeightMatrix quantised(const Affine& a, const AffinePlan& plan, std::span<const double> divisors,
                       const Neighbours& neighbours) {
  if (std::ldexp(plan.largest_weight, plan.weight_scale) < 0x7fff - 2) {
    return WeightMatrix(rounded<WeightMatrix::Narrow>(a, plan, divisors, neighbours));
  }
  return WeightMatrix(rounded<WeightMatrix::Wide>(a, plan, divisors, neighbours));
}

constexpr double largest_bias = 0x1p62;

double scaled_bias(const Affine& a, const AffinePlan& plan, std::size_t o) {
  return std::ldexp(a.bias[o] * (plan.factors.empty() ? 1 : plan.factors[o]), plan.output_scale());
}

}  // namespace

bool biases_fit(const CompileState& s, std::string& why, std::string& remedy) {
  for (const AffinePlan& plan : s.affines) {
    const auto& a = std::get<Affine>(s.network.layers[plan.layer]);
    for (std::size_t o = 0; o < a.outputs; ++o) {
      if (std::abs(scaled_bias(a, plan, o)) < largest_bias) continue;
      why = constant_does_not_fit(a.name, a.bias[o], plan.output_scale());
      remedy = remedy_of_constant(a.bias[o]);
      return false;
    }
  }
  return true;
}

bool diffuses(const CompileState& s) { return s.grid.has_value(); }

void quantise_weights(CompileState& s) {
  s.weights.clear();
  std::span<const double> divisors;
  for (const AffinePlan& plan : s.affines) {
    const auto& a = std::get<Affine>(s.network.layers[plan.layer]);
    const bool diffused = s.weights.empty() && diffuses(s);
    LinearWeights w;
    w.matrix = quantised(a, plan, divisors,
                         diffused ? Neighbours(a.inputs, *s.grid, s.input_mask) : Neighbours(a.inputs));
    for (std::size_t o = 0; o < a.outputs; ++o) {
      const double scaled = scaled_bias(a, plan, o);
      SMPC_CHECK(std::abs(scaled) < largest_bias);
      // Half a unit of what is shifted away: floor then rounds to nearest.
      const std::int64_t half = plan.shift > 0 ? std::int64_t{1} << (plan.shift - 1) : 0;
      w.bias.push_back(static_cast<std::int64_t>(std::nearbyint(scaled)) + half);
    }
    s.weights.push_back(std::move(w));
    divisors = plan.factors;
  }
}

}  // namespace smpc
