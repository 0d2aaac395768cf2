// What correlated randomness a program consumes, for one inference of one volume. A function of the program alone.
#pragma once

#include <cstdint>
#include <optional>
#include <variant>
#include <vector>

#include "smpc/correlation/comparison.h"
#include "smpc/program/program.h"

namespace smpc {

// ---- The types. Each is defined by what the two parties end up holding; all values are uniform but for the relation.

struct BitRange {
  unsigned first = 0;
  unsigned bits = 0;
};

// Random 1-of-N OT: the server holds N = 2^choice_bits strings of message_bits bits, the client an index and its string.
struct OtDemand {
  std::size_t count;
  unsigned choice_bits;
  unsigned message_bits;
};

// Masks a_i of `inputs` private bits (at most 2 * largest_arity - 1), XOR-shared, and shares of the product
// of a_i over each subset in `products` (a bit mask over the inputs, two or more).
struct AndDemand {
  std::size_t count;
  unsigned inputs;
  std::vector<std::uint32_t> products;
};

// A bit, XOR-shared and shared in the ring.
struct SharedBitDemand {
  std::size_t count;
  Ring ring;
};

// A bit, XOR-shared and shared in the ring; a ring element, shared; their product, shared.
struct BitProductDemand {
  std::size_t count;
  Ring ring;
};

// A bit of each party's own, and their product shared in the ring.
struct PrivateBitsDemand {
  std::size_t count;
  Ring ring;
};

// For the masked opening of x: r, XOR-shared bit by bit, and what is wanted of it.
//   r: shared in `ring`, unless x comes with it (`carried`, see LinearDemand::opening)
//   thermometers: for each digit r_i of r, the bits [v < r_i], 0 <= v < 2^bits - 1, XOR-shared
//   shift, out, top: r >> shift, shared in `out`; the highest bit of r, shared in `top` (0 bits: not wanted)
//   select: a bit delta, XOR-shared, and delta, delta (r >> shift), delta msb r, shared in out, out, top
struct OpeningDemand {
  std::size_t count;
  Ring ring;
  std::vector<BitRange> digits;
  unsigned shift = 0;
  Ring out{0};  // 0 bits: r alone
  Ring top{0};
  bool select = false;
  bool carried = false;
};

// Of all digits of an element: those of the thermometers, and those among them that need a correction, since the bits of
// r itself give one for each power of two.
std::size_t thermometer_bits(const OpeningDemand& d) noexcept;
std::size_t corrected_thermometer_bits(const OpeningDemand& d) noexcept;

// b (the client's) and A b = (A b - r) + r, with r the server's; A is fixed for the weights (masks.h). With `opening`,
// A b and the mask of that demand are shared instead of A b alone, so that the result can be opened as it is.
struct LinearDemand {
  std::size_t linear;  // which of the program's linear maps
  std::size_t inputs;
  std::size_t outputs;
  Ring ring;
  std::optional<std::size_t> opening = {};
  std::optional<ConvShape> conv = {};  // none: the map is a matrix of outputs x inputs
  std::size_t biases_before = 0;       // of the server's weights, `linear` maps and so many biases stand before its own

  // Of the matrix that holds the map.
  std::size_t rows() const noexcept { return conv ? conv->rows() : outputs; }
  std::size_t columns() const noexcept { return conv ? conv->columns() : inputs; }
};

// Two masks a and b, shared in `ring`, and their product, shared.
struct ProductDemand {
  ProductOp shape;
  Ring ring;
};

// r in Z_{2^bits}, shared, and its one-hot vector [v = r], v = 0 .. 2^bits - 1, shared in `ring`.
struct LookupDemand {
  std::size_t count;
  unsigned bits;
  Ring ring;
  std::size_t entries() const noexcept { return count << bits; }
};

using Demand = std::variant<OtDemand, AndDemand, SharedBitDemand, BitProductDemand, PrivateBitsDemand, LinearDemand,
                            OpeningDemand, ProductDemand, LookupDemand>;

// ---- Who uses which: numbers are indices into Plan::demands.

struct LinearPlan {
  std::size_t linear = 0;   // which of the program's linear maps
  std::size_t weights = 0;  // which of the server's weights
  std::size_t demand = 0;
};

struct LookupPlan {
  std::size_t demand = 0;
};

// Each party does it on its shares. BiasOp alone has weights, which the server adds.
struct LocalPlan {
  std::size_t weights = 0;
};

struct ProductPlan {
  std::size_t demand = 0;
};

// ReLU with its shift, or (signed) truncation, or a sign alone. carry, wrap and product are of suite
// cryptflow2; opening and low_bit are of suite masked, where a digit's demand is the opening.
struct ShiftPlan {
  enum class What { relu, truncate, sign };
  Suite suite = Suite::cryptflow2;
  What what = What::relu;
  std::size_t count = 0;
  Ring in;
  Ring out;
  unsigned shift = 0;
  std::optional<ComparisonLayout> comparison;  // none: a truncation by 0 bits, or a result that is always 0
  std::vector<std::size_t> node_demands;       // one per node of the layout
  std::optional<std::size_t> carry;            // SharedBit, for the carry of the low bits
  Ring wrap_ring{0};                           // of the wrap term: 0 bits when it vanishes
  std::optional<std::size_t> wrap;             // PrivateBits
  std::optional<std::size_t> product;          // BitProduct, for the ReLU's selection
  std::optional<std::size_t> opening;          // Opening, of X = x + r
  std::optional<std::size_t> low_bit;          // SharedBit, for d & c of a ReLU or c of a truncation

  unsigned tree_levels() const noexcept { return comparison ? comparison->levels : 0; }
};

// One round halves the candidates: pairs (0,1), (2,3), ...; an odd one passes.
struct ArgMaxRound {
  std::size_t pairs = 0;
  bool odd = false;
  ShiftPlan compare;
  std::optional<std::size_t> select_index;  // AND of [left >= right] with each index bit that is not public
};
struct ArgMaxPlan {
  std::vector<ArgMaxRound> rounds;
};

// A sign, then its bit shared in the ring.
struct StepPlan {
  ShiftPlan compare;
  std::size_t bit = 0;  // SharedBit
};

using OpPlan = std::variant<LinearPlan, ShiftPlan, ArgMaxPlan, LocalPlan, ProductPlan, StepPlan, LookupPlan>;

struct Plan {
  std::vector<OpPlan> ops;  // one per op of the program
  std::vector<Demand> demands;
  std::vector<std::size_t> offsets;  // of each demand's corrections in a bundle, in bytes; one more for the end
  std::size_t correction_bytes() const noexcept { return offsets.back(); }
};

// Bytes of the corrections that a client needs for a demand.
std::size_t correction_bytes(const Demand& demand);

Plan correlation_plan(const Program& program);

}  // namespace smpc
