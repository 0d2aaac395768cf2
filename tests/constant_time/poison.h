// Secrets as memcheck knows them: memory that is there and is not defined, bit by bit. It reports every jump and every
// address that depends on such a bit, through whatever has been computed from it.
#pragma once

#include <valgrind/memcheck.h>

#include <algorithm>
#include <ranges>
#include <type_traits>
#include <vector>

#include "smpc/base/bytes.h"
#include "smpc/base/error.h"

namespace smpc::testing {

template <std::ranges::contiguous_range R>
void poison(const R& values) {
  const auto bytes = std::as_bytes(std::span(values));
  static_cast<void>(VALGRIND_MAKE_MEM_UNDEFINED(bytes.data(), bytes.size()));
}

// A copy for the test's own eyes. In the code that is tested, nothing but declassify() makes a secret public.
template <std::ranges::contiguous_range R>
auto opened(const R& values) {
  using T = std::remove_cv_t<std::ranges::range_value_t<R>>;
  std::vector<T> copy(std::ranges::begin(values), std::ranges::end(values));
  static_cast<void>(VALGRIND_MAKE_MEM_DEFINED(copy.data(), copy.size() * sizeof(T)));
  return copy;
}

// The bits of each element that memcheck holds to depend on a secret.
template <std::ranges::contiguous_range R>
auto secret_bits(const R& values) {
  using T = std::ranges::range_value_t<R>;
  const auto bytes = std::as_bytes(std::span(values));
  std::vector<std::remove_cv_t<T>> bits(std::ranges::size(values));
  constexpr unsigned answered = 1;
  SMPC_CHECK(bits.empty() || VALGRIND_GET_VBITS(bytes.data(), bits.data(), bytes.size()) == answered);
  return bits;
}

template <std::ranges::contiguous_range R>
bool is_public(const R& values) {
  const auto bits = secret_bits(values);
  return std::ranges::all_of(bits, [](auto b) { return b == decltype(b){}; });
}

// Of every element.
template <std::ranges::contiguous_range R>
bool is_secret(const R& values) {
  const auto bits = secret_bits(values);
  return std::ranges::none_of(bits, [](auto b) { return b == decltype(b){}; });
}

}  // namespace smpc::testing
