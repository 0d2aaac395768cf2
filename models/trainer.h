// Trains the demo's network on subjects drawn afresh for every batch, and measures it on subjects it never saw.
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "mlp.h"
#include "subjects.h"

namespace smpc::demo {

struct TrainingPlan {
  unsigned steps = 0;
  unsigned per_class = 1;  // subjects of each class in a batch
  float rate = 0;          // Adam's learning rate, falling to a twentieth in a straight line
  float shrink = 0;        // L1: by what each first-layer weight moves towards 0 in a step, as a part of the rate
  float decay = 0;         // L2: by what part the other weights shrink in a step, as a part of the rate
};

TrainingPlan full_plan() noexcept;
TrainingPlan quick_plan() noexcept;  // shows that everything runs; learns next to nothing

// Adam (Kingma, Ba, ICLR 2015), but with one second moment for each weight matrix, as NovoGrad (arXiv 1905.11286):
// voxels that tell nothing then keep small weights, instead of being scaled up to the size of those that tell much.
class Trainer {
 public:
  Trainer(const SubjectMaker& maker, const TrainingPlan& plan, unsigned threads);

  // One step on a fresh batch. Returns the batch's mean cross-entropy.
  float step();
  unsigned steps_done() const noexcept { return done_; }
  const Mlp& mlp() const noexcept { return mlp_; }

 private:
  struct Moment {
    Matrix first;
    float second = 0;
  };
  void draw_batch();
  Matrix first_layer() const;
  void update_first_layer(const Matrix& error);
  void update_small(std::size_t layer, const Matrix& gradient, const Vector& bias_gradient);
  float rate() const noexcept;
  float scale_of(Moment& moment, float mean_square) const;

  const SubjectMaker& maker_;
  TrainingPlan plan_;
  unsigned threads_;
  unsigned done_ = 0;
  float correct1_ = 1;  // Adam's bias corrections, beta^t
  float correct2_ = 1;
  Mlp mlp_;
  std::array<Moment, layer_count> weight_moment_;
  std::array<Moment, layer_count> bias_moment_;
  Matrix batch_;     // [subjects][brain voxels]
  Matrix gradient_;  // of the first layer's weights
  std::vector<unsigned> labels_;
};

struct Measured {
  unsigned subjects = 0;
  unsigned right = 0;
  unsigned sure = 0;        // whose highest probability is above 0.9
  float largest_logit = 0;  // in absolute value
  double percent() const noexcept { return subjects == 0 ? 0 : 100.0 * right / subjects; }
};

// On `per_class` held-out subjects of every class.
Measured measure(const Mlp& mlp, const SubjectMaker& maker, unsigned per_class, unsigned threads);

// Logits [1][58] of one volume of the whole grid.
Matrix classify(const Mlp& mlp, const SubjectMaker& maker, std::span<const float> volume);

// The largest sum of |weights| of a hidden unit of the first layer.
float largest_row_norm(const Mlp& mlp);

}  // namespace smpc::demo
