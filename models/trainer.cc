#include "trainer.h"

#include <algorithm>
#include <cmath>

#include "parallel.h"
#include "smpc/base/error.h"

namespace smpc::demo {
namespace {

constexpr float beta1 = 0.9F;
constexpr float beta2 = 0.98F;
constexpr float smoothing = 0.005F;  // of the labels: keeps the logits moderate
constexpr std::size_t pieces = 16;   // of the first layer's columns; part of the result, so fixed

// Subjects as rows of brain voxels.
void draw_rows(const SubjectMaker& maker, Draw stream, std::uint64_t first, std::span<const unsigned> labels,
               unsigned threads, Matrix& rows) {
  const std::vector<std::uint32_t>& brain = maker.brain();
  rows.resize(static_cast<Eigen::Index>(labels.size()), static_cast<Eigen::Index>(brain.size()));
  std::vector<SubjectMaker::Scratch> scratch(threads);
  std::vector<std::vector<float>> volumes(threads, std::vector<float>(voxel_count));
  for_pieces(labels.size(), threads, [&](std::size_t n, unsigned worker) {
    Random random(static_cast<std::uint64_t>(stream), first + n);
    std::vector<float>& volume = volumes[worker];
    maker.draw(labels[n], random, scratch[worker], volume);
    float* row = rows.data() + n * brain.size();
    for (std::size_t v = 0; v < brain.size(); ++v) row[v] = volume[brain[v]];
  });
}

Eigen::Index column_of(std::size_t piece, Eigen::Index columns) noexcept {
  return columns * static_cast<Eigen::Index>(piece) / static_cast<Eigen::Index>(pieces);
}

Matrix multiply_first(const Matrix& rows, const Layer& layer, unsigned threads) {
  std::vector<Matrix> part(pieces);
  for_pieces(pieces, threads, [&](std::size_t n, unsigned) {
    const Eigen::Index from = column_of(n, rows.cols());
    const Eigen::Index count = column_of(n + 1, rows.cols()) - from;
    part[n].noalias() = rows.middleCols(from, count) * layer.weight.middleCols(from, count).transpose();
  });
  Matrix out = part[0];
  for (std::size_t n = 1; n < pieces; ++n) out += part[n];
  out.rowwise() += layer.bias;
  return out;
}

std::vector<unsigned> labels_for(unsigned per_class) {
  std::vector<unsigned> labels(std::size_t{class_count} * per_class);
  for (std::size_t n = 0; n < labels.size(); ++n) labels[n] = static_cast<unsigned>(n % class_count);
  return labels;
}

// A batch: the two classes that look different each time twice as often as the others.
std::vector<unsigned> batch_labels(unsigned per_class) {
  std::vector<unsigned> labels = labels_for(per_class);
  labels.insert(labels.end(), per_class, unknown_class);
  labels.insert(labels.end(), per_class, noise_class);
  return labels;
}

}  // namespace

TrainingPlan full_plan() noexcept {
  return {.steps = 320, .per_class = 2, .rate = 5e-4F, .shrink = 2e-1F, .decay = 1e-1F};
}
TrainingPlan quick_plan() noexcept { return {.steps = 2, .per_class = 1, .rate = 1e-3F, .shrink = 0, .decay = 0}; }

Trainer::Trainer(const SubjectMaker& maker, const TrainingPlan& plan, unsigned threads)
    : maker_(maker), plan_(plan), threads_(threads), labels_(batch_labels(plan.per_class)) {
  SMPC_CHECK(threads > 0 && plan.steps > 0 && plan.per_class > 0);
  // Eigen cuts products into blocks, and so orders its sums, by the processor's caches: the same for everybody.
  Eigen::setCpuCacheSizes(32 << 10, 512 << 10, 2 << 20);
  Random random(static_cast<std::uint64_t>(Draw::weights), 0);
  mlp_ = initial_mlp(static_cast<Eigen::Index>(maker.brain().size()), random);
  for (std::size_t n = 0; n < layer_count; ++n) {
    weight_moment_[n].first.setZero(mlp_.layers[n].weight.rows(), mlp_.layers[n].weight.cols());
    bias_moment_[n].first.setZero(1, mlp_.layers[n].bias.cols());
  }
  gradient_.resizeLike(mlp_.layers[0].weight);
}

// What a first moment is multiplied by in this step.
float Trainer::scale_of(Moment& moment, float mean_square) const {
  moment.second = beta2 * moment.second + (1 - beta2) * mean_square;
  return rate() / (1 - correct1_) / (std::sqrt(moment.second / (1 - correct2_)) + 1e-12F);
}

float Trainer::rate() const noexcept {
  const float left = 1 - 0.95F * static_cast<float>(done_) / static_cast<float>(plan_.steps);
  const float warm = std::min(1.0F, static_cast<float>(done_ + 1) / 10);
  return plan_.rate * left * warm;
}

void Trainer::update_small(std::size_t n, const Matrix& gradient, const Vector& bias_gradient) {
  Layer& layer = mlp_.layers[n];
  const float weight_scale = scale_of(weight_moment_[n], gradient.squaredNorm() / static_cast<float>(gradient.size()));
  Matrix& first = weight_moment_[n].first;
  first = beta1 * first + (1 - beta1) * gradient;
  layer.weight = (1 - rate() * plan_.decay) * layer.weight - weight_scale * first;

  const float bias_scale =
      scale_of(bias_moment_[n], bias_gradient.squaredNorm() / static_cast<float>(bias_gradient.size()));
  Matrix& bias_first = bias_moment_[n].first;
  bias_first = beta1 * bias_first + (1 - beta1) * bias_gradient;
  layer.bias -= bias_scale * bias_first;
}

void Trainer::update_first_layer(const Matrix& error) {
  std::array<float, pieces> squares{};
  const Eigen::Index columns = batch_.cols();
  for_pieces(pieces, threads_, [&](std::size_t n, unsigned) {
    const Eigen::Index from = column_of(n, columns);
    const Eigen::Index count = column_of(n + 1, columns) - from;
    gradient_.middleCols(from, count).noalias() = error.transpose() * batch_.middleCols(from, count);
    squares[n] = gradient_.middleCols(from, count).squaredNorm();
  });
  float sum = 0;
  for (const float s : squares) sum += s;
  const float scale = scale_of(weight_moment_[0], sum / static_cast<float>(gradient_.size()));
  const float threshold = rate() * plan_.shrink;
  Layer& layer = mlp_.layers[0];
  for_pieces(pieces, threads_, [&](std::size_t n, unsigned) {
    const Eigen::Index from = layer.weight.rows() * static_cast<Eigen::Index>(n) / static_cast<Eigen::Index>(pieces);
    const Eigen::Index to = layer.weight.rows() * static_cast<Eigen::Index>(n + 1) / static_cast<Eigen::Index>(pieces);
    for (Eigen::Index w = from * columns; w < to * columns; ++w) {
      float& moment = weight_moment_[0].first.data()[w];
      float& weight = layer.weight.data()[w];
      moment = beta1 * moment + (1 - beta1) * gradient_.data()[w];
      const float moved = weight - scale * moment;
      weight = moved - std::clamp(moved, -threshold, threshold);  // towards 0, and not past it
    }
  });
  const Vector bias_gradient = error.colwise().sum();
  const float bias_scale = scale_of(bias_moment_[0], bias_gradient.squaredNorm() / static_cast<float>(hidden));
  bias_moment_[0].first = beta1 * bias_moment_[0].first + (1 - beta1) * bias_gradient;
  layer.bias -= bias_scale * bias_moment_[0].first;
}

float Trainer::step() {
  draw_rows(maker_, Draw::training, std::uint64_t{done_} * labels_.size(), labels_, threads_, batch_);
  correct1_ *= beta1;
  correct2_ *= beta2;
  std::array<Matrix, layer_count> inputs;
  const Matrix first = multiply_first(batch_, mlp_.layers[0], threads_);
  const Matrix logits = forward_rest(mlp_, first, inputs);
  Matrix error = softmax(logits);
  float loss = 0;
  for (std::size_t n = 0; n < labels_.size(); ++n) {
    const auto row = static_cast<Eigen::Index>(n);
    loss -= std::log(std::max(error(row, labels_[n]), 1e-30F)) / static_cast<float>(labels_.size());
    error.row(row).array() -= smoothing / class_count;
    error(row, labels_[n]) -= 1 - smoothing;
  }
  error /= static_cast<float>(labels_.size());
  for (std::size_t n = layer_count - 1; n > 0; --n) {
    const Matrix gradient = error.transpose() * inputs[n];
    const Vector bias_gradient = error.colwise().sum();
    const Matrix before = error * mlp_.layers[n].weight;
    error = (inputs[n].array() > 0.0F).select(before, 0.0F);
    update_small(n, gradient, bias_gradient);
  }
  update_first_layer(error);
  ++done_;
  return loss;
}

Measured measure(const Mlp& mlp, const SubjectMaker& maker, unsigned per_class, unsigned threads) {
  Measured out;
  const std::vector<unsigned> labels = labels_for(2);  // a batch of two a class at a time, for memory's sake
  Matrix rows;
  std::array<Matrix, layer_count> inputs;
  for (unsigned batch = 0; 2 * batch < per_class; ++batch) {
    draw_rows(maker, Draw::held_out, std::uint64_t{batch} * labels.size(), labels, threads, rows);
    const Matrix logits = forward_rest(mlp, multiply_first(rows, mlp.layers[0], threads), inputs);
    const Matrix probabilities = softmax(logits);
    for (std::size_t n = 0; n < labels.size(); ++n) {
      Eigen::Index best = 0;
      const float top = probabilities.row(static_cast<Eigen::Index>(n)).maxCoeff(&best);
      ++out.subjects;
      if (best == static_cast<Eigen::Index>(labels[n])) ++out.right;
      if (top > 0.9F) ++out.sure;
    }
    out.largest_logit = std::max(out.largest_logit, logits.cwiseAbs().maxCoeff());
  }
  return out;
}

Matrix classify(const Mlp& mlp, const SubjectMaker& maker, std::span<const float> volume) {
  SMPC_CHECK(volume.size() == voxel_count);
  Matrix row(1, static_cast<Eigen::Index>(maker.brain().size()));
  for (std::size_t v = 0; v < maker.brain().size(); ++v)
    row(0, static_cast<Eigen::Index>(v)) = volume[maker.brain()[v]];
  std::array<Matrix, layer_count> inputs;
  return forward_rest(mlp, multiply_first(row, mlp.layers[0], 1), inputs);
}

float largest_row_norm(const Mlp& mlp) { return mlp.layers[0].weight.cwiseAbs().rowwise().sum().maxCoeff(); }

}  // namespace smpc::demo
