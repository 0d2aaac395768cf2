// Secret bytes as text.
// expect: deleted function.*as_text
#include "smpc/base/bytes.h"
#include "smpc/base/secret.h"

std::string_view say(const smpc::SecretBytes& secret, const smpc::Bytes& known) {
#ifdef MISUSE
  return smpc::as_text(secret);
#else
  return smpc::as_text(known).substr(0, secret.size());
#endif
}
