#include "smpc/compiler/float_reference.h"

#include <algorithm>

#include "smpc/base/error.h"

namespace smpc {

std::vector<SecretVector<double>> float_layers(const Network& network, std::span<const double> input) {
  if (!network.graph.nodes.empty()) {
    std::vector<SecretVector<double>> values = graph_values(network.graph, input);
    values.erase(values.begin());  // the input
    return values;
  }
  std::vector<SecretVector<double>> out;
  SecretVector<double> x(input.begin(), input.end());
  for (const Layer& layer : network.layers) {
    if (const auto* a = std::get_if<Affine>(&layer)) {
      SMPC_CHECK(x.size() == a->inputs);
      SecretVector<double> y(a->bias);
      for (std::size_t o = 0; o < a->outputs; ++o) {
        const float* row = a->weights.data() + o * a->inputs;
        for (std::size_t i = 0; i < a->inputs; ++i) y[o] += static_cast<double>(row[i]) * x[i];
      }
      x = std::move(y);
    } else {
      for (double& v : x) v = std::max(v, 0.0);
    }
    out.push_back(x);
  }
  return out;
}

}  // namespace smpc
