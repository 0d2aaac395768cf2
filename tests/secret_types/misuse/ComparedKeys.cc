// Keys compared with ==, which ends at the first difference.
// expect: deleted (function|operator).*operator==|overload resolution selected deleted operator '=='
#include "smpc/crypto/kdf.h"

bool same(const smpc::Key& a, const smpc::Key& b) {
#ifdef MISUSE
  return a == b;
#else
  return smpc::equal_in_constant_time(a.reveal(), b.reveal());
#endif
}
