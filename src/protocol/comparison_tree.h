// One party's evaluation of a comparison tree (correlation/comparison.h): digits by OT, then ANDs level by level.
#pragma once

#include <map>

#include "smpc/correlation/plan.h"
#include "smpc/correlation/source.h"
#include "smpc/ring/fields.h"

namespace smpc {

class ComparisonTree {
 public:
  // `value`: the server's a or the client's b, of which the layout's bits count; [a < b] is computed.
  ComparisonTree(const ShiftPlan& plan, CorrelationSource& source);
  void set_value(RingVector value) { value_ = std::move(value); }

  void send_choices(FieldWriter& out);     // client, before
  void receive_choices(FieldReader& in);   // server
  void send_digits(FieldWriter& out);      // server
  void receive_digits(FieldReader& in);    // client
  void send_level(unsigned level, FieldWriter& out);     // both
  void receive_level(unsigned level, FieldReader& in);

  // This party's XOR share of [a < b] over a node's bits. Computes what has become computable.
  const BitVector& lt(unsigned node);

 private:
  struct Node {
    BitVector lt;
    BitVector eq;
    bool ready = false;
    AndShare material;
    std::vector<BitVector> mine;    // what this party opened
    std::vector<BitVector> theirs;
  };
  void need(unsigned node);
  void combine(unsigned node);
  std::vector<BitVector> inputs_of(unsigned node);

  const ShiftPlan& plan_;
  const ComparisonLayout& layout_;
  Party party_;
  std::size_t count_;  // of all volumes
  RingVector value_;
  std::vector<Node> nodes_;
  std::map<unsigned, OtSender> senders_;
  std::map<unsigned, OtReceiver> receivers_;
  std::map<unsigned, std::vector<BitVector>> choices_;  // the client's corrections, as the server received them
};

std::size_t choice_bytes(const ShiftPlan& plan, std::size_t volumes);
std::size_t digit_bytes(const ShiftPlan& plan, std::size_t volumes);
std::size_t level_bytes(const ShiftPlan& plan, unsigned level, std::size_t volumes);  // one party's half

}  // namespace smpc
