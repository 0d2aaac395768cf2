#include "smpc/correlation/comparison.h"

#include <algorithm>
#include <array>
#include <limits>
#include <set>

#include "smpc/base/error.h"

namespace smpc {
namespace {

constexpr unsigned widest = 63;
constexpr unsigned unreachable = std::numeric_limits<unsigned>::max() / 16;

// Bits sent, both ways, and stored for a digit.
unsigned digit_cost(Suite suite, unsigned bits, bool eq) {
  const unsigned others = (1U << bits) - 1;
  const unsigned message = eq ? 2 : 1;
  return suite == Suite::masked ? others - bits : bits + others * message + message;
}

// The same for the AND of a node.
unsigned node_cost(unsigned arity, bool eq, bool select) {
  ComparisonNode node;
  node.children.resize(arity);
  node.eq = eq;
  node.select = select;
  return 2 * node.and_inputs() + node.and_product_count();
}

// Dynamic programming over (levels, bits): the cheapest tree over so many bits that is ready after so many levels.
class Search {
 public:
  Search(Suite suite, unsigned most_bits) : suite_(suite), most_bits_(most_bits) {
    for (unsigned k = 2; k <= largest_arity; ++k) {
      for (const bool eq : {false, true}) node_cost_[eq][k] = node_cost(k, eq, false);
    }
    add_level();
  }

  // One level more than there are; the first has digits alone.
  void add_level() {
    const auto level = static_cast<unsigned>(tree_.size());
    auto& tree = tree_.emplace_back();
    for (unsigned bits = 1; bits <= most_bits_; ++bits) {
      for (const bool eq : {false, true}) tree[eq][bits] = cheapest(level, eq, bits);
    }
    auto& rest = rest_.emplace_back();
    for (unsigned bits = 1; bits <= most_bits_; ++bits) rest[1][bits] = {tree[true][bits].cost, bits};
    for (unsigned k = 2; k < largest_arity; ++k) {
      for (unsigned bits = 1; bits <= most_bits_; ++bits) rest[k][bits] = cheapest_rest(level, k, bits);
    }
  }
  unsigned levels() const noexcept { return static_cast<unsigned>(tree_.size()) - 1; }

  bool reaches(unsigned level, unsigned bits) const { return tree_[level][false][bits].cost < unreachable; }

  // Appends the tree over [first, first + bits) to `nodes`; returns its root.
  unsigned build(std::vector<ComparisonNode>& nodes, unsigned level, bool eq, unsigned first, unsigned bits) const {
    const Tree& t = tree_[level][eq][bits];
    SMPC_CHECK(t.cost < unreachable);
    if (t.arity == 0) return add(nodes, {first, bits, 0, eq, false, {}});
    if (t.arity == 1) return build(nodes, level - 1, eq, first, bits);
    const unsigned lowest = build(nodes, level - 1, eq, first, t.first);
    return join(nodes, level, lowest, t.arity, bits - t.first, eq, false);
  }

  // A root whose first child covers [0, low), at `level`.
  bool root_reaches(unsigned level, unsigned low, unsigned above) const {
    return reaches(level - 1, low) && best_arity(level, above, false) > 0;
  }
  void build_root(ComparisonLayout& layout, unsigned level, bool select) const {
    const unsigned above = layout.width - layout.low;
    const unsigned lowest = build(layout.nodes, level - 1, false, 0, layout.low);
    layout.low_node = static_cast<int>(lowest);
    join(layout.nodes, level, lowest, best_arity(level, above, select), above, false, select);
  }

 private:
  struct Tree {
    unsigned cost = unreachable;
    unsigned arity = 0;  // 0: a digit; 1: the tree of one level less
    unsigned first = 0;  // bits of the lowest child
  };
  struct Rest {
    unsigned cost = unreachable;
    unsigned first = 0;
  };

  Tree cheapest(unsigned level, bool eq, unsigned bits) const {
    Tree best;
    if (bits <= widest_digit) best.cost = digit_cost(suite_, bits, eq);
    if (level == 0) return best;
    const auto consider = [&](Tree t) {
      if (t.cost < best.cost) best = t;
    };
    consider({tree_[level - 1][eq][bits].cost, 1, 0});
    for (unsigned k = 2; k <= largest_arity; ++k) {
      for (unsigned first = 1; first < bits; ++first) {
        consider({tree_[level - 1][eq][first].cost + rest_[level - 1][k - 1][bits - first].cost + node_cost_[eq][k], k,
                  first});
      }
    }
    return best;
  }

  // `count` neighbours, every one with eq.
  Rest cheapest_rest(unsigned level, unsigned count, unsigned bits) const {
    Rest best;
    for (unsigned first = 1; first < bits; ++first) {
      const unsigned cost = tree_[level][true][first].cost + rest_[level][count - 1][bits - first].cost;
      if (cost < best.cost) best = {cost, first};
    }
    return best;
  }

  // Children of a root whose first is given; 0: it cannot be.
  unsigned best_arity(unsigned level, unsigned above, bool select) const {
    unsigned best = 0;
    unsigned best_cost = unreachable;
    for (unsigned k = 2; k <= largest_arity; ++k) {
      const unsigned cost = rest_[level - 1][k - 1][above].cost + node_cost(k, false, select);
      if (cost < best_cost) {
        best_cost = cost;
        best = k;
      }
    }
    return best;
  }

  unsigned join(std::vector<ComparisonNode>& nodes, unsigned level, unsigned lowest, unsigned arity, unsigned bits,
                bool eq, bool select) const {
    ComparisonNode node{nodes[lowest].first_bit, nodes[lowest].bits, 0, eq, select, {lowest}};
    for (unsigned left = arity - 1; left > 0; --left) {
      const unsigned first = rest_[level - 1][left][bits].first;
      node.children.push_back(build(nodes, level - 1, true, node.first_bit + node.bits, first));
      node.bits += first;
      bits -= first;
    }
    for (const unsigned c : node.children) node.level = std::max(node.level, nodes[c].level + 1);
    return add(nodes, std::move(node));
  }

  static unsigned add(std::vector<ComparisonNode>& nodes, ComparisonNode node) {
    nodes.push_back(std::move(node));
    return static_cast<unsigned>(nodes.size() - 1);
  }

  Suite suite_;
  std::array<std::array<unsigned, largest_arity + 1>, 2> node_cost_{};
  unsigned most_bits_;
  std::vector<std::array<std::array<Tree, widest + 1>, 2>> tree_;                // by level, eq, bits
  std::vector<std::array<std::array<Rest, widest + 1>, largest_arity>> rest_;  // by level, children, bits
};

}  // namespace

unsigned ComparisonNode::and_inputs() const noexcept {
  const auto k = static_cast<unsigned>(children.size());
  return 2 * (k - 1) + (eq || select ? 1 : 0);
}

// With lt of child i: 2^(k-1-i) - 1 products, one for each choice of the eq above it; of eq alone: 2^(k-1) - k. The
// last input adds 2^(k-1) - 1.
unsigned ComparisonNode::and_product_count() const noexcept {
  const auto k = static_cast<unsigned>(children.size());
  const unsigned half = 1U << (k - 1);
  return 3 * half - 2 * k - 1 + (eq || select ? half - 1 : 0);
}

std::vector<std::uint32_t> ComparisonNode::and_products() const {
  SMPC_CHECK(children.size() >= 2 && !(eq && select));
  const auto k = static_cast<unsigned>(children.size());
  const auto eq_input = [](unsigned child) { return std::uint32_t{1} << (child - 1); };       // child >= 1
  const auto lt_input = [&](unsigned child) { return std::uint32_t{1} << (k - 1 + child); };  // child < k - 1
  const std::uint32_t last_input = std::uint32_t{1} << (2 * (k - 1));
  std::vector<std::uint32_t> monomials;
  std::uint32_t above = 0;
  for (unsigned child = k - 1; child-- > 0;) {
    above |= eq_input(child + 1);
    monomials.push_back(above | lt_input(child) | (select ? lt_input(0) : 0));
  }
  if (eq) monomials.push_back(above | last_input);
  if (select) monomials.push_back(lt_input(0) | last_input);
  std::set<std::uint32_t> subsets;
  for (const std::uint32_t m : monomials) {
    for (std::uint32_t s = m; s != 0; s = (s - 1) & m) {
      if ((s & (s - 1)) != 0) subsets.insert(s);  // two inputs at least
    }
  }
  return {subsets.begin(), subsets.end()};
}

ComparisonLayout comparison_layout(Suite suite, unsigned width, unsigned low, bool low_only) {
  SMPC_CHECK(width >= 1 && width <= widest && low <= width && (low > 0 || !low_only));
  ComparisonLayout layout;
  layout.width = width;
  layout.low = low;
  layout.root_wanted = !low_only;
  const bool split = low > 0 && low < width && !low_only;
  const unsigned bits = low_only ? low : width;
  Search search(suite, bits);
  if (split) {
    while (!search.root_reaches(search.levels() + 1, low, width - low)) search.add_level();
    search.build_root(layout, search.levels() + 1, suite == Suite::masked);
  } else {
    while (!search.reaches(search.levels(), bits)) search.add_level();
    const unsigned root = search.build(layout.nodes, search.levels(), false, 0, bits);
    if (low > 0) layout.low_node = static_cast<int>(root);
  }
  layout.levels = layout.root().level;
  return layout;
}

}  // namespace smpc
