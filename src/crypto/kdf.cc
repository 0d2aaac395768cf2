#include "smpc/crypto/kdf.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "smpc/base/error.h"

namespace smpc {

Digest hmac_sha256(const Key& key, ByteView data) {
  Digest out;
  unsigned length = 0;
  const auto* done = HMAC(EVP_sha256(), key.reveal().data(), static_cast<int>(key.reveal().size()),
                          reinterpret_cast<const unsigned char*>(data.data()), data.size(),
                          reinterpret_cast<unsigned char*>(out.data()), &length);
  SMPC_CHECK(done != nullptr && length == out.size());
  return out;
}

Key derive_key(const Key& key, std::string_view label, ByteView context) {
  ByteWriter message;
  message.bytes(as_bytes(label));
  message.u8(0);
  message.bytes(context);
  Digest digest = hmac_sha256(key, message.data());
  Key out{std::span<const std::byte, 32>(digest)};
  wipe(std::span<std::byte>(digest));
  return out;
}

bool equal_in_constant_time(ByteView a, ByteView b) noexcept {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace smpc
