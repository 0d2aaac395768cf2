// Compiled in sabotaged builds alone.
#include "smpc/base/sabotage.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string_view>

namespace smpc {
namespace {

constexpr const char* variable = "SMPC_SABOTAGE";

// In the order of the enumeration.
constexpr std::array<std::string_view, 8> names{
    "zero-masks",          "fixed-seed",        "bundle-reused",   "half-width-mask",
    "spend-after-sending", "weight-in-a-frame", "branch-on-zeros", "truncation-rounding"};

std::optional<Sabotage> read() {
  const char* name = std::getenv(variable);
  if (name == nullptr) return std::nullopt;
  const auto* at = std::find(names.begin(), names.end(), name);
  if (at != names.end()) return static_cast<Sabotage>(at - names.begin());
  std::fprintf(stderr, "%s: expected one of", variable);
  for (const std::string_view known : names) std::fprintf(stderr, " %s", known.data());
  std::fprintf(stderr, ", found %s\n", name);
  std::abort();
}

std::optional<Sabotage> chosen() {
  static const std::optional<Sabotage> fault = read();
  return fault;
}

[[maybe_unused]] const auto read_at_the_start = chosen();  // a wrong name stops a process that meets no fault, too

}  // namespace

bool sabotaged(Sabotage fault) noexcept { return chosen() == fault; }

}  // namespace smpc
