// The trained network as an ONNX file.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "mlp.h"
#include "networks.h"

namespace smpc::demo {

// The bytes of a ModelProto, opset 13: "volume" float [N,45,54,45], Flatten, four Gemm (transB = 1) with ReLU between,
// "logits" float [N,58]; weights as raw_data; metadata smpc.labels, smpc.grid and smpc.input-range. `brain` are the
// voxels that the first layer's columns stand for; it does not read the others.
std::string onnx_model(const Mlp& mlp, std::span<const std::uint32_t> brain, std::span<const Network> table);

}  // namespace smpc::demo
