// A scan's volumes as a member of an object of JSON.
// expect: no match for 'operator='|no viable overloaded '='
#include <nlohmann/json.hpp>

#include "smpc/image/scan.h"

void say(const smpc::Scan& scan, nlohmann::json& to) {
#ifdef MISUSE
  to["volumes"] = scan.volumes;
#else
  to["volumes"] = scan.volumes.size();
#endif
}
