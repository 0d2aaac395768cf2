// One party's evaluation of the nodes of a comparison (correlation/comparison.h), level by level, from its digits.
// A node is a few ANDs: inputs are XOR-shared, u_i = x_i ^ a_i is opened, and
//   product of x_i over S = XOR over subsets T of S of (product of u_i over S \ T) & (share of product of a_i over T).
// Each sees the u_i, uniform because the a_i are and are used once.
#pragma once

#include "smpc/correlation/plan.h"
#include "smpc/correlation/source.h"
#include "smpc/ring/fields.h"

namespace smpc {

class AndTree {
 public:
  AndTree(const ShiftPlan& plan, CorrelationSource& source);

  // A digit's shares, eq where its node wants it; h of a root that selects (before its level).
  void set_digit(unsigned node, BitVector lt, BitVector eq);
  void set_sign(BitVector h) { sign_ = std::move(h); }

  void send_level(unsigned level, FieldWriter& out);
  void receive_level(unsigned level, FieldReader& in);

  // This party's XOR share of [a < b] over a node's bits. Computes what has become computable.
  const BitVector& lt(unsigned node);
  const BitVector& root_lt() { return lt(static_cast<unsigned>(nodes_.size() - 1)); }
  // Of a root that selects: d & lt of its lowest child, with d = lt ^ h.
  const BitVector& selected();

 private:
  struct Node {
    BitVector lt;
    BitVector eq;
    BitVector selected;
    bool ready = false;
    AndShare material;
    std::vector<BitVector> open;  // what this party opened; then, with the peer's, the u_i
  };
  void combine(unsigned node);
  std::vector<BitVector> inputs_of(unsigned node) const;

  const ComparisonLayout& layout_;
  Party party_;
  std::size_t count_;  // of all volumes
  std::vector<Node> nodes_;
  BitVector sign_;
};

std::size_t level_bytes(const ShiftPlan& plan, unsigned level, std::size_t volumes);  // one party's half

}  // namespace smpc
