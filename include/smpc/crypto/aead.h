// Authenticated encryption: AES-256-GCM (NIST SP 800-38D), by OpenSSL. Sealed bytes are the ciphertext and then a tag of 16
// bytes; `associated` is bound to them and not encrypted. A key seals one message only, whole or in numbered pieces
// (sealed_pieces.h): the number is the nonce.
#pragma once

#include <cstdint>
#include <optional>

#include "smpc/base/bytes.h"
#include "smpc/crypto/random.h"

namespace smpc {

Bytes seal(const Key& key, ByteView message, ByteView associated, std::uint32_t piece = 0);

// None when the tag does not match: changed, cut, or sealed with other associated bytes or as another piece.
std::optional<SecretBytes> unseal(const Key& key, ByteView sealed, ByteView associated, std::uint32_t piece = 0);

}  // namespace smpc
