#include "smpc/model/tensor_file.h"

#include "proto.h"
#include "smpc/base/error.h"
#include "smpc/base/file.h"
#include "smpc/model/model.h"

namespace smpc {

Array load_onnx_tensor(const std::filesystem::path& path) {
  const std::string source = path.string();
  const Bytes bytes = read_file(path);
  onnx::TensorProto proto = parse_tensor(bytes, source);
  check_tensor(proto, "the tensor", source);
  const Tensor t = to_tensor(std::move(proto));
  Array out;
  for (const std::int64_t d : t.dims) out.shape.push_back(static_cast<std::size_t>(d));
  std::visit([&](const auto& values) { out.values.assign(values.begin(), values.end()); }, t.values);
  if (out.values.empty()) fail_model(source, "the tensor has no elements");
  return out;
}

}  // namespace smpc
