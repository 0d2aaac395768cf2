#include "program_bounds.h"

#include <unistd.h>

#include <algorithm>
#include <limits>

#include "smpc/base/error.h"
#include "smpc/base/text.h"
#include "smpc/base/wide.h"
#include "smpc/correlation/masks.h"
#include "smpc/runtime/memory.h"

namespace smpc {
namespace {

void check(const char* what, std::uint64_t found, std::uint64_t most) {
  if (found <= most) return;
  fail_input(std::string("the program: expected ") + what + " of at most " + human_bytes(most) + ", found " + human_bytes(found) +
             "; compile a smaller model");
}

}  // namespace

std::uint64_t machine_memory() noexcept {
  const long pages = ::sysconf(_SC_PHYS_PAGES);
  const long size = ::sysconf(_SC_PAGESIZE);
  if (pages <= 0 || size <= 0) return std::numeric_limits<std::uint64_t>::max();
  return static_cast<std::uint64_t>(pages) * static_cast<std::uint64_t>(size);
}

std::uint64_t products_of(const Plan& plan) {
  u128 sum = 0;
  for (const Demand& demand : plan.demands) {
    if (const auto* linear = std::get_if<LinearDemand>(&demand)) sum += u128{linear->outputs} * linear->columns();
    if (const auto* product = std::get_if<ProductDemand>(&demand)) sum += u128{product->shape.outputs()} * product->shape.inner;
  }
  return static_cast<std::uint64_t>(std::min<u128>(sum, std::numeric_limits<std::uint64_t>::max()));
}

void check_bounds(const Plan& plan, std::uint64_t memory) {
  check("a bundle", plan.correction_bytes(), largest_bundle);
  check("masked weights", MaskedLayout(plan).bytes(), largest_masked_weights);
  if (const std::uint64_t found = products_of(plan); found > most_products) {
    fail_input("the program: expected at most " + std::to_string(most_products) + " multiplications a volume, found " +
               std::to_string(found) + "; compile a smaller model");
  }
  check("memory for one volume", memory, machine_memory());
}

Plan plan_for_the_dealer(ByteView program) {
  Plan plan = correlation_plan(decode_program(program));
  check_bounds(plan, predicted_dealing_memory(plan));
  return plan;
}

}  // namespace smpc
