// A weights file: as it comes, and with the right digest behind it, so that what the digest covers is read too.
#include "fuzz/fuzz.h"
#include "smpc/base/digest.h"
#include "smpc/compiler/compile.h"
#include "smpc/model/strip.h"

namespace smpc::fuzz {
namespace {

void read(ByteView file) {
  WeightsHeader header;
  if (refuses([&] { header = read_weights_header(file, "model.weights"); })) return;
  refuses([&] {
    const std::string once = to_json(compile_options_from_json(header.options));
    SMPC_CHECK(to_json(compile_options_from_json(once)) == once);
  });
  refuses([&] { load_weights(file, "model.weights"); });
  refuses([&] { join(header.stripped, file, "model.weights"); });
}

}  // namespace
}  // namespace smpc::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace smpc;
  const ByteView bytes = fuzz::bytes_of(data, size);
  fuzz::read(bytes);
  Bytes file(bytes.begin(), bytes.end());
  const Digest digest = sha256(file);
  file.insert(file.end(), digest.begin(), digest.end());
  fuzz::read(file);
  return 0;
}
