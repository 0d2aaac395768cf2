#include "model_files.h"

#include <iostream>

#include "common.h"
#include "smpc/base/error.h"
#include "smpc/base/file.h"
#include "smpc/base/file_error.h"
#include "smpc/base/mapped_file.h"
#include "smpc/model/model.h"
#include "smpc/model/strip.h"

namespace smpc::tools {
namespace {

constexpr std::size_t longest_model = (std::size_t{1} << 31) - 1;  // protobuf's own limit

FloatModel float_model(Model model) {
  std::map<std::string, std::string> metadata = model.metadata;
  return {build_network(std::move(model)), std::move(metadata)};
}

Compiled compile_model(FloatModel model, const CompileOptions& options) {
  return compile(std::move(model.network), options, model.metadata);
}

}  // namespace

FloatModel load_float_model(const std::string& model) { return float_model(load_model(std::filesystem::path(model))); }

Compiled load_compiled(const ModelSource& source, const CompileOptions& options) {
  if (!source.model.empty()) return compile_model(load_float_model(source.model), options);
  const Bytes program = read_file(source.program, longest_program);
  decode_program(program);
  const MappedFile weights{std::filesystem::path(source.weights)};
  const CompileOptions stored = compile_options_from_json(read_weights_header(weights.bytes(), source.weights).options);
  Compiled compiled = compile_model(float_model(load_weights(weights.bytes(), source.weights)), stored);
  if (encode(compiled.program) != program) {
    fail_input(source.weights + ": expected the weights of program " + to_hex(sha256(program)).substr(0, 12) +
               ", found those of " + to_hex(program_hash(compiled.program)).substr(0, 12) +
               "; give the two files that one smpc-compile wrote");
  }
  return compiled;
}

void write_compiled(const std::filesystem::path& model, const std::filesystem::path& folder,
                    const CompileOptions& options, const Program& program) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) fail_file(folder, "make the folder", error.value());
  const std::filesystem::path stem = folder / model.stem();
  const auto path = [&](const char* ending) { return std::filesystem::path(stem.string() + ending); };
  {
    const Stripped stripped = strip(MappedFile(model).bytes(), model.string(), to_json(options), std::filesystem::absolute(model).parent_path());
    write_file(path(".stripped.onnx"), stripped.model);
    write_file(path(".weights"), stripped.weights, true);
  }
  write_file(path(".program"), encode(program));
  std::cerr << path(".stripped.onnx").string() << ": the graph without a weight, public\n"
            << path(".weights").string() << ": the weights, secret\n"
            << path(".program").string() << ": program " << to_hex(program_hash(program)) << ", public\n";
}

void join_model(const std::filesystem::path& stripped, const std::filesystem::path& weights,
                const std::filesystem::path& out) {
  const MappedFile mapped(weights);
  write_file(out, join(read_file(stripped, longest_model), mapped.bytes(), weights.string()), true);
}

}  // namespace smpc::tools
