#include "smpc/protocol/linear.h"

#include "smpc/base/error.h"
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

  void consume(unsigned slot, FieldReader& in) override {
    SMPC_CHECK(slot == slot_d);
    opened_ = in.values(d_.inputs * volumes_, d_.ring);
  }

  const RingVector& output() override {
    if (output_.empty()) compute();
    return output_;
  }

 private:
  void compute() {
    SMPC_CHECK(opened_.size() == d_.inputs * volumes_);
    const RingVector& x0 = input_.output();
    SMPC_CHECK(x0.empty() || x0.size() == opened_.size());  // empty: zero
    for (std::size_t i = 0; i < x0.size(); ++i) opened_[i] = d_.ring.reduce(opened_[i] + x0[i]);
    RingVector y = std::move(r_);
    for (std::size_t i = 0; i < y.size(); ++i) y[i] += static_cast<std::uint64_t>(weights_.bias[i % d_.outputs]);
    weights_.matrix.visit([&](auto m) { accumulate_product(m, d_.inputs, opened_, volumes_, y, d_.outputs, 0, d_.ring); });
    reduce_all(d_.ring, y);
    opened_ = {};
    output_ = std::move(y);
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
