#include "smpc/protocol/step.h"

#include <algorithm>

#include "smpc/protocol/shift.h"

namespace smpc {
namespace {

constexpr unsigned slot_open = shift_slots;

class StepPartyOp final : public PartyOp {
 public:
  StepPartyOp(const StepPlan& plan, PartyOp& input, CorrelationSource& source)
      : ring_(plan.compare.out),
        server_(source.party() == Party::server),
        compare_(shift_op(plan.compare, input, source)),
        beta_(source.shared_bit(plan.bit)) {}

  void produce(unsigned slot, FieldWriter& out) override {
    if (slot != slot_open) return compare_->produce(slot, out);
    mask();
    out.bits(mine_);
  }

  void consume(unsigned slot, FieldReader& in) override {
    if (slot != slot_open) return compare_->consume(slot, in);
    theirs_ = in.bits(beta_.bit.size());
  }

  const RingVector& output() override {
    if (output_.empty()) {
      mask();
      const BitVector opened = mine_ ^ theirs_;
      output_ = std::move(beta_.value);
      for (std::size_t i = 0; i < output_.size(); ++i) {
        const std::uint64_t e = opened.get(i);
        output_[i] = ring_.reduce((server_ ? e : 0) + (1 - 2 * e) * output_[i]);
      }
      compare_.reset();
      beta_ = {};
    }
    return output_;
  }

 private:
  void mask() {
    if (mine_.size() == 0) mine_ = compare_->sign() ^ beta_.bit;
  }

  Ring ring_;
  bool server_;
  std::unique_ptr<ShiftOp> compare_;
  SharedBitShare beta_;
  BitVector mine_, theirs_;
  RingVector output_;
};

}  // namespace

Known declare_step(const StepPlan& plan, std::size_t volumes, Known in, HalfList& halves) {
  const Known sign = declare_shift(plan.compare, volumes, in, 0, halves).sign;
  const std::size_t bytes = bit_field_bytes(plan.compare.count * volumes);
  const int server = halves.add(Party::server, slot_open, bytes, sign.server);
  const int client = halves.add(Party::client, slot_open, bytes, sign.client);
  return {std::max(sign.server, client), std::max(sign.client, server)};
}

std::unique_ptr<PartyOp> step_op(const StepPlan& plan, PartyOp& input, CorrelationSource& source) {
  return std::make_unique<StepPartyOp>(plan, input, source);
}

}  // namespace smpc
