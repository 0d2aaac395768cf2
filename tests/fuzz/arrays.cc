// An array, by numpy or as an ONNX tensor: what loads has as many values as its shape says, and reads the same again.
#include "fuzz/fuzz.h"
#include "fuzz/memory_file.h"
#include "smpc/image/npy.h"
#include "smpc/model/tensor_file.h"

namespace smpc::fuzz {
namespace {

void check(const std::filesystem::path& path, Array (*load)(const std::filesystem::path&)) {
  Array first;
  if (refuses([&] { first = load(path); })) return;
  std::size_t count = 1;
  for (const std::size_t d : first.shape) count *= d;
  SMPC_CHECK(count == first.values.size() && count > 0);
  const Array again = load(path);
  SMPC_CHECK(again.shape == first.shape && again.values.size() == first.values.size());
}

}  // namespace
}  // namespace smpc::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace smpc;
  static fuzz::MemoryFile file("array");
  file.hold(fuzz::bytes_of(data, size));
  fuzz::check(file.path(), load_npy);
  fuzz::check(file.path(), load_onnx_tensor);
  return 0;
}
