// Authenticated encryption: AES-256-GCM (NIST SP 800-38D), by OpenSSL. A key seals one message only, so the nonce is
// zero. Sealed bytes are the ciphertext and then a tag of 16 bytes; `associated` is bound to them and not encrypted.
#pragma once

#include <functional>
#include <initializer_list>
#include <optional>

#include "smpc/base/bytes.h"
#include "smpc/crypto/random.h"

namespace smpc {

// `parts`: the message, in pieces.
Bytes seal(const Key& key, std::initializer_list<ByteView> parts, ByteView associated);

// None when the tag does not match: changed, cut, or sealed with other associated bytes.
std::optional<SecretBytes> unseal(const Key& key, ByteView sealed, ByteView associated);
// The same of `size` sealed bytes that `read` copies from, piece by piece: so they are not all in memory beside the message.
std::optional<SecretBytes> unseal(const Key& key, std::size_t size, const std::function<void(std::size_t from, std::span<std::byte>)>& read,
                                  ByteView associated);

}  // namespace smpc
