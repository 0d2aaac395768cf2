// What reveal() gives of a seed, as hexadecimal.
// expect: deleted function.*to_hex
#include "smpc/base/bytes.h"
#include "smpc/correlation/dealer.h"

std::string say(const smpc::BundleSeeds& seeds) {
#ifdef MISUSE
  return smpc::to_hex(seeds.client.reveal());
#else
  return smpc::to_hex(smpc::Bytes(seeds.client.reveal().size()));
#endif
}
