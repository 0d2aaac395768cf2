#include "and_tree.h"

#include <algorithm>
#include <array>
#include <bit>

#include "smpc/base/error.h"

namespace smpc {
namespace {

constexpr std::size_t block_words = 32;
constexpr unsigned most_factors = largest_arity;

// A node's ANDs: u_i open, masks and products shared.
class Products {
 public:
  Products(Party party, const std::vector<BitVector>& open, const AndShare& material,
           std::span<const std::uint32_t> products)
      : party_(party), open_(open), material_(material), products_(products) {}

  // sum ^= the product over the inputs in `set`. The subsets' table is folded once per input i:
  // A[T] becomes u_i A[T] ^ A[T + i].
  void add(std::uint32_t set, BitVector& sum) const {
    std::array<unsigned, most_factors> inputs{};
    unsigned factors = 0;
    for (std::uint32_t s = set; s != 0; s &= s - 1) inputs.at(factors++) = static_cast<unsigned>(std::countr_zero(s));
    std::array<const std::uint64_t*, 1U << most_factors> table{};
    for (std::size_t t = 1; t < std::size_t{1} << factors; ++t) table[t] = share_of(inputs, t);
    const std::span<std::uint64_t> out = sum.words();
    std::array<std::array<std::uint64_t, block_words>, 1U << (most_factors - 1)> a;
    for (std::size_t from = 0; from < out.size(); from += block_words) {
      const std::size_t n = std::min(block_words, out.size() - from);
      unsigned j = factors - 1;
      std::size_t half = std::size_t{1} << j;
      const std::uint64_t* u = open_[inputs[j]].words().data() + from;
      const std::uint64_t one = party_ == Party::server ? ~std::uint64_t{0} : 0;
      for (std::size_t i = 0; i < n; ++i) a[0][i] = (u[i] & one) ^ table[half][from + i];
      for (std::size_t t = 1; t < half; ++t) {
        const std::uint64_t* low = table[t] + from;
        const std::uint64_t* high = table[t + half] + from;
        for (std::size_t i = 0; i < n; ++i) a[t][i] = (u[i] & low[i]) ^ high[i];
      }
      while (j-- > 0) {
        half = std::size_t{1} << j;
        u = open_[inputs[j]].words().data() + from;
        for (std::size_t t = 0; t < half; ++t) {
          for (std::size_t i = 0; i < n; ++i) a[t][i] = (u[i] & a[t][i]) ^ a[t + half][i];
        }
      }
      for (std::size_t i = 0; i < n; ++i) out[from + i] ^= a[0][i];
    }
    for (std::size_t t = 0; 2 * t < std::size_t{1} << factors; ++t) wipe(std::span<std::uint64_t>(a[t]));
  }

 private:
  // The share of the product of the masks of the inputs that `t` picks.
  const std::uint64_t* share_of(const std::array<unsigned, most_factors>& inputs, std::size_t t) const {
    std::uint32_t set = 0;
    for (unsigned j = 0; j < most_factors; ++j) set |= ((t >> j) & 1) != 0 ? std::uint32_t{1} << inputs.at(j) : 0;
    if (std::has_single_bit(set)) {
      return material_.masks[static_cast<std::size_t>(std::countr_zero(set))].words().data();
    }
    const auto at = std::lower_bound(products_.begin(), products_.end(), set);
    SMPC_CHECK(at != products_.end() && *at == set);
    return material_.products[static_cast<std::size_t>(at - products_.begin())].words().data();
  }

  Party party_;
  const std::vector<BitVector>& open_;
  const AndShare& material_;
  std::span<const std::uint32_t> products_;
};

}  // namespace

AndTree::AndTree(const ShiftPlan& plan, CorrelationSource& source)
    : layout_(*plan.comparison),
      party_(source.party()),
      count_(plan.count * source.volumes()),
      nodes_(layout_.nodes.size()) {
  for (unsigned n = 0; n < nodes_.size(); ++n) {
    if (layout_.nodes[n].level > 0) nodes_[n].material = source.and_share(plan.node_demands[n]);
  }
}

void AndTree::set_digit(unsigned node, BitVector lt, BitVector eq) {
  nodes_[node].lt = std::move(lt);
  nodes_[node].eq = std::move(eq);
  nodes_[node].ready = true;
}

// Shares of an AND's inputs, in the order of ComparisonNode.
std::vector<BitVector> AndTree::inputs_of(unsigned n) const {
  const ComparisonNode& node = layout_.nodes[n];
  const auto& c = node.children;
  std::vector<BitVector> in;
  in.reserve(node.and_inputs());
  for (std::size_t i = 1; i < c.size(); ++i) in.push_back(nodes_[c[i]].eq);
  for (std::size_t i = 0; i + 1 < c.size(); ++i) in.push_back(nodes_[c[i]].lt);
  if (node.eq) in.push_back(nodes_[c[0]].eq);
  if (node.select) in.push_back(nodes_[c.back()].lt ^ sign_);
  return in;
}

void AndTree::send_level(unsigned level, FieldWriter& out) {
  for (unsigned n = 0; n < nodes_.size(); ++n) {
    if (layout_.nodes[n].level != level) continue;
    for (const unsigned c : layout_.nodes[n].children) lt(c);
    std::vector<BitVector> in = inputs_of(n);
    for (std::size_t i = 0; i < in.size(); ++i) {
      in[i] ^= nodes_[n].material.masks[i];
      out.bits(in[i]);
    }
    // The peer's may have come before.
    auto& open = nodes_[n].open;
    if (open.empty()) {
      open = std::move(in);
    } else {
      for (std::size_t i = 0; i < in.size(); ++i) open[i] ^= in[i];
    }
  }
}

void AndTree::receive_level(unsigned level, FieldReader& in) {
  for (unsigned n = 0; n < nodes_.size(); ++n) {
    if (layout_.nodes[n].level != level) continue;
    auto& open = nodes_[n].open;
    const bool mine_first = !open.empty();
    for (unsigned i = 0; i < layout_.nodes[n].and_inputs(); ++i) {
      if (mine_first) {
        open[i] ^= in.bits(count_);
      } else {
        open.push_back(in.bits(count_));
      }
    }
  }
}

void AndTree::combine(unsigned n) {
  const ComparisonNode& node = layout_.nodes[n];
  Node& mine = nodes_[n];
  SMPC_CHECK(node.level > 0 && mine.open.size() == node.and_inputs());
  const std::vector<std::uint32_t> listed = node.and_products();
  const Products products(party_, mine.open, mine.material, listed);
  const auto k = static_cast<unsigned>(node.children.size());
  const auto lt_input = [&](unsigned child) { return std::uint32_t{1} << (k - 1 + child); };
  const std::uint32_t last_input = std::uint32_t{1} << (2 * (k - 1));
  mine.lt = nodes_[node.children.back()].lt;
  if (node.select) {
    mine.selected = BitVector(count_);
    products.add(lt_input(0) | last_input, mine.selected);
  }
  std::uint32_t above = 0;
  for (unsigned child = k - 1; child-- > 0;) {
    above |= std::uint32_t{1} << child;  // eq of child + 1
    products.add(above | lt_input(child), mine.lt);
    if (node.select) products.add(above | lt_input(child) | lt_input(0), mine.selected);
  }
  if (node.eq) {
    mine.eq = BitVector(count_);
    products.add(above | last_input, mine.eq);
  }
  mine.ready = true;
  mine.material = {};
  mine.open.clear();
}

const BitVector& AndTree::lt(unsigned n) {
  if (!nodes_[n].ready) combine(n);
  return nodes_[n].lt;
}

const BitVector& AndTree::selected() {
  root_lt();
  return nodes_.back().selected;
}

std::size_t level_bytes(const ShiftPlan& plan, unsigned level, std::size_t volumes) {
  std::size_t bits = 0;
  for (const auto& node : plan.comparison->nodes) bits += node.level == level && level > 0 ? node.and_inputs() : 0;
  return bits * bit_field_bytes(plan.count * volumes);
}

}  // namespace smpc
