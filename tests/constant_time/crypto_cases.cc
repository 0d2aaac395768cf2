// What is derived from keys. AES and SHA-256 are OpenSSL's, with the instructions that valgrind offers it.
#include "cases.h"
#include "poison.h"
#include "poisoned_run.h"
#include "smpc/correlation/bundle.h"
#include "smpc/crypto/kdf.h"
#include "smpc/crypto/prg.h"

namespace smpc::testing {

CASE(TheGeneratorAndTheKeysDerived) {
  const Key key = secret_key();
  SMPC_CHECK(is_secret(derive_key(key, "label", as_bytes("context")).reveal()));
  Prg prg(key);
  for (const std::size_t n : {1U, 16U, 100U, 5000U}) {
    Bytes out(n);
    prg.fill(out);
    SMPC_CHECK(is_secret(out));
  }
  prg.seek(7);
  RingVector words(9);
  prg.fill(std::span<std::uint64_t>(words));
  SMPC_CHECK(is_secret(words));
}

// The MAC is public once it is in the header, and so is whether it is right. The key and the server's seed are not.
CASE(BundleHeaders) {
  const Key shared = program_key(secret_key(), Digest{}, MaskId{});
  SMPC_CHECK(is_secret(shared.reveal()));
  const BundleHeader header;
  Bytes bytes = encode(header, shared);
  SMPC_CHECK(is_public(bytes));
  SMPC_CHECK(has_valid_mac(bytes, shared));
  bytes.back() ^= std::byte{1};
  SMPC_CHECK(!has_valid_mac(bytes, shared));
  SMPC_CHECK(is_secret(server_seed(header, shared).reveal()));
  SMPC_CHECK(is_secret(mask_key(shared).reveal()));
}

}  // namespace smpc::testing
