// A model in two files: the stripped model, which everyone may see, and the weights, which only its owner may.
//
// The stripped model is the same graph with every weight an input of the graph instead (name, type and shape kept), and a
// mark in its metadata; valid by ONNX's own checker. A weight is every tensor constant, initializer or Constant node, other than an integer or
// bool one of at most one dimension and 64 elements (the shapes, axes and flags that inference needs).
// What is public besides: names, shapes, attributes (also Gemm's alpha and beta), documentation and metadata.
//
// The weights file, little-endian, texts and bytes with their length before them:
//   magic     8 bytes  "SMPCWGT\0"
//   version   u32      1
//   options   text     opaque: the compile options, as the compiler wrote them
//   stripped  u64, bytes   the stripped model
//   count     u32
//   count times, initializers first, each in the order of the original:
//     kind      u8     0: an initializer, 1: a Constant node
//     position  u32    its index among the original's initializers or nodes
//     listed    u8     1: its graph input stood in the original (IR versions before 4); 0: stripping added it
//     message   u64, bytes   the original's TensorProto or NodeProto
//   digest    32 bytes SHA-256 of all before
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "smpc/base/bytes.h"
#include "smpc/model/model.h"

namespace smpc {

// The key of metadata that a stripped model alone has: its weights are inputs, and no client should be asked for them.
constexpr std::string_view stripped_mark = "smpc.stripped";

struct Stripped {
  Bytes model;          // an ONNX file
  SecretBytes weights;  // a weights file
};

// Refuses what load_model refuses. `source` names the model in errors. `folder`: where its external data lies; what it has is
// in the weights file then. Empty: refused.
Stripped strip(ByteView model, const std::string& source, std::string_view options, const std::filesystem::path& folder = {});

// What a weights file says of itself, its digest checked.
struct WeightsHeader {
  std::string options;
  Bytes stripped;
};
WeightsHeader read_weights_header(ByteView weights, const std::string& source);

// The original: tensor for tensor and node for node, and byte for byte if a protobuf library wrote it. Refuses a
// stripped model that is not the one the weights came from.
SecretBytes join(ByteView stripped, ByteView weights, const std::string& source);

// The original as a Model, without the detour through a file.
Model load_weights(ByteView weights, const std::string& source);

// Refuses a model in which a weight is left, naming it. strip() has applied it to what it returns.
void require_stripped(ByteView model, const std::string& source);

}  // namespace smpc
