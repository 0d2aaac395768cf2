// Numbers in some shape, row-major, as a file holds them: a client's input.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "smpc/base/secret.h"

namespace smpc {

struct Array {
  std::vector<std::size_t> shape;
  SecretVector<double> values;
};

// Of IEEE 754 binary16.
double half_value(std::uint16_t half) noexcept;

}  // namespace smpc
