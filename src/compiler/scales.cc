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

// In a longer chain each of them gets less: all of them together stay within promised_logit_error.
constexpr std::size_t most_sources = 8;

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

Eigen::VectorXd squares_of_rows(const ConstMap& w) {
  Eigen::VectorXd squares(w.rows());
  for (Eigen::Index r = 0; r < w.rows(); ++r) squares[r] = w.row(r).cast<double>().squaredNorm();
  return squares;
}

double largest_weight(const Affine& a) {
  float largest = 0;
  for (const float w : a.weights) largest = std::max(largest, std::abs(w));
  return static_cast<double>(largest);
}

double squares_of_bias(const Affine& a) {
  double squares = 0;
  for (const double b : a.bias) squares += b * b;
  return squares;
}

// What follows the outputs of an affine map, two ways. The product of the maps, ReLUs left out, is what errors meet where all
// units are active. Where units that cancel each other are not active together, the product says too little, down to
// nothing: then errors go through the squares of the weights, as if they were independent, half of the units being active.
struct Downstream {
  Matrix product;
  Eigen::MatrixXd squares;
};

// How far errors of these sizes, one an element, move a logit.
double gain_of(const Downstream& after, const Eigen::VectorXf& sizes) {
  if (after.product.rows() == 0) return 0;
  const double independent = (after.squares * sizes.cast<double>().cwiseAbs2()).maxCoeff();
  return std::max(largest_row_norm(after.product * sizes.asDiagonal()), std::sqrt(independent));
}

double gain_of(const Downstream& after) { return gain_of(after, Eigen::VectorXf::Ones(after.product.cols())); }

// How far an error of unit variance in every element of an affine map's output, or of its input, moves a logit.
struct Gains {
  SecretVector<double> output;
  SecretVector<double> input;
  Downstream after_first;  // empty where nothing follows the first map
};

Gains gains_of(const std::vector<const Affine*>& affines) {
  const std::size_t count = affines.size();
  Gains g{SecretVector<double>(count, 1), SecretVector<double>(count, 1), {}};
  Downstream& after = g.after_first;
  for (std::size_t k = count; k-- > 0;) {
    const ConstMap w = matrix_of(*affines[k]);
    if (k + 1 == count) {
      g.input[k] = static_cast<double>(w.rowwise().norm().maxCoeff());
      if (k > 0) after = {w, w.cast<double>().cwiseAbs2()};
      continue;
    }
    g.output[k] = gain_of(after);
    if (k > 0) {
      after = {after.product * w, after.squares * w.cast<double>().cwiseAbs2() / 2};
      g.input[k] = gain_of(after);
    } else {
      const double independent = (after.squares * squares_of_rows(w)).maxCoeff() / 2;
      g.input[k] = std::max(largest_row_norm_of_product(after.product, w), std::sqrt(independent));
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

double usual_norm(const CompileState& s) { return s.input_rms * std::sqrt(static_cast<double>(input_count(s))); }

std::vector<LayerSources> sources_of(const CompileState& s, const std::vector<const Affine*>& affines,
                                     const Gains& gains, bool open_end) {
  std::vector<LayerSources> sources;
  double norm = usual_norm(s);
  for (std::size_t k = 0; k < affines.size(); ++k) {
    const Affine& a = *affines[k];
    const double largest = largest_weight(a);
    const double left = k == 0 && diffuses(s) ? left_by_diffusion : 1;
    const double weight_gain = largest > 0 ? left * norm * gains.output[k] : 0;
    const double bias = squares_of_bias(a);
    sources.push_back({price_of(s, s.affines[k].layer, a), gains.input[k], weight_gain, largest,
                       k > 0 ? s.options.scale : std::nullopt, bias > 0 ? gains.output[k] : 0});
    norm *= k == 0 ? first_alignment : later_alignment;
    norm *= static_cast<double>(matrix_of(a).norm()) / std::sqrt(static_cast<double>(a.inputs));
    norm = std::hypot(norm, std::sqrt(bias));
  }
  if (open_end) {
    sources.push_back({compared * elements_of(s.network.outputs.front().shape), 1, 0, 0, affines.empty() ? std::nullopt : s.options.scale, 0});
  }
  return sources;
}

struct Choice {
  std::vector<LayerSources> sources;
  SecretVector<double> factors;  // of the first map's outputs
  ChosenScales scales;
};

// What factors on the first map's outputs change: its own weights and biases, and what the second map reads and multiplies.
// `reach`: how much larger than a row's weights its usual output is.
std::vector<LayerSources> with_factors(std::vector<LayerSources> sources, std::span<const double> factors,
                                       std::span<const RowSizes> rows, double reach, const Downstream& after_first,
                                       const std::vector<const Affine*>& affines) {
  const auto inverse = Eigen::Map<const Eigen::VectorXd>(factors.data(), static_cast<Eigen::Index>(factors.size()))
                           .cwiseInverse()
                           .cast<float>()
                           .eval();
  // All of these gains are that of what follows the first map.
  const double gain = gain_of(after_first, inverse);
  sources[0].weight_gain *= gain / sources[1].input_gain;
  sources[0].bias_gain *= gain / sources[1].input_gain;
  sources[1].input_gain = gain;
  double squares = 0;
  double scaled_squares = 0;
  sources[0].largest_weight = 0;
  for (std::size_t o = 0; o < rows.size(); ++o) {
    sources[0].largest_weight = std::max(sources[0].largest_weight, factors[o] * rows[o].largest);
    const double bias = affines[0]->bias[o];
    const double usual = reach * reach * rows[o].squares + bias * bias;
    squares += usual;
    scaled_squares += factors[o] * factors[o] * usual;
  }
  sources[1].weight_gain *= std::sqrt(scaled_squares / squares);
  sources[1].largest_weight = static_cast<double>((matrix_of(*affines[1]) * inverse.asDiagonal()).cwiseAbs().maxCoeff());
  return sources;
}

// The cheapest of the candidates' scales; of those, the ones that err least.
Choice choose(const CompileState& s, std::vector<LayerSources> plain, const std::vector<const Affine*>& affines, const Gains& gains,
              double budget) {
  std::optional<Choice> best;
  if (affines.size() > 1 && plain[1].input_gain > 0) {
    const SecretVector<RowSizes> rows = row_sizes(*affines[0], s.input_range);
    const double reach = first_alignment * usual_norm(s) / std::sqrt(static_cast<double>(affines[0]->inputs));
    for (SecretVector<double>& factors : equalising_factors(rows)) {
      std::vector<LayerSources> sources = with_factors(plain, factors, rows, reach, gains.after_first, affines);
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
  const double budget = target * target * static_cast<double>(std::min(most_sources, 2 * count + (open_end ? 1 : 0)));

  Choice choice = choose(s, sources_of(s, affines, gains, open_end), affines, gains, budget);
  const std::vector<LayerScales>& chosen = choice.scales.layers;
  s.input_scale = chosen.front().input;
  int scale = s.input_scale;
  double variance = 0;
  for (std::size_t k = 0; k < chosen.size(); ++k) {
    LayerSources& sources = choice.sources[k];
    // What is read has no more fractional bits than the sums before it had: then nothing of it is rounded, and the weights make
    // up for what the biases would lack.
    if (k > 0 && s.affines[k - 1].shift == 0) sources.input_gain = 0;
    const int weights = std::max(chosen[k].weights, std::min(finest_weight_scale(sources), chosen[k].input + chosen[k].weights - scale));
    variance += variance_of(sources, {scale, weights});
    if (k == count) break;
    AffinePlan& plan = s.affines[k];
    plan.input_scale = scale;
    plan.weight_scale = weights;
    plan.largest_weight = sources.largest_weight;
    if (k + 1 == chosen.size()) break;  // the logits stay as they are
    scale = std::min(chosen[k + 1].input, plan.output_scale());
    plan.shift = static_cast<unsigned>(plan.output_scale() - scale);
  }
  if (!choice.factors.empty()) s.affines.front().factors = std::move(choice.factors);
  s.logit_error = std::sqrt(variance);
}

}  // namespace smpc
