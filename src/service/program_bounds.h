// What a program may ask of a party that did not make it: found from its bytes alone, before anything is stored, made or
// sent for it.
#pragma once

#include "smpc/correlation/plan.h"

namespace smpc {

// Two bounds of a party's own: of memory, what this machine has; of work, what a bundle of the largest of networks that are in
// use needs many times over.
constexpr std::uint64_t largest_bundle = std::uint64_t{4} << 30;          // bytes of corrections
constexpr std::uint64_t largest_masked_weights = std::uint64_t{64} << 30;  // bytes
constexpr std::uint64_t most_products = std::uint64_t{1} << 38;            // multiplications of linear maps and products, a bundle

// Physical memory, in bytes.
std::uint64_t machine_memory() noexcept;

// Multiplications that one bundle of a plan takes, or one volume; no more than can be counted in 64 bits.
std::uint64_t products_of(const Plan& plan);

// Throws bad_input where a plan needs more than these; `memory`: what the party that asks needs for one volume.
void check_bounds(const Plan& plan, std::uint64_t memory);

// The plan of a program whose bytes another party gave, within what the dealer may be asked to do: decoded, planned, checked.
Plan plan_for_the_dealer(ByteView program);

}  // namespace smpc
