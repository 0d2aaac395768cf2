// Secret bytes as hexadecimal.
// expect: deleted function.*to_hex
#include "smpc/base/bytes.h"
#include "smpc/correlation/source.h"

std::string say(const smpc::ClientMaterial& bundle) {
#ifdef MISUSE
  return smpc::to_hex(bundle.corrections);
#else
  return smpc::to_hex(smpc::Bytes(bundle.corrections.size()));
#endif
}
