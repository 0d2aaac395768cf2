// A key as hexadecimal.
// expect: deleted function.*to_hex
#include "smpc/base/bytes.h"
#include "smpc/crypto/random.h"

std::string say(const smpc::Key& key) {
#ifdef MISUSE
  return smpc::to_hex(key);
#else
  return smpc::to_hex(smpc::Bytes(key.reveal().size()));
#endif
}
