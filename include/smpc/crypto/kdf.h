// Keys from keys. HMAC-SHA256 (RFC 2104) as a pseudorandom function: derive_key(K, label, context) is
// HMAC(K, label || 0x00 || context), so two derivations are independent unless label and context are the same.
#pragma once

#include <string_view>

#include "smpc/base/digest.h"
#include "smpc/crypto/random.h"

namespace smpc {

Digest hmac_sha256(const Key& key, ByteView data);
Key derive_key(const Key& key, std::string_view label, ByteView context = {});

// Without a branch on the contents. Unequal lengths are unequal.
bool equal_in_constant_time(ByteView a, ByteView b) noexcept;

}  // namespace smpc
