#include "smpc/protocol/local.h"

#include <algorithm>

#include "smpc/base/error.h"
#include "smpc/program/moves.h"

namespace smpc {
namespace {

using Inputs = std::vector<std::span<const std::uint64_t>>;

// y is zero at first, and is reduced afterwards.
struct Apply {
  const Inputs& in;
  const Added& added;
  RingVector& y;

  void operator()(const BiasOp&) const {
    for (std::size_t i = 0; i < y.size(); ++i) y[i] = in[0][i];
    for (std::size_t i = 0; i < added.bias.size(); ++i) y[i] += static_cast<std::uint64_t>(added.bias[i]);
  }
  void operator()(const SumOp& op) const {
    if (added.offset) std::fill(y.begin(), y.end(), static_cast<std::uint64_t>(op.offset));
    for (std::size_t k = 0; k < in.size(); ++k) {
      const auto factor = static_cast<std::uint64_t>(op.factors[k]);
      for (std::size_t i = 0; i < y.size(); ++i) y[i] += factor * in[k][i];
    }
  }
  void operator()(const ScaleOp& op) const {
    std::size_t i = 0;
    for (std::size_t o = 0; o < op.outer; ++o) {
      for (const std::int64_t factor : op.factors) {
        for (std::size_t n = 0; n < op.inner; ++n, ++i) y[i] = static_cast<std::uint64_t>(factor) * in[0][i];
      }
    }
  }
  void operator()(const WindowSumOp& op) const { accumulate_windows(op.shape, in[0], y); }
  void operator()(const TransposeOp& op) const { move_elements<std::uint64_t>(op, in, y); }
  void operator()(const TakeOp& op) const { move_elements<std::uint64_t>(op, in, y); }
  void operator()(const ConcatOp& op) const { move_elements<std::uint64_t>(op, in, y); }
  template <class Other>
  void operator()(const Other&) const {
    constexpr bool an_op_without_messages = false;
    SMPC_CHECK(an_op_without_messages);
  }
};

class LocalPartyOp final : public PartyOp {
 public:
  LocalPartyOp(const OpKind& kind, std::vector<PartyOp*> inputs, const Added& added, const TensorType& out, std::size_t volumes)
      : kind_(kind), inputs_(std::move(inputs)), added_(added), out_(out), volumes_(volumes) {}
  void produce(unsigned, FieldWriter&) override {}
  void consume(unsigned, FieldReader&) override {}

  const RingVector& output() override {
    if (!output_.empty()) return output_;
    for (std::size_t v = 0; v < volumes_; ++v) {
      Inputs in;
      for (PartyOp* op : inputs_) {
        const std::span<const std::uint64_t> all = op->output();
        const std::size_t count = all.size() / volumes_;
        in.push_back(all.subspan(v * count, count));
      }
      RingVector one = apply_local(kind_, in, added_, out_);
      if (volumes_ == 1) {
        output_ = std::move(one);
        return output_;
      }
      output_.reserve(out_.count * volumes_);
      output_.insert(output_.end(), one.begin(), one.end());
    }
    return output_;
  }

 private:
  const OpKind& kind_;
  std::vector<PartyOp*> inputs_;
  Added added_;
  TensorType out_;
  std::size_t volumes_;
  RingVector output_;
};

}  // namespace

RingVector apply_local(const OpKind& kind, const Inputs& in, const Added& added, const TensorType& out) {
  RingVector y(out.count);
  std::visit(Apply{in, added, y}, kind);
  reduce_all(out.ring, y);
  return y;
}

std::unique_ptr<PartyOp> local_op(const OpKind& kind, std::vector<PartyOp*> inputs, const Added& added, const TensorType& out,
                                  std::size_t volumes) {
  return std::make_unique<LocalPartyOp>(kind, std::move(inputs), added, out, volumes);
}

}  // namespace smpc
