// spdlog and fmt, and what they may not write. Nothing else includes them (tests/secret_types/log_header.sh), so whatever is
// logged goes by these rules; most of the code knows log_line() alone (common.h), which takes text.
#pragma once

#include <spdlog/fmt/fmt.h>
#include <spdlog/fmt/ranges.h>
#include <spdlog/spdlog.h>

#include <cstddef>
#include <span>
#include <type_traits>

#include "smpc/base/secret.h"

// fmt writes ranges element by element. Memory that holds a secret is none to it, nor is a view, which may be of one.
namespace fmt {

template <class T, class Char>
struct is_range<smpc::SecretVector<T>, Char> : std::false_type {};
template <class T, std::size_t N, class Char>
struct is_range<std::span<T, N>, Char> : std::false_type {};
template <class T>
void join(const smpc::SecretVector<T>&, string_view) = delete;
template <class T>
void join(smpc::SecretVector<T>&, string_view) = delete;
template <class T, std::size_t N>
void join(std::span<T, N>, string_view) = delete;

}  // namespace fmt
