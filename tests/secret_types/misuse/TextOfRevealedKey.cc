// What reveal() gives of a key, as text.
// expect: deleted function.*as_text
#include "smpc/base/bytes.h"
#include "smpc/crypto/random.h"

std::string_view say(const smpc::Key& key, const smpc::Bytes& known) {
#ifdef MISUSE
  return smpc::as_text(key.reveal());
#else
  return smpc::as_text(known).substr(0, key.reveal().size());
#endif
}
