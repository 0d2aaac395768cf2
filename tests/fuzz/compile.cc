// An ONNX file, compiled where it is small: the program is canonical, its cost can be told, and it runs in the clear.
#include "fuzz/fuzz.h"
#include "smpc/compiler/compile.h"
#include "smpc/runtime/explain.h"
#include "smpc/runtime/interpreter.h"

namespace smpc::fuzz {
namespace {

// Weights and inputs. A compilation takes a tenth of a second to some seconds here.
constexpr std::size_t most_elements = 4096;
constexpr std::size_t most_layers = 5;

bool is_small(const Network& network) {
  std::size_t elements = 0;
  std::size_t splines = 0;  // each is tried on every value there is
  for (const NetworkValue& in : network.inputs) elements += elements_of(in.shape);
  for (const Layer& layer : network.layers) {
    if (const auto* a = std::get_if<Affine>(&layer)) elements += a->weights.size();
  }
  for (const GraphNode& node : network.graph.nodes) {
    elements += node.count;
    splines += std::holds_alternative<SmoothNode>(node.op) || std::holds_alternative<PowerNode>(node.op) ||
                       std::holds_alternative<SoftmaxNode>(node.op) || std::holds_alternative<NormalizeNode>(node.op)
                   ? 1
                   : 0;
    if (const auto* map = std::get_if<MapNode>(&node.op)) elements += map->weights.size();
    if (const auto* windows = std::get_if<WindowSumOp>(&node.op)) elements += windows->shape.columns();
  }
  return elements <= most_elements && network.layers.size() <= most_layers && splines <= 1;
}

void check_compiled(const Compiled& c) {
  SMPC_CHECK(decode_program(encode(c.program)) == c.program);
  check_weights(c.program, c.weights);
  const Explanation e = explain(c.program);
  SMPC_CHECK(e.client_to_server + e.server_to_client > 0);
  // As large as the program allows, and as small: rounding must not lead beyond the range, nor a sum beyond its ring.
  for (const bool top : {false, true}) {
    std::vector<double> volume;
    for (const ProgramInput& in : c.program.inputs) volume.insert(volume.end(), in.count(), top ? in.high : in.low);
    RingVector input;
    if (refuses([&] { input = quantise(c.program, volume, "volume"); })) continue;  // its mask or norm forbid it
    SMPC_CHECK(interpret(c.program, c.weights, input).size() == c.program.tensors.size());
  }
}

}  // namespace
}  // namespace smpc::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace smpc;
  const ByteView bytes = fuzz::bytes_of(data, size);
  CompileOptions options;
  options.reveal = size % 2 == 0 ? Reveal::label : Reveal::logits;
  options.suite = size / 2 % 2 == 0 ? Suite::cryptflow2 : Suite::masked;
  options.mixed_scales = size / 4 % 2 == 0;
  fuzz::refuses([&] {
    Model model = load_model(bytes, "model.onnx");
    const auto metadata = model.metadata;
    Network network = build_network(std::move(model));
    if (fuzz::is_small(network)) fuzz::check_compiled(compile(std::move(network), options, metadata));
  });
  return 0;
}
