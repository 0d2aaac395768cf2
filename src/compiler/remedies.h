// What the owner of a model that does not fit may change.
#pragma once

#include <functional>
#include <string>

#include "passes.h"

namespace smpc {

// Tries what there is, and names what helps: "give --scale 4, or --mixed-scales"; nothing where none does. `fits`: whether the
// state, as it is changed then, compiles at any precision; it may throw Error instead. The state's program and weights are lost.
std::string remedies(CompileState& state, const std::function<bool()>& fits);

// Of a constant, such as a bias, that is too large: what is wrong, and what helps beside options.
std::string constant_does_not_fit(const std::string& layer, double value, int scale);
std::string remedy_of_constant(double value);

}  // namespace smpc
