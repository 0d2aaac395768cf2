#include "comparison_tree.h"

#include "smpc/base/error.h"

namespace smpc {
namespace {

// table[v] becomes table[v ^ c], bit-sliced: for each bit of c, pairs that differ in it are swapped where it is set.
// `width` vectors make one string.
void rotate(std::vector<BitVector>& table, unsigned width, const std::vector<BitVector>& c) {
  const std::size_t strings = table.size() / width;
  for (unsigned j = 0; j < c.size(); ++j) {
    for (std::size_t v = 0; v < strings; ++v) {
      const std::size_t w = v ^ (std::size_t{1} << j);
      if (w < v) continue;
      for (unsigned k = 0; k < width; ++k) {
        const BitVector swap = (table[v * width + k] ^ table[w * width + k]) & c[j];
        table[v * width + k] ^= swap;
        table[w * width + k] ^= swap;
      }
    }
  }
}

// [digit = v] for every v below 2^bits, from the digit's bit slices.
std::vector<BitVector> indicators(const std::vector<BitVector>& digit, std::size_t count) {
  BitVector all(count);
  all.flip();
  std::vector<BitVector> out{all};
  for (unsigned j = 0; j < digit.size(); ++j) {
    const std::size_t half = out.size();
    for (std::size_t v = 0; v < half; ++v) {
      const BitVector set = out[v] & digit[j];
      out.push_back(set);
      out[v] ^= set;
    }
  }
  return out;
}

std::vector<BitVector> slices(const RingVector& values, unsigned first, unsigned bits) {
  std::vector<BitVector> out;
  for (unsigned j = 0; j < bits; ++j) out.push_back(bit_slice(values, first + j));
  return out;
}

}  // namespace

ComparisonTree::ComparisonTree(const ShiftPlan& plan, CorrelationSource& source)
    : plan_(plan),
      layout_(*plan.comparison),
      party_(source.party()),
      count_(plan.count * source.volumes()),
      nodes_(layout_.nodes.size()) {
  for (unsigned n = 0; n < nodes_.size(); ++n) {
    const std::size_t demand = plan.node_demands[n];
    if (layout_.nodes[n].level > 0) {
      nodes_[n].material = source.and_share(demand);
    } else if (party_ == Party::server) {
      senders_[n] = source.ot_sender(demand);
    } else {
      receivers_[n] = source.ot_receiver(demand);
    }
  }
}

void ComparisonTree::send_choices(FieldWriter& out) {
  for (auto& [n, ot] : receivers_) {
    const ComparisonNode& node = layout_.nodes[n];
    for (unsigned j = 0; j < node.bits; ++j) out.bits(bit_slice(value_, node.first_bit + j) ^ ot.choice[j]);
  }
}

void ComparisonTree::receive_choices(FieldReader& in) {
  for (auto& [n, ot] : senders_) {
    auto& c = choices_[n];
    for (unsigned j = 0; j < layout_.nodes[n].bits; ++j) c.push_back(in.bits(count_));
  }
}

void ComparisonTree::send_digits(FieldWriter& out) {
  for (auto& [n, ot] : senders_) {
    const ComparisonNode& node = layout_.nodes[n];
    const unsigned width = node.eq ? 2 : 1;
    std::vector<BitVector> pad = std::move(ot.strings);
    rotate(pad, width, choices_.at(n));
    const auto equal = indicators(slices(value_, node.first_bit, node.bits), count_);
    // The truth for digit v of the client's is lt = [a < v], eq = [a = v]. The share is chosen so that string 0 need
    // not be sent: truth(0) ^ pad(0). lt(0) is 0.
    Node& mine = nodes_[n];
    mine.lt = pad[0];
    if (node.eq) mine.eq = pad[1] ^ equal[0];
    BitVector lt(count_);
    for (std::size_t v = 1; v < equal.size(); ++v) {
      lt ^= equal[v - 1];
      out.bits(lt ^ mine.lt ^ pad[v * width]);
      if (node.eq) out.bits(equal[v] ^ mine.eq ^ pad[v * width + 1]);
    }
    mine.ready = true;
  }
  senders_.clear();
  choices_.clear();
}

void ComparisonTree::receive_digits(FieldReader& in) {
  for (auto& [n, ot] : receivers_) {
    const ComparisonNode& node = layout_.nodes[n];
    const auto equal = indicators(slices(value_, node.first_bit, node.bits), count_);
    Node& mine = nodes_[n];
    mine.lt = std::move(ot.string[0]);
    if (node.eq) mine.eq = std::move(ot.string[1]);
    for (std::size_t v = 1; v < equal.size(); ++v) {
      mine.lt ^= in.bits(count_) & equal[v];
      if (node.eq) mine.eq ^= in.bits(count_) & equal[v];
    }
    mine.ready = true;
  }
  receivers_.clear();
}

// Shares of an AND's inputs, in the order of ComparisonNode: eq of children 1.., lt of children 0..k-2, eq of child 0.
std::vector<BitVector> ComparisonTree::inputs_of(unsigned n) {
  const ComparisonNode& node = layout_.nodes[n];
  const auto& c = node.children;
  for (const unsigned child : c) need(child);
  std::vector<BitVector> in;
  for (std::size_t i = 1; i < c.size(); ++i) in.push_back(nodes_[c[i]].eq);
  for (std::size_t i = 0; i + 1 < c.size(); ++i) in.push_back(nodes_[c[i]].lt);
  if (node.eq) in.push_back(nodes_[c[0]].eq);
  return in;
}

void ComparisonTree::send_level(unsigned level, FieldWriter& out) {
  for (unsigned n = 0; n < nodes_.size(); ++n) {
    if (layout_.nodes[n].level != level) continue;
    std::vector<BitVector> in = inputs_of(n);
    for (std::size_t i = 0; i < in.size(); ++i) {
      in[i] ^= nodes_[n].material.masks[i];
      out.bits(in[i]);
    }
    nodes_[n].mine = std::move(in);
  }
}

void ComparisonTree::receive_level(unsigned level, FieldReader& in) {
  for (unsigned n = 0; n < nodes_.size(); ++n) {
    if (layout_.nodes[n].level != level) continue;
    for (unsigned i = 0; i < layout_.nodes[n].and_inputs(); ++i) nodes_[n].theirs.push_back(in.bits(count_));
  }
}

void ComparisonTree::need(unsigned n) {
  if (nodes_[n].ready) return;
  SMPC_CHECK(layout_.nodes[n].level > 0);
  combine(n);
}

// prod_i x_i with x_i = e_i ^ a_i, e_i open: the XOR over subsets T of (prod of e outside T) & (share of prod of a in T).
void ComparisonTree::combine(unsigned n) {
  const ComparisonNode& node = layout_.nodes[n];
  Node& mine = nodes_[n];
  SMPC_CHECK(mine.mine.size() == node.and_inputs() && mine.theirs.size() == node.and_inputs());
  std::vector<BitVector> open = std::move(mine.mine);
  for (std::size_t i = 0; i < open.size(); ++i) open[i] ^= mine.theirs[i];
  const std::vector<std::uint32_t> products = node.and_products();
  std::map<std::uint32_t, const BitVector*> mask_product;
  for (unsigned i = 0; i < open.size(); ++i) mask_product[std::uint32_t{1} << i] = &mine.material.masks[i];
  for (std::size_t p = 0; p < products.size(); ++p) mask_product[products[p]] = &mine.material.products[p];

  const auto product_share = [&](std::uint32_t inputs) {
    BitVector sum(count_);
    for (std::uint32_t masked = inputs;; masked = (masked - 1) & inputs) {
      if (masked != 0 || party_ == Party::server) {
        BitVector term(count_);
        term.flip();
        if (masked != 0) term = *mask_product.at(masked);
        for (unsigned i = 0; i < open.size(); ++i) {
          if (((inputs & ~masked) >> i) & 1) term &= open[i];
        }
        sum ^= term;
      }
      if (masked == 0) break;
    }
    return sum;
  };

  const auto k = static_cast<unsigned>(node.children.size());
  mine.lt = nodes_[node.children.back()].lt;
  std::uint32_t above = 0;
  for (unsigned child = k - 1; child-- > 0;) {
    above |= std::uint32_t{1} << child;  // eq of child + 1
    mine.lt ^= product_share(above | (std::uint32_t{1} << (k - 1 + child)));
  }
  if (node.eq) mine.eq = product_share(above | (std::uint32_t{1} << (2 * (k - 1))));
  mine.ready = true;
  mine.material = {};
  mine.theirs.clear();
}

const BitVector& ComparisonTree::lt(unsigned n) {
  need(n);
  return nodes_[n].lt;
}

std::size_t choice_bytes(const ShiftPlan& plan, std::size_t volumes) {
  std::size_t bits = 0;
  for (const auto& node : plan.comparison->nodes) bits += node.level == 0 ? node.bits : 0;
  return bits * bit_field_bytes(plan.count * volumes);
}

std::size_t digit_bytes(const ShiftPlan& plan, std::size_t volumes) {
  std::size_t bits = 0;
  for (const auto& node : plan.comparison->nodes) {
    if (node.level == 0) bits += ((std::size_t{1} << node.bits) - 1) * (node.eq ? 2 : 1);
  }
  return bits * bit_field_bytes(plan.count * volumes);
}

std::size_t level_bytes(const ShiftPlan& plan, unsigned level, std::size_t volumes) {
  std::size_t bits = 0;
  for (const auto& node : plan.comparison->nodes) bits += node.level == level ? node.and_inputs() : 0;
  return bits * bit_field_bytes(plan.count * volumes);
}

}  // namespace smpc
