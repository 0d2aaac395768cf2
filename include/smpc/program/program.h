// The compiled artefact: what both parties execute. It is public. It knows neither ONNX nor sockets, and holds no weight.
//
// Tensor 0 holds the client's inputs, back to back; op i writes tensor i + 1 and reads earlier ones; each tensor but the last
// is read. The model's outputs lie back to back too, in the last tensor before any ArgMax.
// Tensors are vectors of fixed-point values (scale f) shared in a ring of their own width; what an op that moves or adds
// values reads is shared in a ring at least as wide as what it writes, and taken modulo the latter. Where a public mask is
// declared, tensor 0 holds the elements inside it alone, in order; the client refuses an input that is not zero outside.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "smpc/base/digest.h"
#include "smpc/base/grid.h"
#include "smpc/ring/conv.h"
#include "smpc/ring/ring.h"

namespace smpc {

// real = signed(element) / 2^scale. Of values that are too large for their ring otherwise the scale is below 0.
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

// y = W * x + bias, a convolution; W and bias (one for each output channel) are the server's.
struct ConvOp {
  ConvShape shape;
  friend bool operator==(const ConvOp&, const ConvOp&) = default;
};

// y = x + bias, one for each element, the server's.
struct BiasOp {
  friend bool operator==(const BiasOp&, const BiasOp&) = default;
};

// y = the sum of the tensors that are read, each times its factor, and of a public number, element by element.
struct SumOp {
  std::vector<std::int64_t> factors;
  std::int64_t offset = 0;
  friend bool operator==(const SumOp&, const SumOp&) = default;
};

// x: outer x factors.size() x inner; y = x, each slice of the middle dimension times its factor.
struct ScaleOp {
  std::size_t outer = 1;
  std::size_t inner = 1;
  std::vector<std::int64_t> factors;
  friend bool operator==(const ScaleOp&, const ScaleOp&) = default;
};

// y = the sum of each window of each channel (accumulate_windows).
struct WindowSumOp {
  ConvShape shape;
  friend bool operator==(const WindowSumOp&, const WindowSumOp&) = default;
};

// Dimension i of y is dimension order[i] of x, whose dimensions are dims.
struct TransposeOp {
  std::vector<std::size_t> dims;
  std::vector<std::size_t> order;
  friend bool operator==(const TransposeOp&, const TransposeOp&) = default;
};

// x: outer x size x inner; y: outer x slices.size() x inner, slice j being slice slices[j] of x, or zero where that is -1.
struct TakeOp {
  std::size_t outer = 1;
  std::size_t size = 1;
  std::size_t inner = 1;
  std::vector<std::int64_t> slices;
  friend bool operator==(const TakeOp&, const TakeOp&) = default;
};

// Tensors of outer x (anything) each, joined along their second dimension.
struct ConcatOp {
  std::size_t outer = 1;
  friend bool operator==(const ConcatOp&, const ConcatOp&) = default;
};

// y = a b of two tensors, as `batch` products of matrices, rows x inner by inner x columns; element by element where
// the batch is all that is not 1. The scale of y is the sum of theirs.
struct ProductOp {
  std::size_t batch = 1;
  std::size_t rows = 1;
  std::size_t inner = 1;
  std::size_t columns = 1;
  std::size_t left() const noexcept { return batch * rows * inner; }
  std::size_t right() const noexcept { return batch * inner * columns; }
  std::size_t outputs() const noexcept { return batch * rows * columns; }
  friend bool operator==(const ProductOp&, const ProductOp&) = default;
};

// y = 1 where x >= 0, else 0.
struct StepOp {
  friend bool operator==(const StepOp&, const StepOp&) = default;
};

// y = a table's entries at index x, which is taken modulo 2^bits. `parts` tables at once, and as many results: element i
// of part k is table[k << bits | x_i]. y may be shared in any ring.
constexpr unsigned widest_lookup = 10;  // bits
struct LookupOp {
  unsigned bits = 1;
  std::vector<std::int64_t> table;
  std::size_t parts() const noexcept { return table.size() >> bits; }
  friend bool operator==(const LookupOp&, const LookupOp&) = default;
};

// Bits that an index below `count` needs, at least one.
unsigned index_bits(std::size_t count) noexcept;

using OpKind = std::variant<LinearOp, ReluOp, TruncateOp, ArgMaxOp, ConvOp, BiasOp, SumOp, ScaleOp, WindowSumOp, TransposeOp,
                            TakeOp, ConcatOp, ProductOp, StepOp, LookupOp>;

struct Op {
  std::string name;  // of the node it comes from
  OpKind kind;
  std::vector<std::size_t> inputs = {};  // tensors; empty: the one just before what it writes
  friend bool operator==(const Op&, const Op&) = default;
};

enum class Reveal : std::uint8_t { label = 0, logits = 1 };
enum class Suite : std::uint8_t { cryptflow2 = 0, masked = 1 };
// What the model's values are that are opened; with the label revealed, those that it is the largest of. Logits: their softmax
// is the probabilities of the classes. Probabilities: they are those already. Values: anything else, and nothing is a probability.
enum class Results : std::uint8_t { logits = 0, probabilities = 1, values = 2 };

std::string_view to_text(Reveal reveal) noexcept;
std::string_view to_text(Suite suite) noexcept;
std::string_view to_text(Results results) noexcept;
// What the client receives, in a word: label, or what its values are.
std::string_view output_text(Reveal reveal, Results results) noexcept;
std::string_view op_name(const OpKind& kind) noexcept;

std::size_t elements_of(const std::vector<std::size_t>& shape) noexcept;

// How a picture becomes an input: value = (pixel * factor - mean) / deviation, channel by channel, pixels being 0 to 255.
struct PictureRule {
  std::uint32_t height = 0;
  std::uint32_t width = 0;
  std::uint32_t channels = 1;   // 1: grey, 3: red, green, blue
  bool channels_last = false;   // height x width x channels; else channels x height x width
  double factor = 1;
  std::vector<double> mean;     // one for each channel
  std::vector<double> deviation;
  friend bool operator==(const PictureRule&, const PictureRule&) = default;
};

struct ProgramInput {
  std::string name;                // the model's
  std::vector<std::size_t> shape;  // without the batch dimension
  double low = 0;                  // the client refuses a value outside
  double high = 0;
  std::optional<PictureRule> picture = {};  // absent: the input is no picture
  std::size_t count() const noexcept { return elements_of(shape); }
  friend bool operator==(const ProgramInput&, const ProgramInput&) = default;
};

struct ProgramOutput {
  std::string name;
  std::vector<std::size_t> shape;
  std::size_t count() const noexcept { return elements_of(shape); }
  friend bool operator==(const ProgramOutput&, const ProgramOutput&) = default;
};

struct Program {
  Suite suite = Suite::cryptflow2;
  Reveal reveal = Reveal::label;
  Results results = Results::values;
  std::vector<ProgramInput> inputs;
  std::vector<ProgramOutput> outputs;    // with the label revealed: one, the scores that it is the largest of
  double input_norm = 0;                 // of the only input: the client refuses a larger Euclidean norm; 0: no such limit
  std::optional<Grid> grid;              // absent: the input is no image
  Bytes input_mask;                      // bit i (the lowest of a byte first): element i may be other than 0; empty: all may
  std::vector<TensorType> tensors;       // ops.size() + 1; the last is what is revealed
  std::vector<Op> ops;
  std::vector<std::string> labels;       // one per class; empty where the outputs are no classes

  std::vector<std::size_t> inputs_of(std::size_t op) const;  // the tensors that it reads
  const TensorType& input() const { return tensors.front(); }
  const TensorType& output() const { return tensors.back(); }
  std::size_t classes() const noexcept { return labels.size(); }
  // The elements of all inputs as they come; tensor 0 has only those inside the mask.
  std::size_t whole_input() const noexcept;
  friend bool operator==(const Program&, const Program&) = default;
};

// Bitmaps of elements, canonical: padded with zeros to a whole byte.
inline bool is_inside(ByteView mask, std::size_t element) noexcept {
  return (std::to_integer<unsigned>(mask[element / 8]) >> (element % 8) & 1U) != 0;
}
std::size_t count_inside(ByteView mask) noexcept;

// The server's weights that an op holds; all 0 for one that holds none.
struct WeightCounts {
  std::size_t matrix = 0;
  std::size_t bias = 0;
};
WeightCounts weight_counts(const Program& program, std::size_t op);

constexpr std::size_t longest_program = std::size_t{1} << 19;  // bytes; it travels in one control message

// Canonical bytes: decode(encode(p)) == p, and encode(decode(b)) == b. decode refuses everything else, and every program
// whose parts do not fit together.
Bytes encode(const Program& program);
Program decode_program(ByteView bytes);

// SHA-256 of the canonical bytes: the program's name everywhere.
Digest program_hash(const Program& program);

}  // namespace smpc
