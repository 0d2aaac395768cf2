// Randomness from the operating system. A generator that fails stops the process: there is no fallback.
#pragma once

#include <cstddef>
#include <span>

#include "smpc/base/secret.h"

namespace smpc {

using Key = SecretArray<32>;

void os_random(std::span<std::byte> out) noexcept;
Key random_key() noexcept;

}  // namespace smpc
