// A float model's weights in JSON.
// expect: no matching function for call to .*basic_json|no matching constructor
#include <nlohmann/json.hpp>

#include "smpc/compiler/network.h"

nlohmann::json say(const smpc::Affine& layer) {
#ifdef MISUSE
  return nlohmann::json({{"name", layer.name}, {"weights", layer.weights}});
#else
  return nlohmann::json({{"name", layer.name}, {"weights", layer.weights.size()}});
#endif
}
