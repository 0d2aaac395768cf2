// A bundle's header: what is read is written as the same bytes, and no other key gives the same MAC.
#include "fuzz/fuzz.h"
#include "smpc/correlation/bundle.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace smpc;
  constexpr std::size_t mac_bytes = 32;
  const ByteView bytes = fuzz::bytes_of(data, size);
  const Key key;
  const bool valid = has_valid_mac(bytes, key);
  BundleHeader header;
  if (fuzz::refuses([&] { header = decode_bundle_header(bytes); })) return 0;
  const Bytes again = encode(header, key);
  SMPC_CHECK(again.size() == bytes.size() && has_valid_mac(again, key));
  SMPC_CHECK(std::equal(again.begin(), again.end() - mac_bytes, bytes.begin()));
  SMPC_CHECK(valid == std::equal(again.begin(), again.end(), bytes.begin()));
  return 0;
}
