// A key on a stream.
// expect: deleted (function|operator).*operator<<|overload resolution selected deleted operator '<<'
#include <iostream>

#include "smpc/crypto/random.h"

void say(const smpc::Key& key) {
#ifdef MISUSE
  std::cerr << key;
#else
  std::cerr << key.reveal().size();
#endif
}
