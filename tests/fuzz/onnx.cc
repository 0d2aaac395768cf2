// An ONNX file: what loads is consistent, can be stripped and joined again without a difference, and is taken apart.
#include <cmath>

#include "fuzz/fuzz.h"
#include "fuzz/same_model.h"
#include "smpc/compiler/network.h"
#include "smpc/model/strip.h"

namespace smpc::fuzz {
namespace {

void check_tensor(const Tensor& t) {
  std::size_t count = 1;
  for (const std::int64_t d : t.dims) count *= static_cast<std::size_t>(d);
  SMPC_CHECK(count == t.size());
  if (const auto* f = std::get_if<SecretVector<float>>(&t.values)) {
    for (const float v : *f) SMPC_CHECK(std::isfinite(v));
  } else if (const auto* d = std::get_if<SecretVector<double>>(&t.values)) {
    for (const double v : *d) SMPC_CHECK(std::isfinite(v));
  }
}

void check_strip(ByteView bytes, const Model& model) {
  const Stripped s = strip(bytes, model.source, "options");
  require_stripped(s.model, model.source);
  SMPC_CHECK(read_weights_header(s.weights, model.source).stripped == s.model);
  SMPC_CHECK(same(load_weights(s.weights, model.source), model));
  SMPC_CHECK(same(load_model(join(s.model, s.weights, model.source), model.source), model));
}

void check_network(const Network& network) {
  for (const Layer& layer : network.layers) {
    const auto* a = std::get_if<Affine>(&layer);
    if (a == nullptr) continue;
    SMPC_CHECK(a->weights.size() == a->inputs * a->outputs && a->bias.size() == a->outputs);
    for (const float v : a->weights) SMPC_CHECK(std::isfinite(v));
    for (const double v : a->bias) SMPC_CHECK(std::isfinite(v));
  }
  for (std::size_t i = 0; i < network.graph.nodes.size(); ++i) {
    const GraphNode& node = network.graph.nodes[i];
    for (const std::size_t v : node.inputs) SMPC_CHECK(v <= i);
    const auto* map = std::get_if<MapNode>(&node.op);
    if (map == nullptr) continue;
    SMPC_CHECK(map->weights.size() == map->shape.rows() * map->shape.columns() && map->bias.size() == map->shape.rows());
    SMPC_CHECK(node.count == map->shape.outputs());
    for (const float v : map->weights) SMPC_CHECK(std::isfinite(v));
  }
}

}  // namespace
}  // namespace smpc::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace smpc;
  const ByteView bytes = fuzz::bytes_of(data, size);
  Model model;
  if (fuzz::refuses([&] { model = load_model(bytes, "model.onnx"); })) return 0;
  for (const auto& [name, tensor] : model.constants) fuzz::check_tensor(tensor);
  const bool is_stripped = model.metadata.count(std::string(stripped_mark)) != 0;  // which is not stripped once more
  if (!is_stripped) fuzz::expect_accepted([&] { fuzz::check_strip(bytes, model); });
  fuzz::refuses([&] { fuzz::check_network(build_network(std::move(model))); });
  return 0;
}
