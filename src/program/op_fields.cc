#include "op_fields.h"

#include <limits>
#include <utility>

#include "smpc/base/error.h"

namespace smpc {
namespace {

constexpr std::size_t longest_runs = std::size_t{1} << 20;  // all of an op's together

// What is written and read: the same members, in the same order.
class Writer {
 public:
  template <class T>
  void number(const T& v) { fields.push_back(static_cast<std::uint64_t>(v)); }
  template <class T>
  void list(const std::vector<T>& v) {
    number(v.size());
    for (const T& x : v) number(x);
  }
  // As runs of numbers that are equally far apart, each as long as it can be: first, step, count.
  void runs(const std::vector<std::int64_t>& v) {
    const std::size_t at = fields.size();
    number(std::size_t{0});
    for (std::size_t i = 0; i < v.size();) {
      std::size_t end = i + 1;
      const std::uint64_t step = end < v.size() ? difference(v, i) : 0;
      while (end < v.size() && difference(v, end - 1) == step) ++end;
      number(v[i]);
      number(step);
      number(end - i);
      ++fields[at];
      i = end;
    }
  }
  std::vector<std::uint64_t> fields;

 private:
  static std::uint64_t difference(const std::vector<std::int64_t>& v, std::size_t i) {
    return static_cast<std::uint64_t>(v[i + 1]) - static_cast<std::uint64_t>(v[i]);
  }
};

class Reader {
 public:
  explicit Reader(const std::vector<std::uint64_t>& fields) : fields_(fields) {}
  template <class T>
  void number(T& v) {
    if (next_ == fields_.size()) fail_input("the program: an op with too few parameters");
    const std::uint64_t field = fields_[next_++];
    if constexpr (sizeof(T) < sizeof field) {
      if (field > std::numeric_limits<T>::max()) fail_input("the program: an op with a parameter of " + std::to_string(field));
    }
    v = static_cast<T>(field);
  }
  template <class T>
  void list(std::vector<T>& v) {
    std::size_t size = 0;
    number(size);
    if (size > fields_.size() - next_) fail_input("the program: an op with too few parameters");
    v.resize(size);
    for (T& x : v) number(x);
  }
  void runs(std::vector<std::int64_t>& v) {
    std::size_t count = 0;
    number(count);
    if (count > (fields_.size() - next_) / 3) fail_input("the program: an op with too few parameters");
    for (; count > 0; --count) {
      std::uint64_t value = 0, step = 0;
      std::size_t length = 0;
      number(value);
      number(step);
      number(length);
      if (length > longest_runs - v.size()) fail_input("the program: an op that takes more than 2^20 slices");
      for (; length > 0; --length, value += step) v.push_back(static_cast<std::int64_t>(value));
    }
  }
  void expect_end() const {
    if (next_ != fields_.size()) fail_input("the program: an op with too many parameters");
  }

 private:
  const std::vector<std::uint64_t>& fields_;
  std::size_t next_ = 0;
};

template <class Io, class Shape>
void shape(Io& io, Shape& s) {
  io.number(s.groups);
  io.number(s.in_channels);
  io.number(s.out_channels);
  for (auto& a : s.axes) {
    io.number(a.input);
    io.number(a.output);
    io.number(a.kernel);
    io.number(a.stride);
    io.number(a.dilation);
    io.number(a.spread);
    io.number(a.pad);
  }
}

template <class Io>
struct Members {
  Io& io;
  template <class Op>
  void operator()(Op& op) {
    using Kind = std::remove_const_t<Op>;
    if constexpr (std::is_same_v<Kind, LinearOp>) {
      io.number(op.inputs);
      io.number(op.outputs);
    } else if constexpr (std::is_same_v<Kind, ReluOp> || std::is_same_v<Kind, TruncateOp>) {
      io.number(op.shift);
    } else if constexpr (std::is_same_v<Kind, ConvOp> || std::is_same_v<Kind, WindowSumOp>) {
      shape(io, op.shape);
    } else if constexpr (std::is_same_v<Kind, SumOp>) {
      io.list(op.factors);
      io.number(op.offset);
    } else if constexpr (std::is_same_v<Kind, ScaleOp>) {
      io.number(op.outer);
      io.number(op.inner);
      io.list(op.factors);
    } else if constexpr (std::is_same_v<Kind, TransposeOp>) {
      io.list(op.dims);
      io.list(op.order);
    } else if constexpr (std::is_same_v<Kind, TakeOp>) {
      io.number(op.outer);
      io.number(op.size);
      io.number(op.inner);
      io.runs(op.slices);
    } else if constexpr (std::is_same_v<Kind, ConcatOp>) {
      io.number(op.outer);
    } else if constexpr (std::is_same_v<Kind, ProductOp>) {
      io.number(op.batch);
      io.number(op.rows);
      io.number(op.inner);
      io.number(op.columns);
    } else if constexpr (std::is_same_v<Kind, LookupOp>) {
      io.number(op.bits);
      io.list(op.table);
    }
  }
};

// The kind of a number, all of its parameters at their defaults.
template <std::size_t... I>
OpKind kind_of(std::uint8_t index, std::index_sequence<I...>) {
  OpKind out;
  if (!((index == I ? (out.emplace<I>(), true) : false) || ...)) {
    fail_input("the program: an op of kind " + std::to_string(index) + ", expected 0 to " + std::to_string(sizeof...(I) - 1));
  }
  return out;
}

}  // namespace

std::vector<std::uint64_t> fields_of(const OpKind& kind) {
  Writer out;
  std::visit(Members<Writer>{out}, kind);
  return std::move(out.fields);
}

OpKind op_of(std::uint8_t kind, const std::vector<std::uint64_t>& fields) {
  OpKind out = kind_of(kind, std::make_index_sequence<std::variant_size_v<OpKind>>());
  Reader in(fields);
  std::visit(Members<Reader>{in}, out);
  in.expect_end();
  // Runs can be told in several ways.
  if (fields_of(out) != fields) fail_input("the program: an op whose slices are not told in the shortest way");
  return out;
}

}  // namespace smpc
