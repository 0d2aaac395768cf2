#include "smpc/base/bits.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

#include "smpc/base/error.h"

namespace smpc {
namespace {

TEST(Bits, PackThenUnpackIsTheIdentityAtEveryWidth) {
  std::mt19937_64 rng(1);
  for (unsigned bits = 0; bits <= 64; ++bits) {
    for (std::size_t n : {0U, 1U, 2U, 7U, 8U, 9U, 63U, 200U}) {
      std::vector<std::uint64_t> in(n);
      for (auto& v : in) v = rng() & low_mask(bits);
      Bytes packed(packed_bytes(n, bits));
      pack_bits(in, bits, packed);
      std::vector<std::uint64_t> out(n, 1);
      unpack_bits(packed, bits, out);
      EXPECT_EQ(in, out) << bits << " bits, " << n << " elements";
    }
  }
}

TEST(Bits, PaddingBitsThatAreSetAreRefused) {
  Bytes packed(2);  // one element of 13 bits, three padding bits
  packed[1] = std::byte{0x20};
  std::vector<std::uint64_t> out(1);
  EXPECT_THROW(unpack_bits(packed, 13, out), Error);
}

TEST(Bits, ARangeIsTheSameAsThatPartOfTheWhole) {
  std::mt19937_64 rng(2);
  for (unsigned bits : {1U, 7U, 33U, 44U, 57U, 61U, 64U}) {
    std::vector<std::uint64_t> in(100);
    for (auto& v : in) v = rng() & low_mask(bits);
    Bytes packed(packed_bytes(in.size(), bits));
    pack_bits(in, bits, packed);
    for (std::size_t first = 0; first < in.size(); first += 13) {
      std::vector<std::uint64_t> out(in.size() - first);
      unpack_range(packed, bits, first, out);
      EXPECT_TRUE(std::equal(out.begin(), out.end(), in.begin() + static_cast<std::ptrdiff_t>(first)));
    }
  }
}

}  // namespace
}  // namespace smpc
