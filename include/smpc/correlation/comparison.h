// How a comparison of two private numbers is cut into digits and put together again. Public, and a function of widths
// alone: the dealer, both parties and the cost estimate read the same layout.
//
// Source: Rathee et al., CrypTFlow2 (CCS 2020), section 3.1 and Algorithm 2: lt = lt_hi ^ (eq_hi & lt_lo),
// eq = eq_hi & eq_lo. Here up to six neighbours are combined at one level, which halves the depth and more.
//
// [a < b] over `width` bits is wanted, and, when 0 < low < width, also [a mod 2^low < b mod 2^low]: a digit boundary
// falls at bit `low`, and the bits below it have a node of their own, the root's first child.
#pragma once

#include <cstdint>
#include <vector>

#include "smpc/program/program.h"

namespace smpc {

constexpr unsigned largest_arity = 6;  // children of a node
constexpr unsigned widest_digit = 4;   // bits

// A node covers a range of bits; a digit is a leaf. Children are in order from the lowest bits to the highest.
struct ComparisonNode {
  unsigned first_bit = 0;
  unsigned bits = 0;
  unsigned level = 0;               // 0: a digit; else the AND level at which it is computed, 1, 2, ...
  bool eq = false;                  // whether [a = b] over its bits is wanted beside [a < b]
  bool select = false;              // of a root: whether d & lt of its lowest child is wanted, d = lt ^ h, any bit h
  std::vector<unsigned> children;   // indices; empty for a digit

  // As an AND over its children: inputs are eq of every child but the lowest, then lt of every child but the highest,
  // then (with eq) eq of the lowest or (with select) lt of the highest ^ h; products are
  // the subsets of inputs, as bit masks, whose corrections its outputs need.
  unsigned and_inputs() const noexcept;
  std::vector<std::uint32_t> and_products() const;
  unsigned and_product_count() const noexcept;  // how many, without listing them
};

struct ComparisonLayout {
  unsigned width = 0;
  unsigned low = 0;
  std::vector<ComparisonNode> nodes;  // children before parents; the last is the root
  unsigned levels = 0;                // AND levels
  int low_node = -1;                  // the node of the low bits, or -1 when low is 0
  bool root_wanted = true;            // false when only the low bits are compared

  const ComparisonNode& root() const { return nodes.back(); }
};

// The layout with the fewest levels, then the fewest bits sent and stored, counted alike, among all trees of digits and
// nodes as above. 1 <= width <= 63, low <= width. With 0 < low < width the low node is ready one level before the last.
// `low_only`: nothing above `low` is compared.
//
// In suite cryptflow2 digits cost bits sent, and a low node that is the root costs one level more, since its bit must
// be opened before the product. In suite masked a digit of m bits costs 2^m - 1 - m bits stored, and the root selects.
ComparisonLayout comparison_layout(Suite suite, unsigned width, unsigned low, bool low_only = false);

}  // namespace smpc
