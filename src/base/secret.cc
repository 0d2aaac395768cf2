#include "smpc/base/secret.h"

#include <openssl/crypto.h>

namespace smpc {

void wipe(std::span<std::byte> memory) noexcept { OPENSSL_cleanse(memory.data(), memory.size()); }
void wipe(std::span<std::uint64_t> memory) noexcept { OPENSSL_cleanse(memory.data(), memory.size_bytes()); }

}  // namespace smpc
