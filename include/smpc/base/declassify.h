// Where a secret becomes public, by name. Nothing else that is computed from a secret may decide a branch, an address or a
// length: tests/constant_time marks secrets as undefined memory, and valgrind's memcheck reports whatever depends on them
// until it has passed one of these places. docs/SECURITY.md ("Timing") lists them and says why each may be there.
#pragma once

#include "smpc/base/bytes.h"
#ifdef SMPC_POISON
#include <valgrind/memcheck.h>
#endif

namespace smpc {

enum class Declassified {
  counter,         // where a stream's counter starts: the half of its seed that is not the AES key
  message,         // of an inference, as it leaves: every half is masked, or a share of the result
  result,          // the client's
  opened_index,    // of a table, under a mask that neither party knows
  masked_weights,  // a row of E = W - A, as it leaves
  mask_id,         // a keyed digest of the weights
  header_mac,      // of a bundle, as it leaves
  header_verdict,  // whether a header's MAC is right
};

#ifdef SMPC_POISON
// A name of its own, since the test holds code that was built without poison too.
inline namespace poisoned {
inline void declassify(Declassified, ByteView bytes) noexcept {
  static_cast<void>(VALGRIND_MAKE_MEM_DEFINED(bytes.data(), bytes.size()));
}
}  // namespace poisoned
#else
constexpr void declassify(Declassified, ByteView) noexcept {}
#endif

}  // namespace smpc
