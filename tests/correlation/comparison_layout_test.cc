#include "smpc/correlation/comparison.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>

#include "smpc/base/bits.h"

namespace smpc {
namespace {

class ComparisonLayouts : public ::testing::TestWithParam<Suite> {};

void check_layout(Suite suite, const ComparisonLayout& l, unsigned width, unsigned low, bool low_only) {
  SCOPED_TRACE(::testing::Message() << "width " << width << ", low " << low << (low_only ? ", low only" : ""));
  ASSERT_FALSE(l.nodes.empty());
  EXPECT_EQ(l.width, width);
  EXPECT_EQ(l.low, low);
  EXPECT_EQ(l.root_wanted, !low_only);
  const unsigned covered = low_only ? low : width;
  std::vector<unsigned> by(covered);  // digits that cover a bit
  std::vector<unsigned> parents(l.nodes.size());
  for (std::size_t n = 0; n < l.nodes.size(); ++n) {
    const ComparisonNode& node = l.nodes[n];
    ASSERT_GE(node.bits, 1U);
    ASSERT_LE(node.first_bit + node.bits, covered);
    if (node.children.empty()) {
      EXPECT_EQ(node.level, 0U);
      EXPECT_LE(node.bits, widest_digit);
      EXPECT_FALSE(low > 0 && node.first_bit < low && node.first_bit + node.bits > low) << "a digit across the boundary";
      for (unsigned b = 0; b < node.bits; ++b) ++by[node.first_bit + b];
      continue;
    }
    ASSERT_GE(node.children.size(), 2U);
    ASSERT_LE(node.children.size(), largest_arity);
    unsigned at = node.first_bit;
    unsigned level = 0;
    for (std::size_t i = 0; i < node.children.size(); ++i) {
      const unsigned c = node.children[i];
      ASSERT_LT(c, n) << "a child after its parent";
      ++parents[c];
      EXPECT_EQ(l.nodes[c].first_bit, at);
      at += l.nodes[c].bits;
      level = std::max(level, l.nodes[c].level);
      EXPECT_TRUE((i == 0 && !node.eq) || l.nodes[c].eq) << "eq is needed and not there";
    }
    EXPECT_EQ(at, node.first_bit + node.bits);
    EXPECT_EQ(node.level, level + 1);
  }
  EXPECT_EQ(std::count(by.begin(), by.end(), 1U), static_cast<std::ptrdiff_t>(covered));
  EXPECT_EQ(l.root().first_bit, 0U);
  EXPECT_EQ(l.root().bits, covered);
  EXPECT_FALSE(l.root().eq);
  EXPECT_EQ(l.root().select, suite == Suite::masked && 0 < low && low < width && !low_only);
  EXPECT_EQ(l.levels, l.root().level);
  for (std::size_t n = 0; n < l.nodes.size(); ++n) EXPECT_EQ(parents[n], n + 1 == l.nodes.size() ? 0U : 1U);
  if (low == 0) {
    EXPECT_EQ(l.low_node, -1);
  } else {
    ASSERT_GE(l.low_node, 0);
    const ComparisonNode& node = l.nodes[static_cast<std::size_t>(l.low_node)];
    EXPECT_EQ(node.first_bit, 0U);
    EXPECT_EQ(node.bits, low);
  }
}

TEST_P(ComparisonLayouts, CoversEveryWidthWithABoundaryAtLow) {
  for (unsigned width = 1; width <= 63; ++width) {
    for (unsigned low = 0; low <= width; ++low) {
      check_layout(GetParam(), comparison_layout(GetParam(), width, low), width, low, false);
      if (low > 0) check_layout(GetParam(), comparison_layout(GetParam(), width, low, true), width, low, true);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Suites, ComparisonLayouts, ::testing::Values(Suite::cryptflow2, Suite::masked),
                         [](const auto& suite) { return std::string(to_text(suite.param)); });

// Up to six digits, 24 bits, below are one level; what is above stands beside them as up to five groups of up to six.
TEST_P(ComparisonLayouts, UsualWidthsTakeTwoLevels) {
  for (unsigned low = 0; low <= largest_arity * widest_digit; ++low) {
    for (unsigned above = 1; low + above <= 63; ++above) {
      const ComparisonLayout l = comparison_layout(GetParam(), low + above, low);
      EXPECT_LE(l.levels, 2U) << low + above << ", low " << low;
      if (low > 0) {
        EXPECT_LE(l.nodes[static_cast<std::size_t>(l.low_node)].level, 1U) << low + above << ", low " << low;
      }
    }
  }
  EXPECT_EQ(comparison_layout(GetParam(), 64 - 1, 0).levels, 2U);
}

// The tree, evaluated in the clear as its nodes say: AND inputs and products included.
struct Bits {
  bool lt;
  bool eq;
};

Bits evaluate(const ComparisonNode& node, const std::vector<Bits>& of, std::uint64_t a, std::uint64_t b) {
  if (node.children.empty()) {
    const std::uint64_t mask = low_mask(node.bits);
    const std::uint64_t x = (a >> node.first_bit) & mask;
    const std::uint64_t y = (b >> node.first_bit) & mask;
    return {x < y, x == y};
  }
  const std::size_t k = node.children.size();
  Bits r = {of[node.children[k - 1]].lt, of[node.children[k - 1]].eq};
  for (std::size_t i = k - 1; i-- > 0;) {
    r.lt = r.lt != (r.eq && of[node.children[i]].lt);
    r.eq = r.eq && of[node.children[i]].eq;
  }
  return r;
}

TEST_P(ComparisonLayouts, TheTreeComparesAndSoDoesItsLowNode) {
  std::mt19937_64 rng(1);
  for (unsigned width = 1; width <= 63; ++width) {
    for (unsigned low = 0; low <= width; ++low) {
      const ComparisonLayout l = comparison_layout(GetParam(), width, low);
      for (int run = 0; run < 20; ++run) {
        const std::uint64_t a = rng() & low_mask(width);
        // Often close by: equal in most digits.
        const std::uint64_t b = run % 3 == 0 ? rng() & low_mask(width) : a ^ (std::uint64_t{run % 3 == 1} << rng() % width);
        std::vector<Bits> values;
        for (const ComparisonNode& node : l.nodes) values.push_back(evaluate(node, values, a, b));
        ASSERT_EQ(values.back().lt, a < b);
        if (low > 0) {
          ASSERT_EQ(values[static_cast<std::size_t>(l.low_node)].lt, (a & low_mask(low)) < (b & low_mask(low)));
        }
      }
    }
  }
}

// inputs: eq of children 1.., then lt of children 0..k-2, then (with eq) eq of child 0 or (with select) lt of the highest
// child ^ h. Every AND that lt, eq
// and d & lt of child 0 are made of must be computable from products over subsets of its inputs, all of which must be listed, once.
TEST(ComparisonLayout, AndsListEveryProductTheyNeedAndNoOther) {
  for (unsigned k = 2; k <= largest_arity; ++k) {
    for (const auto& [eq, select] : {std::pair(false, false), std::pair(true, false), std::pair(false, true)}) {
      ComparisonNode node;
      node.children.resize(k);
      node.eq = eq;
      node.select = select;
      ASSERT_EQ(node.and_inputs(), 2 * (k - 1) + (eq || select ? 1 : 0));
      const auto products = node.and_products();
      const std::set<std::uint32_t> listed(products.begin(), products.end());
      EXPECT_EQ(listed.size(), products.size());
      EXPECT_EQ(node.and_product_count(), products.size());
      std::set<std::uint32_t> needed;
      const auto need = [&](std::uint32_t all) {
        for (std::uint32_t s = 1; s <= all; ++s) {
          if ((s & ~all) == 0 && (s & (s - 1)) != 0) needed.insert(s);
        }
      };
      for (unsigned low = 0; low + 1 < k; ++low) {
        std::uint32_t all = 1U << (k - 1 + low);
        for (unsigned above = low + 1; above < k; ++above) all |= 1U << (above - 1);
        need(all);
        if (select) need(all | 1U << (k - 1));
      }
      if (select) need(1U << (2 * (k - 1)) | 1U << (k - 1));
      if (eq) need(((1U << (k - 1)) - 1) | (1U << (2 * (k - 1))));
      EXPECT_EQ(listed, needed) << k << (eq ? " with eq" : select ? " with select" : "");
      for (const std::uint32_t p : products) {
        unsigned factors = 0;
        for (std::uint32_t s = p; s != 0; s &= s - 1) ++factors;
        EXPECT_GE(factors, 2U);
        EXPECT_LE(factors, k);
        EXPECT_LT(p, 1U << node.and_inputs());
      }
    }
  }
}

}  // namespace
}  // namespace smpc
