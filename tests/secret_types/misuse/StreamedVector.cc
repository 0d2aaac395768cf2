// A vector of secrets on a stream.
// expect: deleted (function|operator).*operator<<|overload resolution selected deleted operator '<<'
#include <iostream>

#include "smpc/base/secret.h"

void say(const smpc::SecretVector<double>& voxels) {
#ifdef MISUSE
  std::cout << voxels;
#else
  std::cout << voxels.size();
#endif
}
