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

  // `digit` is the widest digit to use.
  unsigned range(unsigned first, unsigned bits, unsigned digit) {
    std::vector<unsigned> leaves;
    const unsigned count = ceil_div(bits, digit);
    for (unsigned i = 0; i < count; ++i) {
      const unsigned size = bits / count + (i < bits % count ? 1 : 0);
      leaves.push_back(add({first, size, 0, false, {}}));
      first += size;
    }
    return combine(leaves);
  }

  // The fewest levels over these nodes, groups as even as they can be.
  unsigned combine(const std::vector<unsigned>& parts) {
    if (parts.size() == 1) return parts.front();
    if (parts.size() <= longest_and) return parent(parts);
    unsigned per_group = longest_and;
    while (per_group * longest_and < parts.size()) per_group *= longest_and;
    const auto groups = ceil_div(static_cast<unsigned>(parts.size()), per_group);
    std::vector<unsigned> joined;
    std::size_t from = 0;
    for (unsigned g = 0; g < groups; ++g) {
      const std::size_t size = parts.size() / groups + (g < parts.size() % groups ? 1 : 0);
      joined.push_back(combine({parts.begin() + static_cast<std::ptrdiff_t>(from),
                                parts.begin() + static_cast<std::ptrdiff_t>(from + size)}));
      from += size;
    }
    return parent(joined);
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

  // The root's children when the low node must be one of them: at most three groups stand above it.
  unsigned above_low(unsigned low_node, unsigned first, unsigned bits, unsigned digit) {
    std::vector<unsigned> leaves;
    const unsigned count = ceil_div(bits, digit);
    for (unsigned i = 0; i < count; ++i) {
      const unsigned size = bits / count + (i < bits % count ? 1 : 0);
      leaves.push_back(add({first, size, 0, false, {}}));
      first += size;
    }
    unsigned per_group = 1;
    while (per_group * (longest_and - 1) < count) per_group *= longest_and;
    const unsigned groups = ceil_div(count, per_group);
    std::vector<unsigned> children{low_node};
    std::size_t from = 0;
    for (unsigned g = 0; g < groups; ++g) {
      const std::size_t size = count / groups + (g < count % groups ? 1 : 0);
      children.push_back(combine({leaves.begin() + static_cast<std::ptrdiff_t>(from),
                                  leaves.begin() + static_cast<std::ptrdiff_t>(from + size)}));
      from += size;
    }
    return parent(children);
  }

 private:
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

ComparisonLayout build(unsigned width, unsigned low, bool low_only, unsigned low_digit, unsigned high_digit) {
  ComparisonLayout layout;
  layout.width = width;
  layout.low = low;
  Builder builder(layout);
  if (low == 0) {
    builder.range(0, width, high_digit);
  } else {
    layout.low_node = static_cast<int>(builder.range(0, low, low_digit));
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
  for (unsigned low_digit = 1; low_digit <= (low > 0 ? widest_digit : 1); ++low_digit) {
    for (unsigned high_digit = 1; high_digit <= widest_digit; ++high_digit) {
      auto candidate = build(width, low, low_only, low_digit, high_digit);
      const auto rank = [](const ComparisonLayout& l) { return std::tuple(depth(l), cost(l)); };
      if (best.nodes.empty() || rank(candidate) < rank(best)) best = std::move(candidate);
    }
  }
  return best;
}

}  // namespace smpc
