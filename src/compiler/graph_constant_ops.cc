// Ops whose results are known: what exporters compute from shapes.
#include <algorithm>
#include <cmath>

#include "graph_builder.h"

namespace smpc {
namespace {

constexpr std::int64_t longest_range = std::int64_t{1} << 20;

}  // namespace

void GraphBuilder::shape_of(Node& node) {
  const Value from = value(node, 0);
  const Shape shape = std::visit([](const auto& v) { return v.shape; }, from);
  const auto n = static_cast<std::int64_t>(shape.size());
  const auto clamp = [&](std::int64_t v) { return std::clamp<std::int64_t>(v < 0 ? v + n : v, 0, n); };
  const std::int64_t start = clamp(take_int(node, "start", 0));
  const std::int64_t end = std::max(start, clamp(take_int(node, "end", n)));
  std::vector<std::int64_t> values(shape.begin() + start, shape.begin() + end);
  const std::size_t count = values.size();
  set_values(node, {count}, std::move(values));
}

void GraphBuilder::constant_of_shape(Node& node) {
  Shape shape;
  for (const std::int64_t v : integers(node, 0, "shape").values) {
    if (v <= 0 || v > (1 << 27)) fail(node, "shape: expected positive dimensions, found " + std::to_string(v));
    shape.push_back(static_cast<std::size_t>(v));
    if (elements(shape) > (1 << 27)) fail(node, "shape: too large");
  }
  double fill = 0;
  if (const auto at = node.attributes.find("value"); at != node.attributes.end()) {
    const auto* t = std::get_if<Tensor>(&at->second);
    if (t == nullptr || t->size() != 1) fail(node, "attribute 'value': expected one number");
    if (const auto* i = std::get_if<std::vector<std::int64_t>>(&t->values)) {
      const std::size_t count = elements(shape);
      if (count > (1 << 20)) fail(node, "shape: too large for integers");
      const std::vector<std::int64_t> values(count, i->front());
      node.attributes.erase(at);
      return set_values(node, std::move(shape), values);
    }
    if (const auto* f = std::get_if<SecretVector<float>>(&t->values)) fill = static_cast<double>(f->front());
    if (const auto* f = std::get_if<SecretVector<double>>(&t->values)) fill = f->front();
    node.attributes.erase(at);
  }
  set(node, add_constant(name_of(node), SecretVector<double>(1, fill), std::move(shape)));
}

// From start, in steps of delta, to what lies before the limit: max(ceil((limit - start) / delta), 0) of them.
void GraphBuilder::range(Node& node) {
  const auto count_of = [&](double start, double limit, double delta) {
    if (delta == 0) fail(node, "delta: expected a number other than 0");
    const double count = std::max(0.0, std::ceil((limit - start) / delta));
    if (!(count <= static_cast<double>(longest_range))) fail(node, "expected at most 2^20 elements");
    return static_cast<std::int64_t>(count);
  };
  if (is_float(node, 0)) {
    const double start = scalar(node, 0, "start");
    const double delta = scalar(node, 2, "delta");
    SecretVector<double> values;
    const std::int64_t count = count_of(start, scalar(node, 1, "limit"), delta);
    for (std::int64_t i = 0; i < count; ++i) values.push_back(start + static_cast<double>(i) * delta);
    return set(node, add_constant(name_of(node), std::move(values), {static_cast<std::size_t>(count)}));
  }
  const auto one = [&](std::size_t index, const char* role) {
    const GraphIntegers i = integers(node, index, role);
    constexpr std::int64_t far = std::int64_t{1} << 50;  // exact in double
    if (i.values.size() != 1) fail(node, std::string(role) + ": expected one number");
    if (i.values.front() < -far || i.values.front() > far) fail(node, std::string(role) + ": expected a number below 2^50");
    return i.values.front();
  };
  const std::int64_t start = one(0, "start");
  const std::int64_t limit = one(1, "limit");
  const std::int64_t delta = one(2, "delta");
  std::vector<std::int64_t> values;
  const std::int64_t count = count_of(static_cast<double>(start), static_cast<double>(limit), static_cast<double>(delta));
  for (std::int64_t i = 0; i < count; ++i) values.push_back(start + i * delta);
  set_values(node, {static_cast<std::size_t>(count)}, std::move(values));
}

}  // namespace smpc
