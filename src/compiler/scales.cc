// Passes 2 and 3: scales from an estimate of what rounding does to the logits, then integers.
#include <Eigen/Core>
#include <algorithm>
#include <cmath>

#include "passes.h"
#include "smpc/base/error.h"
#include "smpc/base/wide.h"

namespace smpc {
namespace {

using Matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using ConstMap = Eigen::Map<const Matrix>;

constexpr int most_fraction_bits = 40;
// An input is taken to be about this part of its declared range, root mean square; where a norm is declared, half of it.
constexpr double usual_part_of_range = 1.0 / 16;
// Activations are taken to be up to this much larger than random weights would make them.
constexpr double alignment = 4;

ConstMap matrix_of(const Affine& a) {
  return {a.weights.data(), static_cast<Eigen::Index>(a.outputs), static_cast<Eigen::Index>(a.inputs)};
}

double largest_row_norm(const Matrix& m) { return m.rows() == 0 ? 0 : static_cast<double>(m.rowwise().norm().maxCoeff()); }

// The largest row norm of j * w, w being as wide as the input: in blocks of columns, so that memory stays small.
double largest_row_norm_of_product(const Matrix& j, const ConstMap& w) {
  Eigen::VectorXd squares = Eigen::VectorXd::Zero(j.rows());
  constexpr Eigen::Index block = 2048;
  for (Eigen::Index c = 0; c < w.cols(); c += block) {
    const Matrix part = j * w.middleCols(c, std::min(block, w.cols() - c));
    squares += part.cast<double>().rowwise().squaredNorm();
  }
  return std::sqrt(squares.maxCoeff());
}

// Fractional bits so that a rounding error of 2^-f / sqrt(12) times `gain` is at most `target`.
int bits_for_error(double gain, double target) {
  if (!(gain > 0)) return 0;
  return std::clamp(static_cast<int>(std::ceil(std::log2(gain / (std::sqrt(12.0) * target)))), 0, most_fraction_bits);
}

double rounding(int bits) { return std::ldexp(1.0, -bits) / std::sqrt(12.0); }

float largest_weight(const Affine& a) {
  float largest = 0;
  for (const float w : a.weights) largest = std::max(largest, std::abs(w));
  return largest;
}

// So that the largest weight stays below 2^30.
int most_weight_scale(const Affine& a) {
  const float largest = largest_weight(a);
  return largest > 0 ? 29 - std::ilogb(largest) : most_fraction_bits;
}

}  // namespace

void choose_scales(CompileState& s, double target) {
  s.affines.clear();
  const auto& layers = s.network.layers;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    if (std::holds_alternative<Affine>(layers[i])) s.affines.push_back({i, 0, 0, 0});
  }
  const auto affine = [&](std::size_t k) -> const Affine& { return std::get<Affine>(layers[s.affines[k].layer]); };
  const std::size_t count = s.affines.size();

  // How far an error at an affine map's output (of unit variance per element), or at its input, moves a logit.
  std::vector<double> output_gain(count, 1);
  std::vector<double> input_gain(count, 1);
  Matrix downstream;
  for (std::size_t k = count; k-- > 0;) {
    const ConstMap w = matrix_of(affine(k));
    output_gain[k] = downstream.size() == 0 ? 1 : largest_row_norm(downstream);
    if (downstream.size() == 0) {
      input_gain[k] = static_cast<double>(w.rowwise().norm().maxCoeff());
      if (k > 0) downstream = w;
    } else if (k > 0) {
      downstream = Matrix(downstream * w);
      input_gain[k] = largest_row_norm(downstream);
    } else {
      input_gain[k] = largest_row_norm_of_product(downstream, w);
    }
  }

  const double inputs = static_cast<double>(count == 0 ? class_count(s.network) : affine(0).inputs);
  double norm = s.input_norm > 0 ? s.input_norm / 2 : s.input_range * usual_part_of_range * std::sqrt(inputs);
  double variance = 0;
  const auto add_error = [&](double gain, int bits) { variance += std::pow(gain * rounding(bits), 2); };

  s.input_scale = bits_for_error(count == 0 ? 1 : input_gain[0], target);
  add_error(count == 0 ? 1 : input_gain[0], s.input_scale);
  int scale = s.input_scale;
  for (std::size_t k = 0; k < count; ++k) {
    AffinePlan& plan = s.affines[k];
    const Affine& a = affine(k);
    plan.input_scale = scale;
    plan.weight_scale = std::min(bits_for_error(norm * output_gain[k], target), most_weight_scale(a));
    add_error(norm * output_gain[k], plan.weight_scale);
    norm = alignment * static_cast<double>(matrix_of(a).norm()) * norm / std::sqrt(static_cast<double>(a.inputs));
    if (k + 1 == count && plan.layer + 1 == layers.size()) break;  // the logits stay as they are
    const double next_gain = k + 1 < count ? input_gain[k + 1] : 1;
    const int wanted = s.options.scale ? *s.options.scale : bits_for_error(next_gain, target);
    scale = std::min(wanted, plan.output_scale());
    plan.shift = static_cast<unsigned>(plan.output_scale() - scale);
    add_error(next_gain, scale);
  }
  s.logit_error = std::sqrt(variance);
}

void quantise_weights(CompileState& s) {
  s.weights.clear();
  for (const AffinePlan& plan : s.affines) {
    const auto& a = std::get<Affine>(s.network.layers[plan.layer]);
    LinearWeights w;
    WeightMatrix::Wide matrix;
    matrix.reserve(a.weights.size());
    const float scale = std::ldexp(1.0F, plan.weight_scale);  // a power of two: the product is exact
    for (const float x : a.weights) matrix.push_back(static_cast<std::int32_t>(std::nearbyint(x * scale)));
    w.matrix = WeightMatrix(std::move(matrix));
    for (const double b : a.bias) {
      const double scaled = std::ldexp(b, plan.output_scale());
      if (!(std::abs(scaled) < std::ldexp(1.0, 62))) {
        fail_input("layer '" + a.name + "': its bias does not fit 64 bits at " + std::to_string(plan.output_scale()) +
                   " fractional bits; give a smaller --scale");
      }
      // Half a unit of what is shifted away: floor then rounds to nearest.
      const std::int64_t half = plan.shift > 0 ? std::int64_t{1} << (plan.shift - 1) : 0;
      w.bias.push_back(static_cast<std::int64_t>(std::nearbyint(scaled)) + half);
    }
    s.weights.push_back(std::move(w));
  }
}

}  // namespace smpc
