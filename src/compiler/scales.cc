// Pass 2: scales from an estimate of what rounding does to the logits.
#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <tuple>

#include "equalise.h"
#include "passes.h"

namespace smpc {
namespace {

using Matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using ConstMap = Eigen::Map<const Matrix>;

// Activations are taken to be this much larger than random weights would make them: a trained first layer looks for what
// its inputs show, later ones much less (measured on the demonstration model alone: up to 20, then about 1.2 a layer).
constexpr double first_alignment = 16;
constexpr double later_alignment = 1.5;

// What diffusion leaves of the weights' error (quantise.cc): |x - mean of x at the next voxels| / |x|. Of 58 maps on the
// usual grid, the demonstration's and published ones, it was 0.17 to 0.53, with a median of a third.
constexpr double left_by_diffusion = 0.5;

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
  SecretVector<double> output;
  SecretVector<double> input;
  Matrix after_first;  // what follows the first map, ReLUs left out; empty where nothing does
};

Gains gains_of(const std::vector<const Affine*>& affines) {
  const std::size_t count = affines.size();
  Gains g{SecretVector<double>(count, 1), SecretVector<double>(count, 1), {}};
  Matrix& downstream = g.after_first;
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

std::vector<LayerSources> sources_of(const CompileState& s, const std::vector<const Affine*>& affines,
                                     const Gains& gains, bool open_end) {
  std::vector<LayerSources> sources;
  double norm = s.input_rms * std::sqrt(static_cast<double>(input_count(s)));
  for (std::size_t k = 0; k < affines.size(); ++k) {
    const Affine& a = *affines[k];
    const double largest = largest_weight(a);
    const double left = k == 0 && diffuses(s) ? left_by_diffusion : 1;
    const double weight_gain = largest > 0 ? left * norm * gains.output[k] : 0;
    sources.push_back({price_of(s, s.affines[k].layer, a), gains.input[k], weight_gain, largest,
                       k > 0 ? s.options.scale : std::nullopt});
    norm *= k == 0 ? first_alignment : later_alignment;
    norm *= static_cast<double>(matrix_of(a).norm()) / std::sqrt(static_cast<double>(a.inputs));
  }
  if (open_end) {
    sources.push_back({compared * elements_of(s.network.outputs.front().shape), 1, 0, 0, affines.empty() ? std::nullopt : s.options.scale});
  }
  return sources;
}

struct Choice {
  std::vector<LayerSources> sources;
  SecretVector<double> factors;  // of the first map's outputs
  ChosenScales scales;
};

// What factors on the first map's outputs change: its own weights, and what the second map reads and multiplies.
std::vector<LayerSources> with_factors(std::vector<LayerSources> sources, std::span<const double> factors,
                                       std::span<const RowSizes> rows, const Matrix& after_first,
                                       const Affine& second) {
  const auto inverse = Eigen::Map<const Eigen::VectorXd>(factors.data(), static_cast<Eigen::Index>(factors.size()))
                           .cwiseInverse()
                           .cast<float>()
                           .eval();
  // Both gains are the largest row norm of what follows the first map.
  const double gain = largest_row_norm(after_first * inverse.asDiagonal());
  sources[0].weight_gain *= gain / sources[1].input_gain;
  sources[1].input_gain = gain;
  double squares = 0;
  double scaled_squares = 0;
  sources[0].largest_weight = 0;
  for (std::size_t o = 0; o < rows.size(); ++o) {
    sources[0].largest_weight = std::max(sources[0].largest_weight, factors[o] * rows[o].largest);
    squares += rows[o].squares;
    scaled_squares += factors[o] * factors[o] * rows[o].squares;
  }
  sources[1].weight_gain *= std::sqrt(scaled_squares / squares);
  sources[1].largest_weight = static_cast<double>((matrix_of(second) * inverse.asDiagonal()).cwiseAbs().maxCoeff());
  return sources;
}

// The cheapest of the candidates' scales; of those, the ones that err least.
Choice choose(std::vector<LayerSources> plain, const std::vector<const Affine*>& affines, const Gains& gains,
              double input_range, double budget) {
  std::optional<Choice> best;
  if (affines.size() > 1 && plain[1].input_gain > 0) {
    const SecretVector<RowSizes> rows = row_sizes(*affines[0], input_range);
    for (SecretVector<double>& factors : equalising_factors(rows)) {
      std::vector<LayerSources> sources = with_factors(plain, factors, rows, gains.after_first, *affines[1]);
      ChosenScales scales = cheapest_scales(sources, budget);
      const auto rank = [](const ChosenScales& c) { return std::tuple(c.budget, c.cost, c.spent); };
      if (best && rank(best->scales) <= rank(scales)) continue;
      best = Choice{std::move(sources), std::move(factors), std::move(scales)};
    }
  }
  if (best) return std::move(*best);
  ChosenScales scales = cheapest_scales(plain, budget);
  return {std::move(plain), {}, std::move(scales)};
}

}  // namespace

void choose_scales(CompileState& s, double target) {
  s.affines.clear();
  const auto& layers = s.network.layers;
  std::vector<const Affine*> affines;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    if (const auto* a = std::get_if<Affine>(&layers[i])) {
      s.affines.push_back({i, 0, 0, 0, 0, {}});
      affines.push_back(a);
    }
  }
  const Gains gains = gains_of(affines);
  const std::size_t count = affines.size();
  const bool open_end = count == 0 || s.affines.back().layer + 1 < layers.size();  // the last tensor is an activation
  const double budget = target * target * static_cast<double>(2 * count + (open_end ? 1 : 0));

  Choice choice = choose(sources_of(s, affines, gains, open_end), affines, gains, s.input_range, budget);
  const std::vector<LayerScales>& chosen = choice.scales.layers;
  s.input_scale = chosen.front().input;
  int scale = s.input_scale;
  double variance = 0;
  for (std::size_t k = 0; k < chosen.size(); ++k) {
    variance += variance_of(choice.sources[k], {scale, chosen[k].weights});
    if (k == count) break;
    AffinePlan& plan = s.affines[k];
    plan.input_scale = scale;
    plan.weight_scale = chosen[k].weights;
    plan.largest_weight = choice.sources[k].largest_weight;
    if (k + 1 == chosen.size()) break;  // the logits stay as they are
    scale = std::min(chosen[k + 1].input, plan.output_scale());
    plan.shift = static_cast<unsigned>(plan.output_scale() - scale);
  }
  if (!choice.factors.empty()) s.affines.front().factors = std::move(choice.factors);
  s.logit_error = std::sqrt(variance);
}

}  // namespace smpc
