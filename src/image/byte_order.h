// Values of either byte order.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>

namespace smpc::image {

template <class T>
T in_native_order(T value, bool swap) noexcept {
  if (!swap) return value;
  auto bytes = std::bit_cast<std::array<std::byte, sizeof(T)>>(value);
  std::reverse(bytes.begin(), bytes.end());
  return std::bit_cast<T>(bytes);
}

}  // namespace smpc::image
