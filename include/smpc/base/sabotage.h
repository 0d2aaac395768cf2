// Faults that are put into the code on purpose, to show that the tests notice them (docs/TESTING.md, "Sabotaged builds").
// Only a build with -DSMPC_SABOTAGE=ON holds them, and there one is switched on by its name in the environment variable
// SMPC_SABOTAGE. In every other build sabotaged() is the constant false, and nothing of this is left in a binary.
#pragma once

namespace smpc {

enum class Sabotage {
  zero_masks,           // a generator gives zeros, to whoever holds its seed
  fixed_seed,           // a key from the operating system's randomness is always the same
  bundle_reused,        // a client does not spend what it uses, and a server takes what it has used
  half_width_mask,      // a mask in a ring has half of the ring's width
  spend_after_sending,  // a spend is recorded once the first message has left
  weight_in_a_frame,    // a server's first words hold a weight
  branch_on_zeros,      // a product skips what is zero
  truncation_rounding,  // a truncation forgets the carry of the bits that it drops
};

#ifdef SMPC_SABOTAGE
bool sabotaged(Sabotage fault) noexcept;
#else
consteval bool sabotaged(Sabotage) noexcept { return false; }
#endif

}  // namespace smpc
