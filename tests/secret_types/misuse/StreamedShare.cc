// A party's share on a stream.
// expect: deleted (function|operator).*operator<<|overload resolution selected deleted operator '<<'
#include <iostream>

#include "smpc/correlation/shares.h"

void say(const smpc::LinearClient& share) {
#ifdef MISUSE
  std::cout << share.b;
#else
  std::cout << share.b.size();
#endif
}
