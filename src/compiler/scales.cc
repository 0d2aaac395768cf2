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

// Activations are taken to be this much larger than random weights would make them: a trained first layer looks for what
// its inputs show, later ones much less (measured on the demonstration model alone: up to 20, then about 1.2 a layer).
constexpr double first_alignment = 16;
constexpr double later_alignment = 1.5;

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

double largest_weight(const Affine& a) {
  float largest = 0;
  for (const float w : a.weights) largest = std::max(largest, std::abs(w));
  return static_cast<double>(largest);
}

// How far an error of unit variance in every element of an affine map's output, or of its input, moves a logit.
struct Gains {
  std::vector<double> output;
  std::vector<double> input;
};

Gains gains_of(const std::vector<const Affine*>& affines) {
  const std::size_t count = affines.size();
  Gains g{std::vector<double>(count, 1), std::vector<double>(count, 1)};
  Matrix downstream;
  for (std::size_t k = count; k-- > 0;) {
    const ConstMap w = matrix_of(*affines[k]);
    if (downstream.size() == 0) {
      g.input[k] = static_cast<double>(w.rowwise().norm().maxCoeff());
      if (k > 0) downstream = w;
      continue;
    }
    g.output[k] = largest_row_norm(downstream);
    if (k > 0) {
      downstream = Matrix(downstream * w);
      g.input[k] = largest_row_norm(downstream);
    } else {
      g.input[k] = largest_row_norm_of_product(downstream, w);
    }
  }
  return g;
}

// What a bit more costs online, in bits, where a layer's accumulator gets a bit wider: its input is sent, and every
// output that is compared takes about nine bits both ways (docs/PROTOCOLS.md, section 5: 408 bits at a width of 44). The
// suite masked takes less; the price is the same there, so that scales are, and both suites give the same bits.
constexpr std::uint64_t compared = 9;

std::uint64_t price_of(const CompileState& s, std::size_t layer, const Affine& a) {
  const bool opened = layer + 1 == s.network.layers.size() && s.options.reveal == Reveal::logits;
  return a.inputs + (opened ? 1 : compared) * a.outputs;
}

}  // namespace

void choose_scales(CompileState& s, double target) {
  s.affines.clear();
  const auto& layers = s.network.layers;
  std::vector<const Affine*> affines;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    if (const auto* a = std::get_if<Affine>(&layers[i])) {
      s.affines.push_back({i, 0, 0, 0});
      affines.push_back(a);
    }
  }
  const Gains gains = gains_of(affines);
  const std::size_t count = affines.size();
  const bool open_end = count == 0 || s.affines.back().layer + 1 < layers.size();  // the last tensor is an activation

  std::vector<LayerSources> sources;
  double norm = s.input_rms * std::sqrt(static_cast<double>(input_count(s)));
  for (std::size_t k = 0; k < count; ++k) {
    const Affine& a = *affines[k];
    const double largest = largest_weight(a);
    sources.push_back({price_of(s, s.affines[k].layer, a), gains.input[k], largest > 0 ? norm * gains.output[k] : 0,
                       largest, k > 0 ? s.options.scale : std::nullopt});
    norm *= k == 0 ? first_alignment : later_alignment;
    norm *= static_cast<double>(matrix_of(a).norm()) / std::sqrt(static_cast<double>(a.inputs));
  }
  if (open_end) {
    sources.push_back({compared * class_count(s.network), 1, 0, 0, count > 0 ? s.options.scale : std::nullopt});
  }
  const double budget = target * target * static_cast<double>(2 * count + (open_end ? 1 : 0));
  const std::vector<LayerScales> chosen = cheapest_scales(sources, budget);

  s.input_scale = chosen.front().input;
  int scale = s.input_scale;
  double variance = 0;
  for (std::size_t k = 0; k < chosen.size(); ++k) {
    variance += variance_of(sources[k], {scale, chosen[k].weights});
    if (k == count) break;
    AffinePlan& plan = s.affines[k];
    plan.input_scale = scale;
    plan.weight_scale = chosen[k].weights;
    if (k + 1 == chosen.size()) break;  // the logits stay as they are
    scale = std::min(chosen[k + 1].input, plan.output_scale());
    plan.shift = static_cast<unsigned>(plan.output_scale() - scale);
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
