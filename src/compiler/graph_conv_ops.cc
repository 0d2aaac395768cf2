// Windows over an image, and convolutions.
#include <algorithm>

#include "graph_builder.h"

namespace smpc {

Shape GraphBuilder::kernel_of(Node& node, std::size_t rank, std::optional<Shape> of_weights) {
  const auto given = take_ints(node, "kernel_shape");
  if (!given && !of_weights) fail(node, "expected attribute 'kernel_shape', found none");
  Shape kernel;
  if (given) {
    for (const std::int64_t k : *given) {
      if (k <= 0 || k > (1 << 20)) fail(node, "kernel_shape: expected positive numbers, found " + std::to_string(k));
      kernel.push_back(static_cast<std::size_t>(k));
    }
  } else {
    kernel = *of_weights;
  }
  if (kernel.size() != rank) fail(node, "kernel_shape: expected " + std::to_string(rank) + " numbers, found " + std::to_string(kernel.size()));
  if (of_weights && kernel != *of_weights) fail(node, "kernel_shape: expected that of the weights, " + to_text(*of_weights) + ", found " + to_text(kernel));
  return kernel;
}

GraphBuilder::Windows GraphBuilder::take_windows(Node& node, const Shape& image, const Shape& kernel) {
  const std::size_t rank = image.size();
  constexpr std::int64_t far = std::int64_t{1} << 30;
  const auto numbers = [&](const char* name, std::size_t count, std::int64_t otherwise, std::int64_t least) {
    Dims out = take_ints(node, name).value_or(Dims(count, otherwise));
    if (out.size() != count) fail(node, std::string(name) + ": expected " + std::to_string(count) + " numbers, found " + std::to_string(out.size()));
    for (const std::int64_t v : out) {
      if (v < least || v > far) fail(node, std::string(name) + ": expected numbers of at least " + std::to_string(least) + ", found " + std::to_string(v));
    }
    return out;
  };
  const Dims strides = numbers("strides", rank, 1, 1);
  const Dims dilations = numbers("dilations", rank, 1, 1);
  const bool has_pads = node.attributes.count("pads") != 0;
  Dims pads = numbers("pads", 2 * rank, 0, 0);
  const std::string automatic = take_text(node, "auto_pad", "NOTSET");
  const bool ceil = take_flag(node, "ceil_mode", false);
  const bool same = automatic == "SAME_UPPER" || automatic == "SAME_LOWER";
  if (!same && automatic != "NOTSET" && automatic != "VALID" && !automatic.empty()) {
    fail(node, "auto_pad: expected NOTSET, VALID, SAME_UPPER or SAME_LOWER, found " + quote_name(automatic));
  }
  if (has_pads && automatic != "NOTSET" && !automatic.empty() && std::any_of(pads.begin(), pads.end(), [](auto p) { return p != 0; })) {
    fail(node, "pads: expected none beside auto_pad");
  }
  Windows out;
  for (std::size_t i = 0; i < rank; ++i) {
    const auto n = static_cast<std::int64_t>(image[i]);
    const std::int64_t reach = (static_cast<std::int64_t>(kernel[i]) - 1) * dilations[i] + 1;
    std::int64_t first = pads[i];
    std::int64_t last = pads[rank + i];
    if (same) {
      const std::int64_t total = std::max<std::int64_t>(0, ((n + strides[i] - 1) / strides[i] - 1) * strides[i] + reach - n);
      first = automatic == "SAME_UPPER" ? total / 2 : total - total / 2;
      last = total - first;
    }
    const std::int64_t room = n + first + last - reach;
    if (room < 0) fail(node, "its kernel reaches over " + std::to_string(reach) + " elements, more than its padded input has, " + std::to_string(n + first + last));
    std::int64_t windows = (room + (ceil ? strides[i] - 1 : 0)) / strides[i] + 1;
    if (ceil && (windows - 1) * strides[i] >= n + first) --windows;  // one that would begin behind the input
    if (windows > (std::int64_t{1} << 26) / static_cast<std::int64_t>(kernel[i])) {
      fail(node, "its windows along axis " + std::to_string(i + 2) + " have more than 2^26 elements together");
    }
    ConvAxis a;
    a.input = image[i];
    a.output = static_cast<std::size_t>(windows);
    a.kernel = kernel[i];
    a.stride = static_cast<std::size_t>(strides[i]);
    a.dilation = static_cast<std::size_t>(dilations[i]);
    a.pad = first;
    out.axes.push_back(a);
    out.pads_after.push_back(last);
  }
  return out;
}

// ---- Convolutions. An image is [N, C, up to three dimensions].

// Of several images, the batch is the map's first axis: behind the channels.
GraphData GraphBuilder::mapped_images(const Node& node, const GraphData& x, MapNode map, const Shape& shape) {
  Shape order(x.shape.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::swap(order[0], order[1]);
  Shape turned = shape;
  std::swap(turned[0], turned[1]);
  if (shape[0] == 1) return mapped(node, x, std::move(map), shape);
  return transposed(node, mapped(node, transposed(node, x, order), std::move(map), std::move(turned)), order);
}

void GraphBuilder::conv(Node& node) {
  const GraphData x = data(node, 0);
  const GraphData w = known(node, 1, "weight");
  const std::size_t rank = x.shape.size() - std::min<std::size_t>(2, x.shape.size());
  if (rank < 1 || rank > 3) fail(node, "expected an image of one to three dimensions, found shape " + to_text(x.shape));
  if (w.shape.size() != rank + 2) fail(node, "weight " + quote_name(node.inputs[1]) + ": expected " + std::to_string(rank + 2) + " dimensions, found shape " + to_text(w.shape));
  const std::int64_t groups = take_int(node, "group", 1);
  const std::size_t channels = x.shape[1];
  const std::size_t rows = w.shape[0];
  const auto g = static_cast<std::size_t>(groups);
  if (groups <= 0 || channels % g != 0 || rows % g != 0 || w.shape[1] != channels / g) {
    fail(node, "weight " + quote_name(node.inputs[1]) + ": expected channels that fit " + std::to_string(channels) + " in " + std::to_string(groups) + " groups, found shape " + to_text(w.shape));
  }
  const Shape image(x.shape.begin() + 2, x.shape.end());
  const Shape kernel = kernel_of(node, rank, Shape(w.shape.begin() + 2, w.shape.end()));
  const Windows windows = take_windows(node, image, kernel);
  const std::size_t batch = x.shape[0];
  MapNode map;
  map.weights = weights_of(w);
  map.bias.resize(rows);
  if (has_input(node, 2)) {
    const GraphData b = known(node, 2, "bias");
    if (elements(b.shape) != rows) fail(node, "bias " + quote_name(node.inputs[2]) + ": expected " + std::to_string(rows) + " values, found shape " + to_text(b.shape));
    map.bias = constant(b);
  }
  Shape out{batch, rows};
  for (const ConvAxis& a : windows.axes) out.push_back(a.output);
  if (batch == 1) {
    map.shape = conv_shape(g, channels / g, rows / g, windows.axes);
    return set(node, mapped(node, x, std::move(map), std::move(out)));
  }
  if (rank < 3) {  // the batch is one more axis of the image
    std::vector<ConvAxis> axes{row(batch)};
    axes.insert(axes.end(), windows.axes.begin(), windows.axes.end());
    map.shape = conv_shape(g, channels / g, rows / g, axes);
    return set(node, mapped_images(node, x, std::move(map), out));
  }
  // More groups, with the same weights.
  if (batch > (std::size_t{1} << 25) / map.weights.size()) fail(node, "its weights for each of " + std::to_string(batch) + " images are too many");
  map.shape = conv_shape(batch * g, channels / g, rows / g, windows.axes);
  const std::size_t one = map.weights.size();
  for (std::size_t n = 1; n < batch; ++n) {
    for (std::size_t i = 0; i < one; ++i) map.weights.push_back(map.weights[i]);
    for (std::size_t r = 0; r < rows; ++r) map.bias.push_back(map.bias[r]);
  }
  set(node, mapped(node, x, std::move(map), std::move(out)));
}

// The convolution of an input between whose elements zeros lie, with the kernel turned round.
void GraphBuilder::conv_transpose(Node& node) {
  const GraphData x = data(node, 0);
  const GraphData w = known(node, 1, "weight");
  const std::size_t rank = x.shape.size() - std::min<std::size_t>(2, x.shape.size());
  if (rank < 1 || rank > 3 || w.shape.size() != rank + 2) {
    fail(node, "expected an image of one to three dimensions and weights of two more, found shapes " + to_text(x.shape) + " and " + to_text(w.shape));
  }
  const std::size_t batch = x.shape[0];
  if (batch != 1 && rank == 3) fail(node, "expected a batch of one for three dimensions, found shape " + to_text(x.shape));
  const std::int64_t groups = take_int(node, "group", 1);
  const auto g = static_cast<std::size_t>(groups);
  const std::size_t channels = x.shape[1];
  if (groups <= 0 || channels % g != 0 || w.shape[0] != channels) {
    fail(node, "weight " + quote_name(node.inputs[1]) + ": expected " + std::to_string(channels) + " channels in " + std::to_string(groups) + " groups, found shape " + to_text(w.shape));
  }
  const Shape kernel = kernel_of(node, rank, Shape(w.shape.begin() + 2, w.shape.end()));
  constexpr std::int64_t far = std::int64_t{1} << 20;
  const auto numbers = [&](const char* name, std::size_t count, std::int64_t otherwise) {
    Dims out = take_ints(node, name).value_or(Dims(count, otherwise));
    if (out.size() != count) fail(node, std::string(name) + ": expected " + std::to_string(count) + " numbers, found " + std::to_string(out.size()));
    for (const std::int64_t v : out) {
      if (v < 0 || v > far) fail(node, std::string(name) + ": " + std::to_string(v) + " is out of range");
    }
    return out;
  };
  const Dims strides = numbers("strides", rank, 1);
  const Dims dilations = numbers("dilations", rank, 1);
  const Dims more = numbers("output_padding", rank, 0);
  Dims pads = numbers("pads", 2 * rank, 0);
  const std::string automatic = take_text(node, "auto_pad", "NOTSET");
  const auto wanted = take_ints(node, "output_shape");
  const bool same = automatic == "SAME_UPPER" || automatic == "SAME_LOWER";
  if (!same && automatic != "NOTSET" && automatic != "VALID") {
    fail(node, "auto_pad: expected NOTSET, VALID, SAME_UPPER or SAME_LOWER, found " + quote_name(automatic));
  }
  if (wanted && wanted->size() != rank) fail(node, "output_shape: expected " + std::to_string(rank) + " numbers, found " + std::to_string(wanted->size()));
  for (const std::int64_t size : wanted.value_or(Dims{})) {
    if (size <= 0 || size > far) fail(node, "output_shape: " + std::to_string(size) + " is out of range");
  }
  const std::size_t out_channels = w.shape[1];
  Shape out{batch, g * out_channels};
  std::vector<ConvAxis> axes;
  for (std::size_t i = 0; i < rank; ++i) {
    if (strides[i] == 0 || dilations[i] == 0) fail(node, "strides and dilations: expected positive numbers");
    const auto n = static_cast<std::int64_t>(x.shape[2 + i]);
    const std::int64_t reach = (static_cast<std::int64_t>(kernel[i]) - 1) * dilations[i] + 1;
    const std::int64_t full = strides[i] * (n - 1) + more[i] + reach;
    std::int64_t size = full - pads[i] - pads[rank + i];
    if (wanted || same) {
      size = wanted ? (*wanted)[i] : n * strides[i];
      // What is left over is cut off at both ends; what is missing is zero at the end.
      const std::int64_t total = std::max<std::int64_t>(0, full - size);
      pads[i] = automatic == "SAME_LOWER" ? (total + 1) / 2 : total / 2;
      if (automatic == "NOTSET") pads[i] = total - total / 2;
    }
    if (size <= 0 || size > (std::int64_t{1} << 26) / static_cast<std::int64_t>(kernel[i])) fail(node, "its output would have " + std::to_string(size) + " elements along axis " + std::to_string(i + 2));
    ConvAxis a;
    a.input = x.shape[2 + i];
    a.output = static_cast<std::size_t>(size);
    a.kernel = kernel[i];
    a.dilation = static_cast<std::size_t>(dilations[i]);
    a.spread = static_cast<std::size_t>(strides[i]);
    a.pad = reach - 1 - pads[i];
    axes.push_back(a);
    out.push_back(a.output);
  }
  MapNode map;
  const std::size_t in = channels / g;
  if (batch > 1) axes.insert(axes.begin(), row(batch));
  map.shape = conv_shape(g, in, out_channels, axes);
  map.bias.resize(map.shape.rows());
  map.weights.resize(map.shape.rows() * map.shape.columns());
  const std::size_t window = after(w.shape, 1);
  const SecretVector<double>& weights = constant(w);
  for (std::size_t c = 0; c < channels; ++c) {
    for (std::size_t m = 0; m < out_channels; ++m) {
      for (std::size_t k = 0; k < window; ++k) {
        const std::size_t to = ((c / in * out_channels + m) * in + c % in) * window + (window - 1 - k);
        map.weights[to] = static_cast<float>(weights[(c * out_channels + m) * window + k]);
      }
    }
  }
  if (has_input(node, 2)) {
    const GraphData b = known(node, 2, "bias");
    if (elements(b.shape) != map.bias.size()) fail(node, "bias " + quote_name(node.inputs[2]) + ": expected " + std::to_string(map.bias.size()) + " values, found shape " + to_text(b.shape));
    map.bias = constant(b);
  }
  set(node, mapped_images(node, x, std::move(map), out));
}

}  // namespace smpc
