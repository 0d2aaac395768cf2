#include "smpc/program/program.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <set>

#include "op_fields.h"
#include "smpc/base/error.h"

namespace smpc {
namespace {

// "smpc" and the version of this encoding. Layout, all little-endian: magic u32, version u32, suite u8, reveal u8, results u8,
// inputs (count; name text, shape (count; u64 each), low f64, high f64, picture (u8 present; 3 u32 height width channels, u8
// channels last, f64 factor, means (count; f64 each), deviations (count; f64 each))), outputs (count; name text, shape), input
// norm f64, grid (u8 present; 3 u32, 16 f64), mask (u8 present; a bit
// for each input element), tensors (count; u64 count, i32 scale, u8 bits), ops (count; u8 kind, text name, inputs (count; u32
// each), fields of the kind (count; u64 each)), labels (count; text each).
constexpr std::uint32_t magic = 0x63706d73;
constexpr std::uint32_t version = 5;
constexpr std::size_t most_elements = std::size_t{1} << 32;
constexpr std::size_t most_weights = std::size_t{1} << 36;  // of one map: their bytes can be counted
constexpr std::size_t most_ops = 1024;  // the time of a schedule grows with their square
constexpr std::size_t most_inputs = 64;  // of an op
constexpr std::size_t most_dims = 16;
constexpr std::size_t most_parts = 16;    // of a lookup
constexpr std::size_t most_slices = std::size_t{1} << 24;  // of all ops together: a few bytes tell of many
const char* const what = "the program";

// Refuses a product that is out of range.
std::size_t checked_elements(const std::vector<std::size_t>& shape) {
  std::size_t elements = 1;
  if (shape.size() > most_dims) fail_input("the program: a shape of more than 16 dimensions");
  for (const std::size_t d : shape) {
    if (d == 0 || d > most_elements / elements) fail_input("the program: a shape is out of range");
    elements *= d;
  }
  return elements;
}

// Whether one op fits the tensors that it reads and writes.
class OpCheck {
 public:
  OpCheck(const Op& op, const std::vector<TensorType>& in, const TensorType& out) : op_(op), in_(in), out_(out) {}

  void operator()(const LinearOp& op) const {
    expect_inputs(1);
    expect(op.inputs == in().count && op.outputs == out_.count, "its shape is not that of its tensors");
    expect(in().count <= most_weights / out_.count, "expected at most 2^36 weights");
    expect_wide_enough();
  }
  void operator()(const ReluOp& op) const {
    expect_inputs(1);
    expect(in().count == out_.count && in().ring.bits >= 2 && op.shift < in().ring.bits, "its shift or shape does not fit");
    expect(out_.scale == in().scale - static_cast<int>(op.shift), "its scales do not differ by its shift");
  }
  void operator()(const TruncateOp& op) const {
    expect_inputs(1);
    expect(in().count == out_.count && in().ring.bits >= 2 && op.shift <= in().ring.bits - 2, "its shift or shape does not fit");
    expect(out_.scale == in().scale - static_cast<int>(op.shift), "its scales do not differ by its shift");
  }
  void operator()(const ArgMaxOp&) const {
    expect_inputs(1);
    expect(out_.count == 1 && out_.scale == 0 && in().ring.bits >= 2, "expected one index");
    expect(out_.ring.bits == index_bits(in().count), "its index has another width");
  }
  void operator()(const ConvOp& op) const {
    expect_inputs(1);
    expect_shape(op.shape);
    expect_wide_enough();
  }
  void operator()(const BiasOp&) const { expect_alike(1); }
  void operator()(const SumOp& op) const { expect_alike(op.factors.size()); }
  void operator()(const ScaleOp& op) const {
    expect_alike(1);
    expect_count(in(), {op.outer, op.factors.size(), op.inner});
  }
  void operator()(const WindowSumOp& op) const {
    expect_inputs(1);
    expect(op.shape.in_channels == 1 && op.shape.out_channels == 1, "expected each channel by itself");
    expect_shape(op.shape);
    expect_wide_enough();
  }
  void operator()(const TransposeOp& op) const {
    expect_alike(1);
    expect_count(in(), op.dims);
    std::vector<bool> seen(op.dims.size());
    for (const std::size_t d : op.order) {
      expect(d < seen.size() && !seen[d], "its order is no order of its dimensions");
      seen[d] = true;
    }
    expect(op.order.size() == op.dims.size(), "its order is no order of its dimensions");
  }
  void operator()(const TakeOp& op) const {
    expect_inputs(1);
    expect_count(in(), {op.outer, op.size, op.inner});
    expect_count(out_, {op.outer, op.slices.size(), op.inner});
    for (const std::int64_t s : op.slices) {
      expect(s >= -1 && s < static_cast<std::int64_t>(op.size), "a slice that is not there");
    }
    expect_wide_enough();
  }
  void operator()(const ConcatOp& op) const {
    expect(op.outer > 0 && !in_.empty(), "expected something to join");
    std::size_t sum = 0;
    for (const TensorType& t : in_) {
      expect(t.count % op.outer == 0, "its shape is not that of its tensors");
      sum += t.count;
    }
    expect(sum == out_.count, "its shape is not that of its tensors");
    expect_wide_enough();
  }
  void operator()(const ProductOp& op) const {
    expect_inputs(2);
    expect_count(in_[0], {op.batch, op.rows, op.inner});
    expect_count(in_[1], {op.batch, op.inner, op.columns});
    expect_count(out_, {op.batch, op.rows, op.columns});
    expect(out_.scale == in_[0].scale + in_[1].scale, "its scale is not the sum of its tensors'");
    expect_wide_enough();
  }
  void operator()(const StepOp&) const {
    expect_inputs(1);
    expect(in().count == out_.count && out_.scale == 0 && in().ring.bits >= 2, "expected a 0 or 1 for each element");
  }
  void operator()(const LookupOp& op) const {
    expect_inputs(1);
    expect(op.bits >= 1 && op.bits <= widest_lookup && op.bits <= in().ring.bits, "its index has another width");
    expect(!op.table.empty() && op.parts() <= most_parts && op.parts() << op.bits == op.table.size(), "expected whole tables, at most 16");
    expect_count(out_, {op.parts(), in().count});
  }

 private:
  void expect(bool fits, const char* rule) const {
    if (!fits) fail_input("the program: op '" + op_.name + "': " + rule);
  }
  const TensorType& in() const { return in_.front(); }
  void expect_inputs(std::size_t count) const { expect(in_.size() == count, "it reads too many tensors, or too few"); }
  void expect_wide_enough() const {
    for (const TensorType& t : in_) {
      expect(t.ring.bits >= out_.ring.bits, "expected a ring for what it reads at least as wide as for what it writes");
    }
  }
  void expect_alike(std::size_t inputs) const {
    expect_inputs(inputs);
    for (const TensorType& t : in_) expect(t.count == out_.count, "its shape is not that of its tensors");
    expect_wide_enough();
  }
  void expect_count(const TensorType& t, const std::vector<std::size_t>& dims) const {
    expect(dims.size() <= most_dims, "expected at most 16 dimensions");
    std::size_t elements = 1;
    for (const std::size_t d : dims) {
      expect(d > 0 && d <= most_elements / elements, "its shape is out of range");
      elements *= d;
    }
    expect(elements == t.count, "its shape is not that of its tensors");
  }
  void expect_shape(const ConvShape& s) const {
    const auto in_range = [](std::size_t n) { return n > 0 && n <= most_elements; };
    std::vector<std::size_t> image{s.groups, s.in_channels};
    std::vector<std::size_t> result{s.groups, s.out_channels};
    std::size_t weights = 1;
    for (const std::size_t n : {s.groups, s.in_channels, s.out_channels}) {
      expect(in_range(n) && n <= most_weights / weights, "its shape is out of range");
      weights *= n;
    }
    for (const ConvAxis& a : s.axes) {
      for (const std::size_t n : {a.input, a.output, a.kernel, a.stride, a.dilation, a.spread}) {
        expect(in_range(n), "its shape is out of range");
      }
      expect(a.kernel <= most_weights / weights, "expected at most 2^36 weights");
      weights *= a.kernel;
      // Places are counted in 64 bits: within 2^40 nothing overflows.
      constexpr std::size_t far = std::size_t{1} << 40;
      expect(a.stride <= far / a.output && a.dilation <= far / a.kernel && a.spread <= far / a.input &&
                 a.pad >= -static_cast<std::int64_t>(far) && a.pad <= static_cast<std::int64_t>(far),
             "its shape is out of range");
      image.push_back(a.input);
      result.push_back(a.output);
    }
    expect_count(in(), image);
    expect_count(out_, result);
  }

  const Op& op_;
  const std::vector<TensorType>& in_;
  const TensorType& out_;
};

void check_op(const Op& op, const std::vector<TensorType>& in, const TensorType& out) {
  std::visit(OpCheck(op, in, out), op.kind);
}

std::size_t mask_bytes(std::size_t elements) { return elements / 8 + (elements % 8 != 0 ? 1 : 0); }

bool always_sends(const OpKind& kind) {
  return std::holds_alternative<LinearOp>(kind) || std::holds_alternative<ConvOp>(kind) || std::holds_alternative<ReluOp>(kind) ||
         std::holds_alternative<ProductOp>(kind) || std::holds_alternative<StepOp>(kind) || std::holds_alternative<LookupOp>(kind);
}

void expect(bool fits, const char* rule) {
  if (!fits) fail_input(std::string("the program: ") + rule);
}

void check_picture(const PictureRule& rule, std::size_t elements) {
  expect(rule.channels == 1 || rule.channels == 3, "a picture has neither one channel nor three");
  expect(checked_elements({rule.height, rule.width, rule.channels}) == elements, "a picture has not the shape of its input");
  expect(rule.mean.size() == rule.channels && rule.deviation.size() == rule.channels, "a picture's channels lack a mean or deviation");
  expect(std::isfinite(rule.factor), "a picture's factor is not finite");
  for (const double m : rule.mean) expect(std::isfinite(m), "a picture's mean is not finite");
  for (const double d : rule.deviation) expect(std::isfinite(d) && d > 0, "a picture's deviation is not positive");
}

// The elements of all inputs.
std::size_t check_inputs(const Program& p) {
  expect(!p.inputs.empty() && p.inputs.size() <= most_inputs, "expected 1 to 64 inputs");
  std::set<std::string_view> names;
  std::size_t elements = 0;
  for (const ProgramInput& in : p.inputs) {
    expect(names.insert(in.name).second, "two inputs of one name");
    const std::size_t count = checked_elements(in.shape);
    elements += count;
    expect(std::isfinite(in.low) && std::isfinite(in.high) && in.low < in.high, "the range of an input is none");
    if (in.picture) check_picture(*in.picture, count);
  }
  expect(elements <= most_elements, "its inputs are too large");
  return elements;
}

void check_outputs(const Program& p, std::size_t elements) {
  expect(!p.outputs.empty() && p.outputs.size() <= most_inputs, "expected 1 to 64 outputs");
  expect(p.reveal == Reveal::logits || p.outputs.size() == 1, "the label of several outputs");
  expect(p.results == Results::values || p.outputs.size() == 1, "logits or probabilities in several outputs");
  std::set<std::string_view> names;
  std::size_t sum = 0;
  for (const ProgramOutput& out : p.outputs) {
    expect(names.insert(out.name).second, "two outputs of one name");
    sum += checked_elements(out.shape);
  }
  expect(sum == elements, "its outputs have not the elements of its last tensor");
}

// Counts on, before more memory is taken.
void count_slices(const OpKind& kind, std::size_t& slices) {
  if (const auto* take = std::get_if<TakeOp>(&kind)) slices += take->slices.size();
  expect(slices <= most_slices, "its ops take more than 2^24 slices together");
}

void check(const Program& p) {
  expect(!p.ops.empty() && p.tensors.size() == p.ops.size() + 1, "expected one tensor more than ops");
  expect(p.ops.size() <= most_ops, "expected at most 1024 ops; merge layers");
  const std::size_t elements = check_inputs(p);
  if (p.input_mask.empty()) {
    expect(elements == p.input().count, "its inputs have not the elements of its first tensor");
  } else {
    expect(p.input_mask.size() == mask_bytes(elements), "its mask has not a bit for each input element");
    expect(elements % 8 == 0 || std::to_integer<unsigned>(p.input_mask.back()) >> (elements % 8) == 0,
           "its mask has bits beyond the last element");
    expect(count_inside(p.input_mask) == p.input().count, "its mask is not that of its first tensor");
    expect(p.input().count < elements, "its mask covers everything");
  }
  expect(p.inputs.size() == 1 || (!p.grid && p.input_mask.empty() && p.input_norm == 0),
         "a grid, a mask or a norm of several inputs");
  expect(std::isfinite(p.input_norm) && p.input_norm >= 0, "its input norm is negative or not finite");
  if (p.grid) {
    expect(p.grid->voxels() == elements, "its grid has not as many voxels as its input has elements");
    for (const double v : p.grid->affine) expect(std::isfinite(v), "its grid is not finite");
  }
  for (const TensorType& t : p.tensors) {
    expect(t.count > 0 && t.count <= most_elements, "a tensor's size is out of range");
    expect(t.ring.bits >= 1 && t.ring.bits <= max_ring_bits, "a ring's width is not 1 to 64 bits");
    expect(t.scale > -128 && t.scale < 128, "a scale is not -127 to 127");
  }
  for (const ProgramInput& in : p.inputs) {
    expect(std::ldexp(in.low, p.input().scale) >= -0x1p63 && std::ldexp(in.high, p.input().scale) < 0x1p63,
           "the range of an input does not fit 64 bits");
  }
  std::vector<bool> read(p.tensors.size());
  std::size_t slices = 0;
  for (std::size_t i = 0; i < p.ops.size(); ++i) {
    const std::vector<std::size_t>& listed = p.ops[i].inputs;
    expect(listed.size() <= most_inputs, "an op reads more than 64 tensors");
    expect(listed.size() != 1 || listed.front() != i, "an op names the tensor before it alone, which goes without saying");
    std::vector<TensorType> in;
    for (const std::size_t t : p.inputs_of(i)) {
      expect(t <= i, "an op reads a tensor that is not there yet");
      read[t] = true;
      in.push_back(p.tensors[t]);
    }
    check_op(p.ops[i], in, p.tensors[i + 1]);
    count_slices(p.ops[i].kind, slices);
    const bool is_arg_max = std::holds_alternative<ArgMaxOp>(p.ops[i].kind);
    expect(is_arg_max == (p.reveal == Reveal::label && i + 1 == p.ops.size()), "an ArgMax stands where it may not");
  }
  expect(std::count(read.begin(), read.end() - 1, false) == 0, "a tensor that nothing reads");
  const bool sends = p.reveal == Reveal::logits || p.tensors[p.ops.size() - 1].count > 1 ||
                     std::any_of(p.ops.begin(), p.ops.end(), [](const Op& op) { return always_sends(op.kind); });
  expect(sends, "nothing is sent between the parties: the label of one class, of the client's own input");
  const std::size_t classes =
      p.reveal == Reveal::label ? p.tensors[p.inputs_of(p.ops.size() - 1).front()].count : p.output().count;
  check_outputs(p, classes);
  const bool unlabelled = p.labels.empty() && p.reveal == Reveal::logits;
  expect(unlabelled || p.labels.size() == classes, "expected one label per class");
}

}  // namespace

std::size_t elements_of(const std::vector<std::size_t>& shape) noexcept {
  std::size_t elements = 1;
  for (const std::size_t d : shape) elements *= d;
  return elements;
}

std::size_t Program::whole_input() const noexcept {
  std::size_t elements = 0;
  for (const ProgramInput& in : inputs) elements += in.count();
  return elements;
}

std::size_t count_inside(ByteView mask) noexcept {
  std::size_t count = 0;
  for (const std::byte b : mask) count += static_cast<std::size_t>(std::popcount(std::to_integer<unsigned>(b)));
  return count;
}

std::vector<std::size_t> Program::inputs_of(std::size_t op) const {
  const std::vector<std::size_t>& listed = ops[op].inputs;
  return listed.empty() ? std::vector<std::size_t>{op} : listed;
}

WeightCounts weight_counts(const Program& program, std::size_t op) {
  const OpKind& kind = program.ops[op].kind;
  if (const auto* linear = std::get_if<LinearOp>(&kind)) return {linear->inputs * linear->outputs, linear->outputs};
  if (const auto* conv = std::get_if<ConvOp>(&kind)) return {conv->shape.rows() * conv->shape.columns(), conv->shape.rows()};
  if (std::holds_alternative<BiasOp>(kind)) return {0, program.tensors[op + 1].count};
  return {};
}

unsigned index_bits(std::size_t count) noexcept {
  return std::max(1U, static_cast<unsigned>(std::bit_width(count - 1)));
}

std::string_view to_text(Reveal reveal) noexcept { return reveal == Reveal::label ? "label" : "logits"; }
std::string_view to_text(Suite suite) noexcept { return suite == Suite::cryptflow2 ? "cryptflow2" : "masked"; }

std::string_view to_text(Results results) noexcept {
  return results == Results::logits ? "logits" : results == Results::probabilities ? "probabilities" : "values";
}
std::string_view output_text(Reveal reveal, Results results) noexcept {
  return reveal == Reveal::label ? "label" : to_text(results);
}

std::string_view op_name(const OpKind& kind) noexcept {
  constexpr std::string_view names[] = {"Linear", "Relu",      "Truncate",  "ArgMax", "Conv",   "Bias",    "Sum",
                                        "Scale",  "WindowSum", "Transpose", "Take",   "Concat", "Product", "Step", "Lookup"};
  static_assert(std::size(names) == std::variant_size_v<OpKind>);
  return names[kind.index()];
}

Bytes encode(const Program& p) {
  check(p);
  ByteWriter w;
  const auto count = [&](std::size_t n) { w.u32(static_cast<std::uint32_t>(n)); };
  w.u32(magic);
  w.u32(version);
  w.u8(static_cast<std::uint8_t>(p.suite));
  w.u8(static_cast<std::uint8_t>(p.reveal));
  w.u8(static_cast<std::uint8_t>(p.results));
  const auto shape = [&](const std::vector<std::size_t>& dims) {
    count(dims.size());
    for (const std::size_t d : dims) w.u64(d);
  };
  const auto numbers = [&](const std::vector<double>& values) {
    count(values.size());
    for (const double v : values) w.f64(v);
  };
  count(p.inputs.size());
  for (const ProgramInput& in : p.inputs) {
    w.text(in.name);
    shape(in.shape);
    w.f64(in.low);
    w.f64(in.high);
    w.u8(in.picture ? 1 : 0);
    if (!in.picture) continue;
    for (const std::uint32_t n : {in.picture->height, in.picture->width, in.picture->channels}) w.u32(n);
    w.u8(in.picture->channels_last ? 1 : 0);
    w.f64(in.picture->factor);
    numbers(in.picture->mean);
    numbers(in.picture->deviation);
  }
  count(p.outputs.size());
  for (const ProgramOutput& out : p.outputs) {
    w.text(out.name);
    shape(out.shape);
  }
  w.f64(p.input_norm);
  w.u8(p.grid ? 1 : 0);
  if (p.grid) {
    for (const auto n : p.grid->shape) w.u32(n);
    for (const auto v : p.grid->affine) w.f64(v);
  }
  w.u8(p.input_mask.empty() ? 0 : 1);
  w.bytes(p.input_mask);
  count(p.tensors.size());
  for (const TensorType& t : p.tensors) {
    w.u64(t.count);
    w.u32(static_cast<std::uint32_t>(t.scale));
    w.u8(static_cast<std::uint8_t>(t.ring.bits));
  }
  count(p.ops.size());
  for (const Op& op : p.ops) {
    w.u8(static_cast<std::uint8_t>(op.kind.index()));
    w.text(op.name);
    count(op.inputs.size());
    for (const std::size_t t : op.inputs) w.u32(static_cast<std::uint32_t>(t));
    const std::vector<std::uint64_t> fields = fields_of(op.kind);
    count(fields.size());
    for (const std::uint64_t f : fields) w.u64(f);
  }
  count(p.labels.size());
  for (const std::string& label : p.labels) w.text(label);
  if (w.data().size() > longest_program) {
    fail_input("the program: expected at most " + std::to_string(longest_program) + " bytes, found " +
               std::to_string(w.data().size()) + "; give shorter labels or a coarser mask");
  }
  return w.take();
}

Program decode_program(ByteView bytes) {
  if (bytes.size() > longest_program) {
    fail_input("the program: expected at most " + std::to_string(longest_program) + " bytes, found " +
               std::to_string(bytes.size()));
  }
  ByteReader r(bytes, what);
  if (r.u32() != magic) fail_input("the program: expected a file made by smpc-compile, found something else");
  if (const auto v = r.u32(); v != version) {
    fail_input("the program: expected format version " + std::to_string(version) + ", found " + std::to_string(v));
  }
  Program p;
  const std::uint8_t suite = r.u8();
  const std::uint8_t reveal = r.u8();
  const std::uint8_t results = r.u8();
  if (suite > 1 || reveal > 1) fail_input("the program: an unknown suite or output policy");
  if (results > 2) fail_input("the program: results that are neither logits nor probabilities nor values");
  p.suite = static_cast<Suite>(suite);
  p.reveal = static_cast<Reveal>(reveal);
  p.results = static_cast<Results>(results);
  const auto flag = [&] {
    const std::uint8_t value = r.u8();
    if (value > 1) fail_input("the program: a flag that is neither 0 nor 1");
    return value == 1;
  };
  const auto shape = [&] {
    std::vector<std::size_t> dims(r.count(8));
    for (std::size_t& d : dims) d = r.u64();
    return dims;
  };
  const auto numbers = [&] {
    std::vector<double> values(r.count(8));
    for (double& v : values) v = r.f64();
    return values;
  };
  p.inputs.resize(r.count(25));
  for (ProgramInput& in : p.inputs) {
    in.name = r.text();
    in.shape = shape();
    in.low = r.f64();
    in.high = r.f64();
    if (!flag()) continue;
    PictureRule rule;
    rule.height = r.u32();
    rule.width = r.u32();
    rule.channels = r.u32();
    rule.channels_last = flag();
    rule.factor = r.f64();
    rule.mean = numbers();
    rule.deviation = numbers();
    in.picture = std::move(rule);
  }
  p.outputs.resize(r.count(8));
  for (ProgramOutput& out : p.outputs) {
    out.name = r.text();
    out.shape = shape();
  }
  p.input_norm = r.f64();
  if (flag()) {
    Grid g;
    for (auto& n : g.shape) n = r.u32();
    for (auto& v : g.affine) v = r.f64();
    p.grid = g;
  }
  if (flag()) {
    const ByteView mask = r.bytes(mask_bytes(check_inputs(p)));
    p.input_mask.assign(mask.begin(), mask.end());
    if (mask.empty()) fail_input("the program: a mask of nothing");
  }
  p.tensors.resize(r.count(13));
  for (TensorType& t : p.tensors) {
    t.count = r.u64();
    t.scale = static_cast<int>(r.u32());
    t.ring.bits = r.u8();
  }
  p.ops.resize(r.count(13));
  std::size_t slices = 0;
  for (Op& op : p.ops) {
    const std::uint8_t kind = r.u8();
    op.name = r.text();
    op.inputs.resize(r.count(4));
    for (std::size_t& t : op.inputs) t = r.u32();
    std::vector<std::uint64_t> fields(r.count(8));
    for (std::uint64_t& f : fields) f = r.u64();
    op.kind = op_of(kind, fields);
    count_slices(op.kind, slices);
  }
  p.labels.resize(r.count(4));
  for (std::string& label : p.labels) label = r.text();
  r.expect_end();
  check(p);
  return p;
}

Digest program_hash(const Program& program) { return sha256(encode(program)); }

}  // namespace smpc
