// y = W x + bias, W (a matrix, or the kernel of a convolution) and bias the server's, x shared and taken modulo 2^l; y
// shared in Z_{2^l}.
//
// Source: Beaver's circuit randomisation with one mask fixed for all inferences; docs/PROTOCOLS.md, "Linear maps".
// Before: the client holds E = W - A, and per inference b and A b - r, so it knows its share E b + (A b - r) before x
// exists. Online: the client sends d = x1 - b. The server's share is W (x0 + d) + r + bias.
//
// Consumes: one LinearDemand. Levels: 1. Server sends nothing; client sends inputs * l bits.
// Each sees: the server d, uniform because b is fresh and uniform; the client nothing.
#pragma once

#include <memory>

#include "smpc/correlation/plan.h"
#include "smpc/correlation/source.h"
#include "smpc/program/weights.h"
#include "smpc/protocol/op.h"

namespace smpc {

Known declare_linear(const LinearDemand& d, std::size_t volumes, Known in, HalfList& halves);

// `input` and `weights` outlive the op. An empty share of the input stands for zero.
std::unique_ptr<PartyOp> linear_server(const LinearDemand& d, std::size_t demand, PartyOp& input,
                                       CorrelationSource& source, const LinearWeights& weights);
std::unique_ptr<PartyOp> linear_client(const LinearDemand& d, std::size_t demand, PartyOp& input,
                                       CorrelationSource& source);

}  // namespace smpc
