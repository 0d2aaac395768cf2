#include "smpc/protocol/linear.h"

#include <algorithm>

#include "smpc/base/bits.h"
#include "smpc/base/error.h"
#include "smpc/ring/conv.h"
#include "smpc/ring/kernels.h"

namespace smpc {
namespace {

constexpr unsigned slot_d = 0;

class LinearServerOp final : public PartyOp {
 public:
  LinearServerOp(const LinearDemand& d, std::size_t demand, PartyOp& input, CorrelationSource& source,
                 const LinearWeights& weights)
      : d_(d), volumes_(source.volumes()), input_(input), weights_(weights), r_(source.linear_server(demand).r) {}

  void produce(unsigned, FieldWriter&) override {}

  // The first map's product is computed from the message as it lies there, so that it is never unpacked as a whole.
  void consume(unsigned slot, FieldReader& in) override {
    SMPC_CHECK(slot == slot_d);
    if (input_.is_zero() && !d_.conv) {
      multiply_packed(in.packed(d_.inputs * volumes_, d_.ring));
    } else {
      opened_ = in.values(d_.inputs * volumes_, d_.ring);
    }
  }

  const RingVector& output() override {
    if (output_.empty()) compute();
    return output_;
  }

 private:
  void multiply_packed(ByteView d) {
    ProductSum sum(d_.outputs, volumes_, d_.ring);
    // A few volumes leave room in the cache for longer pieces of every row.
    const std::size_t strips = std::max<std::size_t>(1, 16 / volumes_);
    const std::size_t widest = std::min(d_.inputs, strips * ProductSum::block_cols);
    RingVector block(volumes_ * widest);
    for (std::size_t c = 0; c < d_.inputs; c += widest) {
      const std::size_t cols = std::min(widest, d_.inputs - c);
      for (std::size_t v = 0; v < volumes_; ++v) {
        unpack_range(d, d_.ring.bits, v * d_.inputs + c, std::span(block).subspan(v * widest, cols));
      }
      weights_.matrix.visit([&]<class T>(std::span<const T> m) {
        sum.add(0, MatrixBlock<T>{m.data() + c, d_.outputs, cols, d_.inputs}, {block.data(), widest});
      });
    }
    RingVector product(d_.outputs * volumes_);
    sum.add_to(product);
    finish(product);
  }

  void compute() {
    const RingVector& x0 = input_.output();
    SMPC_CHECK(opened_.size() == d_.inputs * volumes_ && (input_.is_zero() || x0.size() == opened_.size()));
    for (std::size_t i = 0; i < x0.size(); ++i) opened_[i] = d_.ring.reduce(opened_[i] + x0[i]);
    RingVector product(d_.outputs * volumes_);
    weights_.matrix.visit([&]<class T>(std::span<const T> m) {
      if (!d_.conv) return accumulate_product(m, d_.inputs, opened_, volumes_, product, d_.outputs, 0, d_.ring);
      for (std::size_t v = 0; v < volumes_; ++v) {
        accumulate_conv(*d_.conv, m, std::span<const std::uint64_t>(opened_).subspan(v * d_.inputs, d_.inputs),
                        std::span(product).subspan(v * d_.outputs, d_.outputs), d_.ring);
      }
    });
    opened_ = {};
    finish(product);
  }

  void finish(const RingVector& product) {
    output_ = std::move(r_);
    const std::size_t positions = d_.outputs / d_.rows();
    for (std::size_t i = 0; i < output_.size(); ++i) {
      const auto bias = static_cast<std::uint64_t>(weights_.bias[i % d_.outputs / positions]);
      output_[i] = d_.ring.reduce(output_[i] + product[i] + bias);
    }
  }

  LinearDemand d_;
  std::size_t volumes_;
  PartyOp& input_;
  const LinearWeights& weights_;
  RingVector r_;
  RingVector opened_;  // d
  RingVector output_;
};

class LinearClientOp final : public PartyOp {
 public:
  LinearClientOp(const LinearDemand& d, std::size_t demand, PartyOp& input, CorrelationSource& source)
      : d_(d), input_(input), material_(source.linear_client(demand)) {}

  void produce(unsigned slot, FieldWriter& out) override {
    SMPC_CHECK(slot == slot_d && !material_.b.empty());
    const RingVector& x1 = input_.output();
    RingVector& masked = material_.b;
    for (std::size_t i = 0; i < masked.size(); ++i) masked[i] = d_.ring.reduce(x1[i] - masked[i]);
    out.values(d_.ring, masked);
    masked = {};  // b has been used; it cannot be used again
  }

  void consume(unsigned, FieldReader&) override {}
  const RingVector& output() override { return material_.output; }

 private:
  LinearDemand d_;
  PartyOp& input_;
  LinearClient material_;
};

}  // namespace

Known declare_linear(const LinearDemand& d, std::size_t volumes, Known in, HalfList& halves) {
  const int sent = halves.add(Party::client, slot_d, ring_field_bytes(d.inputs * volumes, d.ring), in.client);
  return {sent, none};
}

std::unique_ptr<PartyOp> linear_server(const LinearDemand& d, std::size_t demand, PartyOp& input,
                                       CorrelationSource& source, const LinearWeights& weights) {
  return std::make_unique<LinearServerOp>(d, demand, input, source, weights);
}

std::unique_ptr<PartyOp> linear_client(const LinearDemand& d, std::size_t demand, PartyOp& input,
                                       CorrelationSource& source) {
  return std::make_unique<LinearClientOp>(d, demand, input, source);
}

}  // namespace smpc
