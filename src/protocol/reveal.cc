#include "smpc/protocol/reveal.h"

#include <algorithm>

#include "smpc/base/error.h"

namespace smpc {
namespace {

class RevealOp final : public PartyOp {
 public:
  RevealOp(std::size_t count, Ring ring, Party party, PartyOp& input)
      : count_(count), ring_(ring), party_(party), input_(input) {}
  void produce(unsigned, FieldWriter& out) override { out.values(ring_, input_.output()); }
  void consume(unsigned, FieldReader& in) override { theirs_ = in.values(count_, ring_); }
  const RingVector& output() override {
    if (party_ == Party::server) return input_.output();
    if (opened_.empty()) {
      opened_ = input_.output();
      for (std::size_t i = 0; i < count_; ++i) opened_[i] = ring_.reduce(opened_[i] + theirs_[i]);
    }
    return opened_;
  }

 private:
  std::size_t count_;
  Ring ring_;
  Party party_;
  PartyOp& input_;
  RingVector theirs_;
  RingVector opened_;
};

}  // namespace

Known declare_reveal(std::size_t count, Ring ring, Known in, HalfList& halves) {
  const int sent = halves.add(Party::server, 0, ring_field_bytes(count, ring), in.server);
  return {in.server, std::max(in.client, sent)};
}

std::unique_ptr<PartyOp> reveal_op(std::size_t count, Ring ring, Party party, PartyOp& input) {
  return std::make_unique<RevealOp>(count, ring, party, input);
}

}  // namespace smpc
