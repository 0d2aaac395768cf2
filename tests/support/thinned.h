// Loops that go through everything, where a quick run goes through a part.
#pragma once

namespace smpc::testing {

// 1; in the quick build under sanitizers (docs/TESTING.md) `by`. For the step of a loop, or to divide how many turns it has:
// for (std::size_t i = 0; i < all; i += one_in(7))
constexpr int one_in([[maybe_unused]] int by) {
#ifdef SMPC_THINNED
  return by;
#else
  return 1;
#endif
}

}  // namespace smpc::testing
