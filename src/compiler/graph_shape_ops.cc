// Ops that move values, and what exporters compute from shapes.
#include <algorithm>
#include <numeric>

#include "graph_builder.h"

namespace smpc {
namespace {

constexpr std::int64_t cast_to_float = 1;
constexpr std::int64_t cast_to_int32 = 6;
constexpr std::int64_t cast_to_int64 = 7;
constexpr std::int64_t cast_to_float16 = 10;
constexpr std::int64_t cast_to_double = 11;

constexpr std::int64_t most_slices = std::int64_t{1} << 20;

std::vector<std::int64_t> counted(std::size_t count) {
  std::vector<std::int64_t> out(count);
  std::iota(out.begin(), out.end(), 0);
  return out;
}

}  // namespace

GraphData GraphBuilder::viewed(GraphData d, Shape shape) const { return {d.value, std::move(shape)}; }

GraphData GraphBuilder::transposed(const Node& node, const GraphData& d, const Shape& order) {
  Shape out;
  for (const std::size_t a : order) out.push_back(d.shape[a]);
  // Dimensions of one element move without a copy.
  Shape moving;
  for (const std::size_t a : order) {
    if (d.shape[a] != 1) moving.push_back(a);
  }
  if (std::is_sorted(moving.begin(), moving.end())) return viewed(d, std::move(out));
  TransposeOp op;
  std::vector<std::size_t> place(d.shape.size());
  for (std::size_t a = 0; a < d.shape.size(); ++a) {
    if (d.shape[a] == 1) continue;
    place[a] = op.dims.size();
    op.dims.push_back(d.shape[a]);
  }
  for (const std::size_t a : moving) op.order.push_back(place[a]);
  return add(name_of(node), std::move(op), {d}, std::move(out));
}

void GraphBuilder::expect_few_slices(const Node& node, std::int64_t count) const {
  if (count > most_slices) fail(node, "takes more than 2^20 slices along one axis");
}

GraphData GraphBuilder::taken(const Node& node, const GraphData& d, std::size_t axis, std::vector<std::int64_t> slices) {
  bool all = slices.size() == d.shape[axis];
  for (std::size_t i = 0; i < slices.size() && all; ++i) all = slices[i] == static_cast<std::int64_t>(i);
  if (all) return d;
  Shape out = d.shape;
  out[axis] = slices.size();
  return add(name_of(node), TakeOp{before(d.shape, axis), d.shape[axis], after(d.shape, axis), std::move(slices)}, {d}, std::move(out));
}

GraphData GraphBuilder::spread(const Node& node, const GraphData& d, const Shape& to) {
  GraphData out = d;
  out.shape.insert(out.shape.begin(), to.size() - d.shape.size(), 1);
  for (std::size_t a = 0; a < to.size(); ++a) {
    expect_few_slices(node, out.shape[a] == to[a] ? 1 : static_cast<std::int64_t>(to[a]));
    if (out.shape[a] != to[a]) out = taken(node, out, a, std::vector<std::int64_t>(to[a], 0));
  }
  return out;
}

// By numpy's rule; none where they do not fit.
std::optional<Shape> GraphBuilder::broadcast(const Shape& a, const Shape& b) const {
  Shape out(std::max(a.size(), b.size()), 1);
  for (std::size_t i = 0; i < out.size(); ++i) {
    const std::size_t of_a = i < a.size() ? a[a.size() - 1 - i] : 1;
    const std::size_t of_b = i < b.size() ? b[b.size() - 1 - i] : 1;
    if (of_a != of_b && of_a != 1 && of_b != 1) return std::nullopt;
    out[out.size() - 1 - i] = of_a == 1 ? of_b : of_a;
  }
  return out;
}

void GraphBuilder::flatten(Node& node) {
  const GraphData d = data(node, 0);
  const std::int64_t given = take_int(node, "axis", 1);
  const std::size_t rank = d.shape.size();
  // Unlike elsewhere, the axis may equal the rank.
  const std::size_t axis = given == static_cast<std::int64_t>(rank) ? rank : axis_of(node, given, rank, 11);
  const std::size_t rows = before(d.shape, axis);
  set(node, viewed(d, {rows, elements(d.shape) / rows}));
}

void GraphBuilder::reshape(Node& node) {
  const bool allow_zero = take_flag(node, "allowzero", false);
  const GraphIntegers target = integers(node, 1, "shape");
  const Value from = value(node, 0);
  const Shape old = std::visit([](const auto& v) { return v.shape; }, from);
  const std::size_t count = elements(old);
  Shape out;
  std::optional<std::size_t> inferred;
  for (std::size_t i = 0; i < target.values.size(); ++i) {
    const std::int64_t d = target.values[i];
    if (d == 0 && !allow_zero && i < old.size()) {
      out.push_back(old[i]);
    } else if (d == -1 && !inferred) {
      inferred = i;
      out.push_back(1);
    } else if (d > 0 && static_cast<std::size_t>(d) <= count) {
      out.push_back(static_cast<std::size_t>(d));
    } else {
      fail(node, "shape: dimension " + std::to_string(i) + " is " + std::to_string(d) + ", which has no meaning for an input of shape " + to_text(old));
    }
  }
  std::size_t given = 1;
  for (const std::size_t d : out) given = given > count ? given : given * d;
  if (inferred && given > 0 && count % given == 0) out[*inferred] = count / given;
  if (given > count || elements(out) != count) fail(node, "shape " + to_text(out) + " does not fit the input of shape " + to_text(old));
  if (const auto* list = std::get_if<GraphIntegers>(&from)) return set_values(node, std::move(out), list->values);
  set(node, viewed(data(node, 0), std::move(out)));
}

void GraphBuilder::squeeze(Node& node) {
  const Value from = value(node, 0);
  const Shape old = std::visit([](const auto& v) { return v.shape; }, from);
  const auto axes = axes_of(node, old.size(), 13);
  Shape out;
  for (std::size_t i = 0; i < old.size(); ++i) {
    const bool removed = axes ? std::find(axes->begin(), axes->end(), i) != axes->end() : old[i] == 1;
    if (removed && old[i] != 1) fail(node, "axis " + std::to_string(i) + " of " + to_text(old) + " is not 1");
    if (!removed) out.push_back(old[i]);
  }
  if (const auto* list = std::get_if<GraphIntegers>(&from)) return set_values(node, std::move(out), list->values);
  set(node, viewed(data(node, 0), std::move(out)));
}

void GraphBuilder::unsqueeze(Node& node) {
  const Value from = value(node, 0);
  const Shape old = std::visit([](const auto& v) { return v.shape; }, from);
  // Axes count in the result's shape, which has one more for each of them.
  std::size_t count = 0;
  if (const auto at = node.attributes.find("axes"); at != node.attributes.end()) {
    if (const auto* list = std::get_if<std::vector<std::int64_t>>(&at->second)) count = list->size();
  } else if (model_.opset >= 13) {
    count = integers(node, 1, "axes").values.size();
  }
  const auto axes = axes_of(node, old.size() + count, 13);
  if (!axes) fail(node, "expected axes, found none");
  Shape out;
  std::size_t next = 0;
  for (std::size_t i = 0; i < old.size() + axes->size(); ++i) {
    out.push_back(std::find(axes->begin(), axes->end(), i) != axes->end() ? 1 : old[next++]);
  }
  if (const auto* list = std::get_if<GraphIntegers>(&from)) return set_values(node, std::move(out), list->values);
  set(node, viewed(data(node, 0), std::move(out)));
}

void GraphBuilder::transpose(Node& node) {
  const GraphData d = data(node, 0);
  const std::size_t rank = d.shape.size();
  Shape order(rank);
  for (std::size_t i = 0; i < rank; ++i) order[i] = rank - 1 - i;
  if (const auto perm = take_ints(node, "perm")) {
    std::set<std::int64_t> seen(perm->begin(), perm->end());
    const auto n = static_cast<std::int64_t>(rank);
    if (perm->size() != rank || seen.size() != rank || *seen.begin() < 0 || *seen.rbegin() >= n) {
      fail(node, "perm: expected an order of " + std::to_string(rank) + " dimensions");
    }
    for (std::size_t i = 0; i < rank; ++i) order[i] = static_cast<std::size_t>((*perm)[i]);
  }
  set(node, transposed(node, d, order));
}

void GraphBuilder::slice(Node& node) {
  std::vector<std::int64_t> starts;
  std::vector<std::int64_t> ends;
  std::optional<std::vector<std::int64_t>> axes;
  std::optional<std::vector<std::int64_t>> steps;
  if (model_.opset < 10) {
    starts = take_ints(node, "starts").value_or(Dims{});
    ends = take_ints(node, "ends").value_or(Dims{});
    axes = take_ints(node, "axes");
  } else {
    starts = integers(node, 1, "starts").values;
    ends = integers(node, 2, "ends").values;
    if (has_input(node, 3)) axes = integers(node, 3, "axes").values;
    if (has_input(node, 4)) steps = integers(node, 4, "steps").values;
  }
  const Value from = value(node, 0);
  const Shape shape = std::visit([](const auto& v) { return v.shape; }, from);
  if (!axes) axes = counted(starts.size());
  if (ends.size() != starts.size() || axes->size() != starts.size() || (steps && steps->size() != starts.size())) {
    fail(node, "expected as many ends, axes and steps as starts, " + std::to_string(starts.size()));
  }
  std::set<std::size_t> seen;
  std::optional<GraphData> d;
  if (std::holds_alternative<GraphData>(from)) d = data(node, 0);
  std::vector<std::int64_t> list;
  if (!d) {
    list = std::get<GraphIntegers>(from).values;
    if (shape.size() != 1) fail(node, "expected a list of integers, found shape " + to_text(shape));
  }
  for (std::size_t i = 0; i < starts.size(); ++i) {
    const std::size_t axis = axis_of(node, (*axes)[i], shape.size(), 10);
    if (!seen.insert(axis).second) fail(node, "axes: " + std::to_string((*axes)[i]) + " is given twice");
    const auto n = static_cast<std::int64_t>(shape[axis]);
    expect_few_slices(node, n);
    const std::int64_t step = steps ? (*steps)[i] : 1;
    if (step == 0) fail(node, "steps: expected a number other than 0");
    const auto clamp = [&](std::int64_t at, std::int64_t low, std::int64_t high) {
      return std::clamp(at < 0 ? at + n : at, low, high);
    };
    std::vector<std::int64_t> slices;
    if (step > 0) {
      const std::int64_t end = clamp(ends[i], 0, n);
      for (std::int64_t at = clamp(starts[i], 0, n); at < end; at += std::min(step, n)) slices.push_back(at);
    } else {
      const std::int64_t end = clamp(ends[i], -1, n - 1);
      for (std::int64_t at = clamp(starts[i], -1, n - 1); at > end; at += std::max(step, -n)) slices.push_back(at);
    }
    if (d) {
      if (slices.empty()) fail(node, "takes nothing of axis " + std::to_string(axis) + " of shape " + to_text(shape));
      d = taken(node, *d, axis, std::move(slices));
    } else {
      std::vector<std::int64_t> part;
      for (const std::int64_t at : slices) part.push_back(list[static_cast<std::size_t>(at)]);
      list = std::move(part);
    }
  }
  if (d) return set(node, *d);
  const std::size_t left = list.size();
  set_values(node, {left}, std::move(list));
}

void GraphBuilder::split(Node& node) {
  const GraphData d = data(node, 0);
  const std::size_t axis = axis_of(node, take_int(node, "axis", 0), d.shape.size(), 1);  // exporters count from behind early on
  std::optional<std::vector<std::int64_t>> sizes = take_ints(node, "split");
  if (model_.opset >= 13 && has_input(node, 1)) sizes = integers(node, 1, "split").values;
  const auto parts = static_cast<std::int64_t>(node.outputs.size());
  const auto all = static_cast<std::int64_t>(d.shape[axis]);
  if (!sizes) {
    const std::int64_t wanted = take_int(node, "num_outputs", parts);
    if (wanted != parts) fail(node, "num_outputs: expected " + std::to_string(parts) + ", as it has outputs, found " + std::to_string(wanted));
    if (model_.opset < 18 && all % parts != 0) fail(node, std::to_string(all) + " elements cannot be split into " + std::to_string(parts) + " equal parts");
    const std::int64_t part = (all + parts - 1) / parts;
    sizes.emplace();
    for (std::int64_t i = 0; i < parts; ++i) sizes->push_back(std::min(part, all - i * part));
  }
  std::int64_t at = 0;
  for (const std::int64_t s : *sizes) {
    if (s <= 0 || s > all) fail(node, "split: expected sizes from 1 to " + std::to_string(all));
    at += s;
  }
  if (static_cast<std::int64_t>(sizes->size()) != parts || at != all) {
    fail(node, "split: expected " + std::to_string(parts) + " sizes that add up to " + std::to_string(all));
  }
  expect_few_slices(node, all);
  at = 0;
  for (std::size_t i = 0; i < sizes->size(); ++i) {
    std::vector<std::int64_t> slices;
    for (std::int64_t k = 0; k < (*sizes)[i]; ++k) slices.push_back(at++);
    if (!node.outputs[i].empty()) set(node, taken(node, d, axis, std::move(slices)), i);
  }
}

void GraphBuilder::gather(Node& node) {
  const std::int64_t given = take_int(node, "axis", 0);
  const auto* at = std::get_if<GraphIntegers>(&value(node, 1));
  if (at == nullptr) fail(node, "indices: expected constant integers, found computed values");
  const GraphIntegers indices = *at;
  const Value from = value(node, 0);
  const Shape shape = std::visit([](const auto& v) { return v.shape; }, from);
  const std::size_t axis = axis_of(node, given, shape.size(), 1);
  const auto n = static_cast<std::int64_t>(shape[axis]);
  std::vector<std::int64_t> slices;
  for (const std::int64_t i : indices.values) {
    if (i < -n || i >= n) fail(node, "indices: expected " + std::to_string(-n) + " to " + std::to_string(n - 1) + ", found " + std::to_string(i));
    slices.push_back(i < 0 ? i + n : i);
  }
  Shape out(shape.begin(), shape.begin() + static_cast<std::ptrdiff_t>(axis));
  out.insert(out.end(), indices.shape.begin(), indices.shape.end());
  out.insert(out.end(), shape.begin() + static_cast<std::ptrdiff_t>(axis) + 1, shape.end());
  if (const auto* list = std::get_if<GraphIntegers>(&from)) {
    if (shape.size() != 1) fail(node, "expected a list of integers, found shape " + to_text(shape));
    std::vector<std::int64_t> values;
    for (const std::int64_t i : slices) values.push_back(list->values[static_cast<std::size_t>(i)]);
    return set_values(node, std::move(out), std::move(values));
  }
  if (slices.empty()) fail(node, "indices: expected at least one");
  set(node, viewed(taken(node, data(node, 0), axis, std::move(slices)), std::move(out)));
}

void GraphBuilder::concat(Node& node) {
  const std::int64_t given = take_int(node, "axis", 0);
  if (!is_float(node, 0)) {
    std::vector<std::int64_t> values;
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
      const GraphIntegers part = integers(node, i, "input");
      if (part.shape.size() != 1) fail(node, "expected lists, found a scalar");
      values.insert(values.end(), part.values.begin(), part.values.end());
    }
    axis_of(node, given, 1, 11);
    const std::size_t count = values.size();
    return set_values(node, {count}, std::move(values));
  }
  std::vector<GraphData> parts;
  for (std::size_t i = 0; i < node.inputs.size(); ++i) parts.push_back(data(node, i));
  const std::size_t axis = axis_of(node, given, parts[0].shape.size(), 11);
  Shape out = parts[0].shape;
  for (std::size_t i = 1; i < parts.size(); ++i) {
    Shape like = parts[i].shape;
    if (like.size() == out.size()) like[axis] = out[axis];
    if (like != out) fail(node, "cannot join shapes " + to_text(out) + " and " + to_text(parts[i].shape) + " along axis " + std::to_string(axis));
    out[axis] += parts[i].shape[axis];
  }
  if (parts.size() == 1) return set(node, parts[0]);
  const std::size_t outer = before(out, axis);
  set(node, add(name_of(node), ConcatOp{outer}, parts, std::move(out)));
}

void GraphBuilder::pad(Node& node) {
  GraphData d = data(node, 0);
  const std::string mode = take_text(node, "mode", "constant");
  std::vector<std::int64_t> pads;
  double fill = 0;
  std::vector<std::int64_t> axes = counted(d.shape.size());
  if (model_.opset < 11) {
    pads = take_ints(node, "pads").value_or(Dims{});
    fill = static_cast<double>(take_float(node, "value", 0));
  } else {
    pads = integers(node, 1, "pads").values;
    if (has_input(node, 2)) fill = scalar(node, 2, "constant_value");
    if (has_input(node, 3)) axes = integers(node, 3, "axes").values;
  }
  if (mode != "constant" && mode != "reflect" && mode != "edge") fail(node, "mode: expected constant, reflect or edge, found " + quote_name(mode));
  if (pads.size() != 2 * axes.size()) fail(node, "pads: expected " + std::to_string(2 * axes.size()) + ", found " + std::to_string(pads.size()));
  if (mode == "constant" && fill != 0) d = offset(node, d, -fill);  // what is padded is zero then
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const std::size_t axis = axis_of(node, axes[i], d.shape.size(), 1);
    const auto n = static_cast<std::int64_t>(d.shape[axis]);
    const std::int64_t first = pads[i];
    const std::int64_t last = pads[i + axes.size()];
    constexpr std::int64_t far = std::int64_t{1} << 31;
    if (first < -far || last < -far || first > far || last > far || n + first + last <= 0) {
      fail(node, "pads: nothing is left of axis " + std::to_string(axis) + " of shape " + to_text(d.shape));
    }
    if (first != 0 || last != 0) expect_few_slices(node, n + first + last);
    if (first == 0 && last == 0) continue;
    std::vector<std::int64_t> slices;
    for (std::int64_t at = -first; at < n + last; ++at) {
      std::int64_t from = at;
      if (mode == "edge") from = std::clamp<std::int64_t>(at, 0, n - 1);
      if (mode == "reflect") {
        if (first >= n || last >= n) fail(node, "pads: more than there is to reflect of axis " + std::to_string(axis));
        from = at < 0 ? -at : at >= n ? 2 * (n - 1) - at : at;
      }
      slices.push_back(from < 0 || from >= n ? -1 : from);
    }
    d = taken(node, d, axis, std::move(slices));
  }
  if (mode == "constant" && fill != 0) d = offset(node, d, fill);
  set(node, d);
}

void GraphBuilder::expand(Node& node) {
  const GraphData d = data(node, 0);
  Shape wanted;
  for (const std::int64_t v : integers(node, 1, "shape").values) {
    if (v <= 0) fail(node, "shape: expected positive dimensions, found " + std::to_string(v));
    wanted.push_back(static_cast<std::size_t>(v));
  }
  const auto to = broadcast(d.shape, wanted);
  if (!to) fail(node, "shape " + to_text(wanted) + " does not fit the input of shape " + to_text(d.shape));
  set(node, spread(node, d, *to));
}

bool GraphBuilder::follows_end(const Node& node) const {
  const std::string& out = node.outputs.front();
  return (network_.tail != Tail::none && ending_.after.count(out) != 0) || (label_taken_ && ending_.after_label.count(out) != 0);
}

void GraphBuilder::pass_on(Node& node) {
  bool narrows = false;
  if (follows_end(node)) {
    take_int(node, "to", 0);
    take_int(node, "saturate", 1);
  } else if (node.op == "Cast") {
    const std::int64_t to = take_int(node, "to", 0);
    take_int(node, "saturate", 1);  // from opset 19 on; of float8 alone
    const bool to_float = to == cast_to_float || to == cast_to_double || to == cast_to_float16;
    narrows = to == cast_to_int32;
    const bool to_integer = to == cast_to_int64 || narrows;
    if (!to_float && !to_integer) fail(node, "to: expected a floating-point type, int64 or int32, found type " + std::to_string(to));
    if (is_float(node, 0) && !to_float) fail(node, "to: computed values can be cast between floating-point types only");
    if (!is_float(node, 0) && to_float) {
      const GraphIntegers from = integers(node, 0, "input");
      return set(node, add_constant(name_of(node), SecretVector<double>(from.values.begin(), from.values.end()), from.shape));
    }
  }
  if (is_float(node, 0)) return set(node, data(node, 0));
  const Value v = value(node, 0);
  if (narrows) {
    for (const std::int64_t i : std::get<GraphIntegers>(v).values) {
      if (i < INT32_MIN || i > INT32_MAX) fail(node, "to: " + std::to_string(i) + " does not fit int32");
    }
  }
  set(node, v);
}

// In inference it passes its input on.
void GraphBuilder::dropout(Node& node) {
  const GraphData d = data(node, 0);
  if (model_.opset < 12) {
    take_float(node, "ratio", 0.5F);
    if (model_.opset < 7 && !take_flag(node, "is_test", false)) {
      fail(node, "is in training mode (is_test = 0); export the model for inference");
    }
  } else {
    take_int(node, "seed", 0);
    if (has_input(node, 1)) scalar(node, 1, "ratio");
    if (has_input(node, 2)) {
      const GraphIntegers mode = integers(node, 2, "training_mode");
      if (mode.values.size() != 1) fail(node, "training_mode: expected one bool");
      if (mode.values.front() != 0) fail(node, "is in training mode; export the model for inference (model.eval())");
    }
  }
  set(node, d);
}

}  // namespace smpc
