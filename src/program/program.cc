#include "smpc/program/program.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "smpc/base/error.h"

namespace smpc {
namespace {

// "smpc" and the version of this encoding. Layout, all little-endian: magic u32, version u32, suite u8, reveal u8,
// input shape (count, u64 each), input range f64, input norm f64, grid (u8 present; 3 u32, 16 f64), mask (u8 present; a bit
// for each input element), tensors (count; u64 count, u32 scale, u8 bits), ops (count; u8 kind, text name, u64 a, u64 b), labels (count; text each).
constexpr std::uint32_t magic = 0x63706d73;
constexpr std::uint32_t version = 2;
constexpr std::size_t most_elements = std::size_t{1} << 32;
constexpr std::size_t most_weights = std::size_t{1} << 36;  // of one map: their bytes can be counted
constexpr std::size_t most_ops = 1024;  // the time of a schedule grows with their square
const char* const what = "the program";

struct OpFields {
  std::uint64_t a = 0;
  std::uint64_t b = 0;
};

OpFields fields_of(const OpKind& kind) {
  if (const auto* op = std::get_if<LinearOp>(&kind)) return {op->inputs, op->outputs};
  if (const auto* op = std::get_if<ReluOp>(&kind)) return {op->shift, 0};
  if (const auto* op = std::get_if<TruncateOp>(&kind)) return {op->shift, 0};
  return {};
}

OpKind op_of(std::uint8_t kind, OpFields f) {
  const auto shift = [&] {
    if (f.a >= max_ring_bits || f.b != 0) fail_input("the program: an op with a shift of " + std::to_string(f.a));
    return static_cast<unsigned>(f.a);
  };
  switch (kind) {
    case 0: return LinearOp{f.a, f.b};
    case 1: return ReluOp{shift()};
    case 2: return TruncateOp{shift()};
    case 3:
      if (f.a != 0 || f.b != 0) fail_input("the program: an ArgMax with parameters");
      return ArgMaxOp{};
    default: fail_input("the program: an op of kind " + std::to_string(kind) + ", expected 0 to 3");
  }
}

void check_op(const Op& op, const TensorType& in, const TensorType& out) {
  const auto expect = [&](bool fits, const char* rule) {
    if (!fits) fail_input("the program: op '" + op.name + "': " + rule);
  };
  if (const auto* linear = std::get_if<LinearOp>(&op.kind)) {
    expect(linear->inputs == in.count && linear->outputs == out.count, "its shape is not that of its tensors");
    expect(in.count <= most_weights / out.count, "expected at most 2^36 weights");
    expect(in.ring == out.ring, "expected one ring for what it reads and writes");
  } else if (const auto* relu = std::get_if<ReluOp>(&op.kind)) {
    expect(in.count == out.count && in.ring.bits >= 2 && relu->shift < in.ring.bits, "its shift or shape does not fit");
    expect(out.scale == in.scale - static_cast<int>(relu->shift), "its scales do not differ by its shift");
  } else if (const auto* cut = std::get_if<TruncateOp>(&op.kind)) {
    expect(in.count == out.count && in.ring.bits >= 2 && cut->shift + 2 <= in.ring.bits, "its shift or shape does not fit");
    expect(out.scale == in.scale - static_cast<int>(cut->shift), "its scales do not differ by its shift");
  } else {
    expect(out.count == 1 && out.scale == 0 && in.ring.bits >= 2, "expected one index");
    expect(out.ring.bits == index_bits(in.count), "its index has another width");
  }
}

std::size_t mask_bytes(std::size_t elements) { return elements / 8 + (elements % 8 != 0 ? 1 : 0); }

std::size_t elements_of(const std::vector<std::size_t>& shape) {
  std::size_t elements = 1;
  for (const std::size_t d : shape) {
    if (d == 0 || d > most_elements / elements) fail_input("the program: its input shape is out of range");
    elements *= d;
  }
  return elements;
}

void check(const Program& p) {
  const auto expect = [](bool fits, const char* rule) {
    if (!fits) fail_input(std::string("the program: ") + rule);
  };
  expect(!p.ops.empty() && p.tensors.size() == p.ops.size() + 1, "expected one tensor more than ops");
  expect(p.ops.size() <= most_ops, "expected at most 1024 ops; merge layers");
  const std::size_t elements = elements_of(p.input_shape);
  if (p.input_mask.empty()) {
    expect(elements == p.input().count, "its input shape is not that of its first tensor");
  } else {
    expect(p.input_mask.size() == mask_bytes(elements), "its mask has not a bit for each input element");
    expect(elements % 8 == 0 || std::to_integer<unsigned>(p.input_mask.back()) >> (elements % 8) == 0,
           "its mask has bits beyond the last element");
    expect(count_inside(p.input_mask) == p.input().count, "its mask is not that of its first tensor");
    expect(p.input().count < elements, "its mask covers everything");
  }
  expect(std::isfinite(p.input_range) && p.input_range > 0, "its input range is not a positive number");
  expect(std::isfinite(p.input_norm) && p.input_norm >= 0, "its input norm is negative or not finite");
  if (p.grid) {
    expect(p.grid->voxels() == elements, "its grid has not as many voxels as its input has elements");
    for (const double v : p.grid->affine) expect(std::isfinite(v), "its grid is not finite");
  }
  for (const TensorType& t : p.tensors) {
    expect(t.count > 0 && t.count <= most_elements, "a tensor's size is out of range");
    expect(t.ring.bits >= 1 && t.ring.bits <= max_ring_bits, "a ring's width is not 1 to 64 bits");
    expect(t.scale >= 0 && t.scale < 128, "a scale is not 0 to 127");
  }
  for (std::size_t i = 0; i < p.ops.size(); ++i) {
    check_op(p.ops[i], p.tensors[i], p.tensors[i + 1]);
    const bool is_arg_max = std::holds_alternative<ArgMaxOp>(p.ops[i].kind);
    expect(is_arg_max == (p.reveal == Reveal::label && i + 1 == p.ops.size()), "an ArgMax stands where it may not");
  }
  const std::size_t classes = p.reveal == Reveal::label ? p.tensors[p.ops.size() - 1].count : p.output().count;
  expect(p.labels.size() == classes, "expected one label per class");
}

}  // namespace

std::size_t Program::whole_input() const noexcept {
  std::size_t elements = 1;
  for (const std::size_t d : input_shape) elements *= d;
  return elements;
}

std::size_t count_inside(ByteView mask) noexcept {
  std::size_t count = 0;
  for (const std::byte b : mask) count += static_cast<std::size_t>(std::popcount(std::to_integer<unsigned>(b)));
  return count;
}

unsigned index_bits(std::size_t count) noexcept {
  return std::max(1U, static_cast<unsigned>(std::bit_width(count - 1)));
}

std::string_view to_text(Reveal reveal) noexcept { return reveal == Reveal::label ? "label" : "logits"; }
std::string_view to_text(Suite suite) noexcept { return suite == Suite::cryptflow2 ? "cryptflow2" : "masked"; }

std::string_view op_name(const OpKind& kind) noexcept {
  constexpr std::string_view names[] = {"Linear", "Relu", "Truncate", "ArgMax"};
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
  count(p.input_shape.size());
  for (const std::size_t d : p.input_shape) w.u64(d);
  w.f64(p.input_range);
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
    const OpFields f = fields_of(op.kind);
    w.u8(static_cast<std::uint8_t>(op.kind.index()));
    w.text(op.name);
    w.u64(f.a);
    w.u64(f.b);
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
  if (suite > 1 || reveal > 1) fail_input("the program: an unknown suite or output policy");
  p.suite = static_cast<Suite>(suite);
  p.reveal = static_cast<Reveal>(reveal);
  p.input_shape.resize(r.count(8));
  for (std::size_t& d : p.input_shape) d = r.u64();
  p.input_range = r.f64();
  p.input_norm = r.f64();
  const std::uint8_t has_grid = r.u8();
  if (has_grid > 1) fail_input("the program: a flag that is neither 0 nor 1");
  if (has_grid == 1) {
    Grid g;
    for (auto& n : g.shape) n = r.u32();
    for (auto& v : g.affine) v = r.f64();
    p.grid = g;
  }
  const std::uint8_t has_mask = r.u8();
  if (has_mask > 1) fail_input("the program: a flag that is neither 0 nor 1");
  if (has_mask == 1) {
    const ByteView mask = r.bytes(mask_bytes(elements_of(p.input_shape)));
    p.input_mask.assign(mask.begin(), mask.end());
    if (mask.empty()) fail_input("the program: a mask of nothing");
  }
  p.tensors.resize(r.count(13));
  for (TensorType& t : p.tensors) {
    t.count = r.u64();
    t.scale = static_cast<int>(r.u32());
    t.ring.bits = r.u8();
  }
  p.ops.resize(r.count(21));
  for (Op& op : p.ops) {
    const std::uint8_t kind = r.u8();
    op.name = r.text();
    OpFields f;
    f.a = r.u64();
    f.b = r.u64();
    op.kind = op_of(kind, f);
  }
  p.labels.resize(r.count(4));
  for (std::string& label : p.labels) label = r.text();
  r.expect_end();
  check(p);
  return p;
}

Digest program_hash(const Program& program) { return sha256(encode(program)); }

}  // namespace smpc
