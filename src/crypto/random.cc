#include "smpc/crypto/random.h"

#include <sys/random.h>

#include <cerrno>

#include "smpc/base/error.h"
#include "smpc/base/sabotage.h"

namespace smpc {

void os_random(std::span<std::byte> out) noexcept {
  while (!out.empty()) {
    const ssize_t n = ::getrandom(out.data(), out.size(), 0);
    if (n < 0 && errno == EINTR) continue;
    const bool the_system_generator_works = n > 0;
    SMPC_CHECK(the_system_generator_works);
    out = out.subspan(static_cast<std::size_t>(n));
  }
}

Key random_key() noexcept {
  Key key;
  os_random(key.reveal());
  if (sabotaged(Sabotage::fixed_seed)) key = Key();
  return key;
}

}  // namespace smpc
