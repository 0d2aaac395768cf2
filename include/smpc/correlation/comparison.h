// How a comparison of two private numbers is cut into digits and put together again. Public, and a function of widths
// alone: the dealer, both parties and the cost estimate read the same layout.
//
// Source: Rathee et al., CrypTFlow2 (CCS 2020), section 3.1 and Algorithm 2: lt = lt_hi ^ (eq_hi & lt_lo),
// eq = eq_hi & eq_lo. Here up to four neighbours are combined at one level, which halves the depth; the low bits may take
// up to six digits in one level, where that saves a level (a k-ary node costs about 1.5 * 2^k bits of correction).
//
// [a < b] over `width` bits is wanted, and, when 0 < low < width, also [a mod 2^low < b mod 2^low]: a digit boundary
// falls at bit `low`, and the digits below it have a node of their own in the same tree.
#pragma once

#include <cstdint>
#include <vector>

namespace smpc {

constexpr unsigned usual_arity = 4;    // children of a node
constexpr unsigned largest_arity = 6;  // of the low bits' node
constexpr unsigned widest_digit = 4;   // bits

// A node covers a range of bits; a digit is a leaf. Children are in order from the lowest bits to the highest.
struct ComparisonNode {
  unsigned first_bit = 0;
  unsigned bits = 0;
  unsigned level = 0;               // 0: a digit; else the AND level at which it is computed, 1, 2, ...
  bool eq = false;                  // whether [a = b] over its bits is wanted beside [a < b]
  std::vector<unsigned> children;   // indices; empty for a digit

  // As an AND over its children: inputs are eq of every child but (without eq) the lowest, then lt of every child but
  // the highest; products are the subsets of inputs, as bit masks, whose corrections its outputs need.
  unsigned and_inputs() const noexcept;
  std::vector<std::uint32_t> and_products() const;
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

// The layout with the fewest levels, then the fewest bits sent. 1 <= width <= 63, low <= width. With low > 0 the low
// node is ready one level before the last, or the product that follows must wait one level more.
// `low_only`: nothing above `low` is compared.
ComparisonLayout comparison_layout(unsigned width, unsigned low, bool low_only = false);

}  // namespace smpc
