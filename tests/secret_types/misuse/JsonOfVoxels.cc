// A volume in JSON.
// expect: (conversion|convert).*from .*(SecretVector|vector).*json|no viable conversion
#include <nlohmann/json.hpp>

#include "smpc/image/scan.h"

nlohmann::json say(const smpc::Scan& scan) {
#ifdef MISUSE
  return scan.volumes.front();
#else
  return scan.volumes.front().size();
#endif
}
