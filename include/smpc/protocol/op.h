// A protocol is a list of levels; at a level each party may have a half to send. A protocol declares its halves and
// computes them; it never touches the wire. The runtime joins the halves of a program into messages.
//
// A half may leave as soon as its sender has received what it depends on: `needs` names the latest of the peer's halves
// among that. What depends on nothing of the peer's has needs = none. Each party's halves leave in their order.
#pragma once

#include <vector>

#include "smpc/correlation/shares.h"
#include "smpc/ring/fields.h"

namespace smpc {

constexpr int none = -1;

struct Half {
  Party from;
  std::size_t op;     // whose half it is: index of the party op
  unsigned slot;      // which of the op's halves
  std::size_t bytes;
  int needs;          // index in HalfList of the latest peer half that must have arrived; none
};

// What a party must have received before it knows its share of a value: the index of the latest peer half, or none.
struct Known {
  int server = none;
  int client = none;
  int by(Party p) const noexcept { return p == Party::server ? server : client; }
};

// All halves of a program, in the order of the computation. Whatever a half depends on stands before it.
class HalfList {
 public:
  // Returns the half's index. `op` is the one given to begin_op.
  int add(Party from, unsigned slot, std::size_t bytes, int needs) {
    halves_.push_back({from, op_, slot, bytes, needs});
    return static_cast<int>(halves_.size()) - 1;
  }
  void begin_op(std::size_t op) noexcept { op_ = op; }
  const std::vector<Half>& halves() const noexcept { return halves_; }

 private:
  std::vector<Half> halves_;
  std::size_t op_ = 0;
};

// One party's side of one op, for all volumes of a run: shares of volume v lie at [v * count, (v + 1) * count).
class PartyOp {
 public:
  virtual ~PartyOp() = default;
  virtual void produce(unsigned slot, FieldWriter& out) = 0;  // this party's half
  virtual void consume(unsigned slot, FieldReader& in) = 0;   // the peer's half
  // This party's share of the result; asked for only when every half that it needs has been consumed.
  virtual const RingVector& output() = 0;
  // Whether that share is known to be zero before anything has come: the server's of the input.
  virtual bool is_zero() const noexcept { return false; }
};

// The run's first tensor: zero for the server, the volume for the client.
class InputOp final : public PartyOp {
 public:
  explicit InputOp(RingVector shares) : shares_(std::move(shares)) {}
  void produce(unsigned, FieldWriter&) override {}
  void consume(unsigned, FieldReader&) override {}
  const RingVector& output() override { return shares_; }
  bool is_zero() const noexcept override { return shares_.empty(); }

 private:
  RingVector shares_;
};

}  // namespace smpc
