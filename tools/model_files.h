// The files of a model: what smpc-compile writes and smpc-server reads.
#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "smpc/compiler/compile.h"

namespace smpc::tools {

// Either a model, or a program and its weights.
struct ModelSource {
  std::string model;
  std::string program;
  std::string weights;
};

// The model in float, as the compiler sees it, and what its file says beside.
struct FloatModel {
  Network network;
  std::map<std::string, std::string> metadata;
};
FloatModel load_float_model(const std::string& model);

// Compiles a model with the options; or joins program and weights, compiles with the options stored beside them, and
// refuses them when that does not give the same program.
Compiled load_compiled(const ModelSource& source, const CompileOptions& options);

// Writes <stem>.stripped.onnx, <stem>.weights (0600) and <stem>.program into `folder`, and says so.
void write_compiled(const std::filesystem::path& model, const std::filesystem::path& folder,
                    const CompileOptions& options, const Program& program);

void join_model(const std::filesystem::path& stripped, const std::filesystem::path& weights,
                const std::filesystem::path& out);

}  // namespace smpc::tools
