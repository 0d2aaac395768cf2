// The compiled artefact: what both parties execute. It is public. It knows neither ONNX nor sockets, and holds no weight.
//
// A program is a chain: tensor 0 is the client's input, op i reads tensor i and writes tensor i + 1. Tensors are
// vectors of fixed-point values (scale f) shared in a ring of their own width. Where a public mask is declared, tensor 0
// holds the elements inside it alone, in order; the client refuses an input that is not zero outside.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "smpc/base/digest.h"
#include "smpc/base/grid.h"
#include "smpc/ring/ring.h"

namespace smpc {

// real = signed(element) / 2^scale
struct TensorType {
  std::size_t count = 0;
  int scale = 0;
  Ring ring;
  friend bool operator==(const TensorType&, const TensorType&) = default;
};

// y = W x + bias, W being `outputs x inputs` and the server's; the result is the accumulator, at the sum of the scales.
struct LinearOp {
  std::size_t inputs = 0;
  std::size_t outputs = 0;
  friend bool operator==(const LinearOp&, const LinearOp&) = default;
};

// y = max(x, 0) >> shift, exact; y may be shared in another ring. 0 <= shift < ring bits of x.
struct ReluOp {
  unsigned shift = 0;
  friend bool operator==(const ReluOp&, const ReluOp&) = default;
};

// y = x >> shift (arithmetic), exact for -2^(l-2) <= x < 2^(l-2); y may be shared in another ring. shift <= l - 2.
struct TruncateOp {
  unsigned shift = 0;
  friend bool operator==(const TruncateOp&, const TruncateOp&) = default;
};

// y = the index of the largest element, the lowest where several are: one public number for the client.
// Differences of two elements must fit the ring.
struct ArgMaxOp {
  friend bool operator==(const ArgMaxOp&, const ArgMaxOp&) = default;
};

// Bits that an index below `count` needs, at least one.
unsigned index_bits(std::size_t count) noexcept;

using OpKind = std::variant<LinearOp, ReluOp, TruncateOp, ArgMaxOp>;

struct Op {
  std::string name;  // of the node it comes from
  OpKind kind;
  friend bool operator==(const Op&, const Op&) = default;
};

enum class Reveal : std::uint8_t { label = 0, logits = 1 };
enum class Suite : std::uint8_t { cryptflow2 = 0, masked = 1 };

std::string_view to_text(Reveal reveal) noexcept;
std::string_view to_text(Suite suite) noexcept;
std::string_view op_name(const OpKind& kind) noexcept;

struct Program {
  Suite suite = Suite::cryptflow2;
  Reveal reveal = Reveal::label;
  std::vector<std::size_t> input_shape;  // without the batch dimension
  double input_range = 0;                // the client refuses a value beyond +-input_range
  double input_norm = 0;                 // and a volume of larger Euclidean norm; 0: no such limit
  std::optional<Grid> grid;              // absent: the input is no image
  Bytes input_mask;                      // bit i (the lowest of a byte first): element i may be other than 0; empty: all may
  std::vector<TensorType> tensors;       // ops.size() + 1; the last is what is revealed
  std::vector<Op> ops;
  std::vector<std::string> labels;       // one per class

  const TensorType& input() const { return tensors.front(); }
  const TensorType& output() const { return tensors.back(); }
  std::size_t classes() const noexcept { return labels.size(); }
  // The elements of an input as it comes; tensor 0 has only those inside the mask.
  std::size_t whole_input() const noexcept;
  friend bool operator==(const Program&, const Program&) = default;
};

// Bitmaps of elements, canonical: padded with zeros to a whole byte.
inline bool is_inside(ByteView mask, std::size_t element) noexcept {
  return (std::to_integer<unsigned>(mask[element / 8]) >> (element % 8) & 1U) != 0;
}
std::size_t count_inside(ByteView mask) noexcept;

constexpr std::size_t longest_program = std::size_t{1} << 19;  // bytes; it travels in one control message

// Canonical bytes: decode(encode(p)) == p, and encode(decode(b)) == b. decode refuses everything else, and every program
// whose parts do not fit together.
Bytes encode(const Program& program);
Program decode_program(ByteView bytes);

// SHA-256 of the canonical bytes: the program's name everywhere.
Digest program_hash(const Program& program);

}  // namespace smpc
