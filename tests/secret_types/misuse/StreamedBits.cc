// Shares of bits on a stream.
// expect: no match for 'operator<<'|invalid operands to binary expression
#include <iostream>

#include "smpc/ring/bit_vector.h"

void say(const smpc::BitVector& bits) {
#ifdef MISUSE
  std::cout << bits;
#else
  std::cout << bits.size();
#endif
}
