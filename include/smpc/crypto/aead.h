// Authenticated encryption: AES-256-GCM (NIST SP 800-38D), by OpenSSL. A key seals one message only, so the nonce is
// zero. Sealed bytes are the ciphertext and then a tag of 16 bytes; `associated` is bound to them and not encrypted.
#pragma once

#include <optional>

#include "smpc/base/bytes.h"
#include "smpc/crypto/random.h"

namespace smpc {

Bytes seal(const Key& key, ByteView message, ByteView associated);

// None when the tag does not match: changed, cut, or sealed with other associated bytes.
std::optional<SecretBytes> unseal(const Key& key, ByteView sealed, ByteView associated);

}  // namespace smpc
