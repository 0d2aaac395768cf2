// What one party holds of each correlation (plan.h), for `count` values. The server is P0, the client P1.
#pragma once

#include <vector>

#include "smpc/base/secret.h"
#include "smpc/ring/bit_vector.h"
#include "smpc/ring/ring.h"

namespace smpc {

enum class Party : unsigned { server = 0, client = 1 };

constexpr Party other(Party p) noexcept { return p == Party::server ? Party::client : Party::server; }
constexpr unsigned index_of(Party p) noexcept { return static_cast<unsigned>(p); }

// strings[v * message_bits + j]: bit j of string v.
struct OtSender {
  std::vector<BitVector> strings;
};
// choice[j]: bit j of the index; string[j]: bit j of the string chosen.
struct OtReceiver {
  std::vector<BitVector> choice;
  std::vector<BitVector> string;
};
// In the order of the demand's inputs and products.
struct AndShare {
  std::vector<BitVector> masks;
  std::vector<BitVector> products;
};
struct SharedBitShare {
  BitVector bit;
  RingVector value;
};
struct BitProductShare {
  BitVector bit;
  RingVector bit_value;
  RingVector mask;
  RingVector product;
};
struct PrivateBitsShare {
  BitVector bit;       // this party's own
  RingVector product;  // of the two
};
// bits: the XOR share of r, until the thermometers are whole. thermometers: digit by digit, bit v of each.
struct OpeningShare {
  RingVector bits;
  RingVector r;
  std::vector<BitVector> thermometers;
  RingVector shifted;
  RingVector top;
  BitVector bit;
  RingVector bit_value;
  RingVector bit_shifted;
  RingVector bit_top;
};
struct ProductShare {
  RingVector left;
  RingVector right;
  RingVector product;
};
// one_hot[i << bits | v]: of value i, entry v.
struct LookupShare {
  RingVector r;
  RingVector one_hot;
};
// r, one per output.
struct LinearServer {
  RingVector r;
};
// b, one per input, and this party's share of W b: E b + (A b - r).
struct LinearClient {
  RingVector b;
  RingVector output;
};

}  // namespace smpc
