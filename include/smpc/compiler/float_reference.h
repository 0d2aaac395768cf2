// A network in float: what the trained model itself would say.
#pragma once

#include <span>
#include <vector>

#include "smpc/compiler/network.h"

namespace smpc {

// The output of every layer, or of every node of a graph, for one input. Weights are float, sums double.
std::vector<SecretVector<double>> float_layers(const Network& network, std::span<const double> input);

}  // namespace smpc
