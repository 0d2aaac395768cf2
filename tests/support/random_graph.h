// Random programs whose ops read any of the tensors before them, with every kind of op, and rings as narrow as exact
// bounds allow.
#pragma once

#include "support/random_program.h"

namespace smpc::testing {

class RandomGraphMaker {
 public:
  RandomGraphMaker(std::mt19937_64& rng, Suite suite) : rng_(rng) { g_.program.suite = suite; }

  RandomModel make(std::size_t steps) {
    Image in{pick(1, 3), pick(1, 5), pick(1, 5)};
    g_.input_limit = static_cast<std::int64_t>(pick(1, 1000));
    const auto limit = static_cast<double>(g_.input_limit);
    g_.program.inputs = {{"x", {in.channels, in.height, in.width}, -limit, limit}};
    add_tensor(in, g_.input_limit, 0);
    while (steps-- > 0) step();
    finish();
    choose_rings();
    return std::move(g_);
  }

 private:
  struct Image {
    std::size_t channels;
    std::size_t height;
    std::size_t width;
    std::size_t count() const { return channels * height * width; }
    bool operator==(const Image&) const = default;
  };

  std::size_t pick(std::size_t low, std::size_t high) { return low + rng_() % (high - low + 1); }
  std::int64_t number(std::int64_t limit) {
    return static_cast<std::int64_t>(rng_() % (2 * static_cast<std::uint64_t>(limit) + 1)) - limit;
  }

  void add_tensor(Image image, i128 bound, int scale) {
    g_.program.tensors.push_back({image.count(), scale, Ring{}});
    images_.push_back(image);
    bounds_.push_back(bound);
    read_.push_back(false);
  }

  void add(const char* name, OpKind kind, std::vector<std::size_t> inputs, Image image, i128 bound, int scale) {
    for (const std::size_t t : inputs) read_[t] = true;
    if (inputs.size() == 1 && inputs.front() + 1 == g_.program.tensors.size()) inputs.clear();
    g_.program.ops.push_back({name, std::move(kind), std::move(inputs)});
    add_tensor(image, bound, scale);
  }

  // A tensor, the newest ones most often; small enough to be multiplied.
  std::size_t source() {
    const std::size_t n = images_.size();
    const std::size_t t = pick(0, 2) == 0 ? pick(0, n - 1) : n - 1;
    if (bounds_[t] <= 2000) return t;
    unsigned shift = 1;
    while ((bounds_[t] >> shift) > 1000) ++shift;
    const int scale = g_.program.tensors[t].scale;
    if (scale < static_cast<int>(shift)) {  // the scale of a tensor is no more than a name for its bits
      add("lift", SumOp{{1}}, {t}, images_[t], bounds_[t], 60);
      return source();
    }
    const OpKind kind = pick(0, 1) == 0 ? OpKind(ReluOp{shift}) : OpKind(TruncateOp{shift});
    add("shift", kind, {t}, images_[t], (bounds_[t] >> shift) + 1, scale - static_cast<int>(shift));
    return images_.size() - 1;
  }

  ConvAxis axis(std::size_t input, bool windows) {
    ConvAxis a;
    a.input = input;
    a.kernel = pick(1, 3);
    a.stride = pick(1, 2);
    a.dilation = pick(1, 2);
    a.spread = windows ? 1 : pick(1, 2);
    a.pad = static_cast<std::int64_t>(pick(0, 3)) - 1;
    a.output = pick(1, 4);
    return a;
  }

  LinearWeights weights(std::size_t rows, std::size_t columns, i128 bound, i128& out) {
    const std::int64_t limit = pick(0, 4) == 0 ? 40000 : 60;
    WeightMatrix::Wide matrix;
    for (std::size_t i = 0; i < rows * columns; ++i) matrix.push_back(static_cast<std::int32_t>(number(limit)));
    LinearWeights w;
    for (std::size_t r = 0; r < rows; ++r) {
      w.bias.push_back(number(100));
      i128 sum = 100;
      for (std::size_t c = 0; c < columns; ++c) sum += bound * std::abs(matrix[r * columns + c]);
      out = std::max(out, sum);
    }
    w.matrix = WeightMatrix(std::move(matrix));
    return w;
  }

  void step() {
    const std::size_t t = source();
    const Image image = images_[t];
    const i128 bound = bounds_[t];
    const int scale = g_.program.tensors[t].scale;
    switch (pick(0, 12)) {
      case 0: {
        const Image out{pick(1, 12), 1, 1};
        i128 largest = 0;
        g_.weights.push_back(weights(out.count(), image.count(), bound, largest));
        return add("linear", LinearOp{image.count(), out.count()}, {t}, out, largest, scale);
      }
      case 1:
      case 2: {
        ConvOp op;
        const bool grouped = pick(0, 2) == 0;
        op.shape.groups = grouped ? image.channels : 1;
        op.shape.in_channels = grouped ? 1 : image.channels;
        op.shape.out_channels = pick(1, 3);
        op.shape.axes = {ConvAxis{}, axis(image.height, false), axis(image.width, false)};
        if (pick(0, 3) == 0) std::swap(op.shape.axes[0], op.shape.axes[1]);  // the same image, of other axes
        const Image out{op.shape.rows(), op.shape.axes[0].output * op.shape.axes[1].output, op.shape.axes[2].output};
        i128 largest = 0;
        g_.weights.push_back(weights(op.shape.rows(), op.shape.columns(), bound, largest));
        return add("conv", op, {t}, out, largest, scale);
      }
      case 3: {
        LinearWeights w;
        for (std::size_t i = 0; i < image.count(); ++i) w.bias.push_back(number(1000));
        g_.weights.push_back(std::move(w));
        return add("bias", BiasOp{}, {t}, image, bound + 1000, scale);
      }
      case 4: {
        std::vector<std::size_t> inputs;
        SumOp op;
        i128 sum = 0;
        for (std::size_t u = 0; u < images_.size(); ++u) {
          if (images_[u].count() != image.count() || bounds_[u] > (1 << 20) || inputs.size() == 4) continue;
          inputs.push_back(u);
          op.factors.push_back(number(4));
          sum += bounds_[u] * std::abs(op.factors.back());
        }
        op.offset = number(100);
        return add("sum", op, inputs, image, sum + 100, scale);
      }
      case 5: {
        ScaleOp op{1, image.height * image.width, {}};
        for (std::size_t c = 0; c < image.channels; ++c) op.factors.push_back(number(9));
        return add("scale", op, {t}, image, bound * 9, scale);
      }
      case 6: {
        WindowSumOp op;
        op.shape.groups = image.channels;
        op.shape.axes = {ConvAxis{}, axis(image.height, true), axis(image.width, true)};
        const Image out{image.channels, op.shape.axes[1].output, op.shape.axes[2].output};
        return add("windows", op, {t}, out, bound * 9, scale);
      }
      case 7: {
        const std::vector<std::size_t> dims{image.channels, image.height, image.width};
        std::vector<std::size_t> order{0, 1, 2};
        std::shuffle(order.begin(), order.end(), rng_);
        const Image out{dims[order[0]], dims[order[1]], dims[order[2]]};
        return add("transpose", TransposeOp{dims, order}, {t}, out, bound, scale);
      }
      case 8: {
        TakeOp op{image.channels, image.height, image.width, {}};
        const std::size_t slices = pick(1, 5);
        for (std::size_t i = 0; i < slices; ++i) {
          op.slices.push_back(static_cast<std::int64_t>(pick(0, image.height)) - 1);
        }
        return add("take", op, {t}, {image.channels, slices, image.width}, bound, scale);
      }
      case 9: {
        const std::size_t u = pick(0, images_.size() - 1);
        const std::size_t count = image.count() + images_[u].count();
        if (bounds_[u] > (i128{1} << 30) || count > 200) return;
        return add("concat", ConcatOp{}, {t, u}, {count, 1, 1}, std::max(bound, bounds_[u]), scale);
      }
      case 10: {
        const std::size_t u = source();
        const Image of_u = images_[u];
        const std::size_t v = t;
        const int sum = std::min(120, g_.program.tensors[v].scale + g_.program.tensors[u].scale);
        if (sum != g_.program.tensors[v].scale + g_.program.tensors[u].scale) return;
        if (of_u.count() == image.count()) {
          return add("product", ProductOp{image.count(), 1, 1, 1}, {v, u}, image, bound * bounds_[u], sum);
        }
        // A column times a row.
        if (image.count() * of_u.count() > 200) return;
        return add("outer", ProductOp{1, image.count(), 1, of_u.count()}, {v, u}, {image.count(), of_u.count(), 1},
                   bound * bounds_[u], sum);
      }
      case 11: {
        LookupOp op{static_cast<unsigned>(pick(1, 2)), {}};
        const std::size_t parts = pick(1, 3);
        for (std::size_t i = 0; i < parts << op.bits; ++i) op.table.push_back(number(1000));
        if (image.count() * parts > 200) return;
        return add("lookup", op, {t}, {parts * image.count(), 1, 1}, 1000, scale);
      }
      default: return add("step", StepOp{}, {t}, image, 1, 0);
    }
  }

  // All that nothing has read goes into a last linear map.
  void finish() {
    std::vector<std::size_t> unread;
    for (std::size_t t = 0; t < read_.size(); ++t) {
      if (!read_[t]) unread.push_back(t);
    }
    std::size_t count = 0;
    i128 bound = 0;
    for (const std::size_t t : unread) {
      count += images_[t].count();
      bound = std::max(bound, bounds_[t]);
    }
    add("join", ConcatOp{}, unread, {count, 1, 1}, bound, 0);
    const std::size_t classes = pick(2, 5);
    i128 largest = 0;
    g_.weights.push_back(weights(classes, count, bound, largest));
    add("last", LinearOp{count, classes}, {images_.size() - 1}, {classes, 1, 1}, largest, 0);
    g_.program.reveal = pick(0, 1) == 0 ? Reveal::logits : Reveal::label;
    if (g_.program.reveal == Reveal::label) {
      add("argmax", ArgMaxOp{}, {images_.size() - 1}, {1, 1, 1}, 1, 0);
    }
    g_.program.outputs = {{"y", {classes}}};
    for (std::size_t c = 0; c < classes; ++c) g_.program.labels.push_back("class_" + std::to_string(c));
  }

  // Backwards: what a tensor needs for itself, and what those that read it modulo their own ring need.
  void choose_rings() {
    Program& p = g_.program;
    for (std::size_t t = 0; t < p.tensors.size(); ++t) {
      unsigned bits = 2;
      while (bounds_[t] >> (bits - 1) != 0) ++bits;
      p.tensors[t].ring = Ring{bits + 1 + static_cast<unsigned>(pick(0, 2))};  // a truncation and a difference need one more
    }
    if (p.reveal == Reveal::label) p.tensors.back().ring = Ring{index_bits(p.labels.size())};
    for (std::size_t i = p.ops.size(); i-- > 0;) {
      const OpKind& kind = p.ops[i].kind;
      const auto* relu = std::get_if<ReluOp>(&kind);
      const auto* cut = std::get_if<TruncateOp>(&kind);
      const unsigned shift = relu != nullptr ? relu->shift + 1 : cut != nullptr ? cut->shift + 2 : 0;
      const auto* lookup = std::get_if<LookupOp>(&kind);
      const bool converts = shift > 0 || lookup != nullptr || std::holds_alternative<StepOp>(kind) || std::holds_alternative<ArgMaxOp>(kind);
      const unsigned least = lookup != nullptr ? lookup->bits : converts ? shift : p.tensors[i + 1].ring.bits;
      for (const std::size_t t : p.inputs_of(i)) p.tensors[t].ring.bits = std::max(p.tensors[t].ring.bits, least);
    }
  }

  std::mt19937_64& rng_;
  RandomModel g_;
  std::vector<Image> images_;
  std::vector<i128> bounds_;
  std::vector<bool> read_;
};

inline RandomModel random_graph(std::mt19937_64& rng, Suite suite, std::size_t steps) {
  for (;;) {
    RandomModel g = RandomGraphMaker(rng, suite).make(steps);
    const auto fits = [](const TensorType& t) { return t.ring.bits <= max_ring_bits; };
    if (std::all_of(g.program.tensors.begin(), g.program.tensors.end(), fits)) return g;
  }
}

}  // namespace smpc::testing
