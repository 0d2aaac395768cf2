#include "smpc/ring/fields.h"

#include <gtest/gtest.h>

#include <random>

#include "smpc/base/error.h"

namespace smpc {
namespace {

TEST(Fields, AreReadBackInOrder) {
  std::mt19937_64 rng(1);
  Bytes bytes;
  FieldWriter out(bytes);
  std::vector<BitVector> bits;
  std::vector<RingVector> values;
  std::size_t expected_bytes = 0;
  for (unsigned l = 1; l <= 64; ++l) {
    const std::size_t n = 1 + rng() % 40;
    BitVector b(n);
    for (std::size_t i = 0; i < n; ++i) b.put(i, rng() % 2);
    RingVector v(n);
    for (auto& x : v) x = Ring{l}.reduce(rng());
    out.bits(b);
    out.values(Ring{l}, v);
    expected_bytes += bit_field_bytes(n) + ring_field_bytes(n, Ring{l});
    ASSERT_EQ(bytes.size(), expected_bytes);
    bits.push_back(b);
    values.push_back(v);
  }
  FieldReader in(bytes);
  for (unsigned l = 1; l <= 64; ++l) {
    const BitVector b = in.bits(bits[l - 1].size());
    for (std::size_t i = 0; i < b.size(); ++i) ASSERT_EQ(b.get(i), bits[l - 1].get(i));
    ASSERT_EQ(in.values(values[l - 1].size(), Ring{l}), values[l - 1]) << l;
  }
  EXPECT_EQ(in.left(), 0U);
}

TEST(Fields, fault_72_PaddingBitsOfAnOpeningThatAreNotZeroAreRefused) {  // fault 72
  for (unsigned l = 1; l <= 64; ++l) {
    for (std::size_t n = 1; n <= 9; ++n) {
      Bytes bytes(ring_field_bytes(n, Ring{l}));
      for (std::size_t bit = n * l; bit < bytes.size() * 8; ++bit) {
        Bytes wrong = bytes;
        wrong[bit / 8] |= static_cast<std::byte>(1U << (bit % 8));
        FieldReader in(wrong);
        EXPECT_THROW(in.values(n, Ring{l}), Error) << n << " values of " << l << " bits, bit " << bit;
      }
      FieldReader in(bytes);
      EXPECT_EQ(in.values(n, Ring{l}), RingVector(n));
    }
  }
}

}  // namespace
}  // namespace smpc
