#include "smpc/correlation/comparison.h"

#include <algorithm>
#include <set>
#include <tuple>

#include "smpc/base/error.h"

namespace smpc {
namespace {

unsigned ceil_div(unsigned a, unsigned b) { return (a + b - 1) / b; }

// A range of bits, built bottom up into `nodes`; returns the index of the node that covers it.
class Builder {
 public:
  explicit Builder(ComparisonLayout& layout) : nodes_(layout.nodes) {}

  // `digit` is the widest digit to use; up to `arity` digits become one node.
  unsigned range(unsigned first, unsigned bits, unsigned digit, unsigned arity) {
    return combine(digits(first, bits, digit), arity);
  }

  // The fewest levels over these nodes.
  unsigned combine(const std::vector<unsigned>& parts, unsigned arity = usual_arity) {
    if (parts.size() == 1) return parts.front();
    if (parts.size() <= arity) return parent(parts);
    unsigned per_group = usual_arity;
    while (per_group * usual_arity < parts.size()) per_group *= usual_arity;
    return parent(groups(parts, ceil_div(static_cast<unsigned>(parts.size()), per_group)));
  }

  unsigned parent(const std::vector<unsigned>& children) {
    ComparisonNode node;
    node.first_bit = nodes_[children.front()].first_bit;
    for (const unsigned c : children) {
      node.bits += nodes_[c].bits;
      node.level = std::max(node.level, nodes_[c].level + 1);
    }
    node.children = children;
    return add(node);
  }

  // The root when the low node must be one of its children: at most three groups stand above it.
  unsigned above_low(unsigned low_node, unsigned first, unsigned bits, unsigned digit) {
    const std::vector<unsigned> leaves = digits(first, bits, digit);
    const auto count = static_cast<unsigned>(leaves.size());
    unsigned per_group = 1;
    while (per_group * (usual_arity - 1) < count) per_group *= usual_arity;
    std::vector<unsigned> children{low_node};
    for (const unsigned g : groups(leaves, ceil_div(count, per_group))) children.push_back(g);
    return parent(children);
  }

 private:
  // Digits of at most `widest` bits, as even as they can be.
  std::vector<unsigned> digits(unsigned first, unsigned bits, unsigned widest) {
    std::vector<unsigned> leaves;
    const unsigned count = ceil_div(bits, widest);
    for (unsigned i = 0; i < count; ++i) {
      const unsigned size = bits / count + (i < bits % count ? 1 : 0);
      leaves.push_back(add({first, size, 0, false, {}}));
      first += size;
    }
    return leaves;
  }

  // `count` neighbouring groups, as even as they can be, each combined.
  std::vector<unsigned> groups(const std::vector<unsigned>& parts, unsigned count) {
    std::vector<unsigned> joined;
    std::size_t from = 0;
    for (unsigned g = 0; g < count; ++g) {
      const std::size_t size = parts.size() / count + (g < parts.size() % count ? 1 : 0);
      joined.push_back(combine({parts.begin() + static_cast<std::ptrdiff_t>(from),
                                parts.begin() + static_cast<std::ptrdiff_t>(from + size)}));
      from += size;
    }
    return joined;
  }

  unsigned add(ComparisonNode node) {
    nodes_.push_back(std::move(node));
    return static_cast<unsigned>(nodes_.size() - 1);
  }
  std::vector<ComparisonNode>& nodes_;
};

// eq is wanted of every child but the lowest, and of the lowest where its parent's is.
void mark_eq(ComparisonLayout& layout) {
  for (std::size_t n = layout.nodes.size(); n-- > 0;) {
    const ComparisonNode node = layout.nodes[n];
    for (std::size_t i = 0; i < node.children.size(); ++i) layout.nodes[node.children[i]].eq = i > 0 || node.eq;
  }
}

// The AND level after which everything the caller wants is there in the form it wants it: the low node's bit takes one
// level more, to become arithmetic.
unsigned depth(const ComparisonLayout& layout) {
  const unsigned low = layout.low_node < 0 ? 0 : layout.nodes[static_cast<unsigned>(layout.low_node)].level + 1;
  return std::max(layout.root().level, low);
}

std::size_t cost(const ComparisonLayout& layout) {
  std::size_t bits = 0;
  for (const ComparisonNode& node : layout.nodes) {
    if (node.level == 0) {
      const std::size_t message = node.eq ? 2 : 1;
      bits += node.bits + ((std::size_t{1} << node.bits) - 1) * message + message;
    } else {
      bits += 2 * node.and_inputs() + node.and_products().size();
    }
  }
  return bits;
}

ComparisonLayout build(unsigned width, unsigned low, bool low_only, unsigned low_digit, unsigned low_arity,
                       unsigned high_digit) {
  ComparisonLayout layout;
  layout.width = width;
  layout.low = low;
  Builder builder(layout);
  if (low == 0) {
    builder.range(0, width, high_digit, usual_arity);
  } else {
    layout.low_node = static_cast<int>(builder.range(0, low, low_digit, low_arity));
    if (!low_only && low < width) {
      builder.above_low(static_cast<unsigned>(layout.low_node), low, width - low, high_digit);
    }
  }
  layout.root_wanted = !low_only;
  mark_eq(layout);
  layout.levels = layout.root().level;
  return layout;
}

}  // namespace

unsigned ComparisonNode::and_inputs() const noexcept {
  const auto k = static_cast<unsigned>(children.size());
  return 2 * (k - 1) + (eq ? 1 : 0);
}

std::vector<std::uint32_t> ComparisonNode::and_products() const {
  SMPC_CHECK(children.size() >= 2);
  const auto k = static_cast<unsigned>(children.size());
  const auto eq_input = [](unsigned child) { return std::uint32_t{1} << (child - 1); };        // child >= 1
  const auto lt_input = [&](unsigned child) { return std::uint32_t{1} << (k - 1 + child); };   // child < k - 1
  std::vector<std::uint32_t> monomials;
  std::uint32_t above = 0;
  for (unsigned child = k - 1; child-- > 0;) {
    above |= eq_input(child + 1);
    monomials.push_back(above | lt_input(child));
  }
  if (eq) monomials.push_back(above | (std::uint32_t{1} << (2 * (k - 1))));
  std::set<std::uint32_t> subsets;
  for (const std::uint32_t m : monomials) {
    for (std::uint32_t s = m; s != 0; s = (s - 1) & m) {
      if ((s & (s - 1)) != 0) subsets.insert(s);  // two inputs at least
    }
  }
  return {subsets.begin(), subsets.end()};
}

ComparisonLayout comparison_layout(unsigned width, unsigned low, bool low_only) {
  SMPC_CHECK(width >= 1 && width <= 63 && low <= width && (low > 0 || !low_only));
  ComparisonLayout best;
  const auto rank = [](const ComparisonLayout& l) { return std::tuple(depth(l), cost(l)); };
  const auto consider = [&](ComparisonLayout candidate) {
    if (best.nodes.empty() || rank(candidate) < rank(best)) best = std::move(candidate);
  };
  for (unsigned high = 1; high <= widest_digit; ++high) {
    if (low == 0) {
      consider(build(width, low, low_only, high, usual_arity, high));
      continue;
    }
    for (unsigned digit = 1; digit <= widest_digit; ++digit) {
      for (unsigned arity = usual_arity; arity <= largest_arity; ++arity) {
        consider(build(width, low, low_only, digit, arity, high));
      }
    }
  }
  return best;
}

}  // namespace smpc
