#include "smpc/ring/bit_vector.h"

#include <gtest/gtest.h>

#include <random>

#include "smpc/base/bits.h"
#include "smpc/base/error.h"

namespace smpc {
namespace {

const std::size_t sizes[] = {0, 1, 7, 8, 9, 63, 64, 65, 127, 128, 129, 200};

std::vector<bool> random_bits(std::size_t n, std::mt19937_64& rng) {
  std::vector<bool> out(n);
  for (std::size_t i = 0; i < n; ++i) out[i] = rng() % 2 == 1;
  return out;
}

BitVector vector_of(const std::vector<bool>& bits) {
  BitVector v(bits.size());
  for (std::size_t i = 0; i < bits.size(); ++i) v.put(i, bits[i] ? 1 : 0);
  return v;
}

std::vector<bool> bits_of(const BitVector& v) {
  std::vector<bool> out(v.size());
  for (std::size_t i = 0; i < v.size(); ++i) out[i] = v.get(i) == 1;
  return out;
}

bool padding_is_zero(const BitVector& v) {
  return v.size() % 64 == 0 || (v.words().back() & ~low_mask(v.size() % 64)) == 0;
}

TEST(BitVector, OperationsAreThoseOfEachBit) {
  std::mt19937_64 rng(1);
  for (const std::size_t n : sizes) {
    const auto a = random_bits(n, rng);
    const auto b = random_bits(n, rng);
    std::vector<bool> sum(n);
    std::vector<bool> product(n);
    std::vector<bool> flipped(n);
    for (std::size_t i = 0; i < n; ++i) {
      sum[i] = a[i] != b[i];
      product[i] = a[i] && b[i];
      flipped[i] = !a[i];
    }
    EXPECT_EQ(bits_of(vector_of(a) ^ vector_of(b)), sum) << n;
    EXPECT_EQ(bits_of(vector_of(a) & vector_of(b)), product) << n;
    BitVector turned = vector_of(a);
    turned.flip();
    EXPECT_EQ(bits_of(turned), flipped) << n;
    EXPECT_TRUE(padding_is_zero(turned)) << n;
  }
}

TEST(BitVector, WritesAndReadsBack) {
  std::mt19937_64 rng(2);
  for (const std::size_t n : sizes) {
    const auto bits = random_bits(n, rng);
    const BitVector v = vector_of(bits);
    ASSERT_EQ(v.byte_count(), (n + 7) / 8);
    Bytes out(v.byte_count());
    v.write(out);
    for (std::size_t i = 0; i < n; ++i) {
      ASSERT_EQ(((std::to_integer<unsigned>(out[i / 8]) >> (i % 8)) & 1) == 1, bits[i]) << n << ", bit " << i;
    }
    EXPECT_EQ(bits_of(BitVector::read(out, n)), bits) << n;
  }
}

TEST(BitVector, fault_72_EveryPaddingBitThatIsSetIsRefused) {
  for (const std::size_t n : sizes) {
    for (std::size_t bit = n; bit < (n + 7) / 8 * 8; ++bit) {
      Bytes in((n + 7) / 8);
      in[bit / 8] = static_cast<std::byte>(1U << (bit % 8));
      try {
        BitVector::read(in, n);
        ADD_FAILURE() << n << " bits, bit " << bit;
      } catch (const Error& e) {
        EXPECT_EQ(e.kind(), ErrorKind::peer);
        EXPECT_NE(std::string(e.what()).find("padding"), std::string::npos);
      }
    }
  }
}

TEST(BitVector, PlacesPartsAtEveryOffset) {
  std::mt19937_64 rng(3);
  for (std::size_t at = 0; at < 130; ++at) {
    for (const std::size_t n : sizes) {
      const auto part = random_bits(n, rng);
      const auto before = random_bits(at, rng);
      BitVector v(at + n + rng() % 70);
      for (std::size_t i = 0; i < at; ++i) v.put(i, before[i] ? 1 : 0);
      v.place(at, vector_of(part));
      std::vector<bool> expected = before;
      expected.insert(expected.end(), part.begin(), part.end());
      expected.resize(v.size());
      ASSERT_EQ(bits_of(v), expected) << n << " bits at " << at;
      ASSERT_TRUE(padding_is_zero(v));
    }
  }
}

TEST(BitVector, SlicesOneBitOfEveryValue) {
  std::mt19937_64 rng(4);
  std::vector<std::uint64_t> values(131);
  for (auto& v : values) v = rng();
  for (unsigned bit = 0; bit < 64; ++bit) {
    const BitVector slice = bit_slice(values, bit);
    ASSERT_EQ(slice.size(), values.size());
    for (std::size_t i = 0; i < values.size(); ++i) ASSERT_EQ(slice.get(i), (values[i] >> bit) & 1);
  }
}

TEST(BitVector, SlicesManyBitsAsItSlicesOne) {
  std::mt19937_64 rng(5);
  for (const std::size_t n : {0U, 1U, 63U, 64U, 65U, 200U}) {
    std::vector<std::uint64_t> values(n);
    for (auto& v : values) v = rng();
    for (const auto& [first, count] : {std::pair(0U, 64U), std::pair(5U, 1U), std::pair(40U, 24U), std::pair(7U, 0U)}) {
      const auto slices = bit_slices(values, first, count);
      ASSERT_EQ(slices.size(), count);
      for (unsigned j = 0; j < count; ++j) {
        ASSERT_EQ(bits_of(slices[j]), bits_of(bit_slice(values, first + j))) << n << " values, bit " << first + j;
        ASSERT_TRUE(padding_is_zero(slices[j]));
      }
    }
  }
}

TEST(BitVector, SwapsWhereABitIsSet) {
  std::mt19937_64 rng(6);
  const auto where = random_bits(133, rng);
  const auto a = random_bits(133, rng);
  const auto b = random_bits(133, rng);
  BitVector x = vector_of(a);
  BitVector y = vector_of(b);
  swap_where(vector_of(where), x, y);
  for (std::size_t i = 0; i < a.size(); ++i) {
    ASSERT_EQ(x.get(i) == 1, where[i] ? b[i] : a[i]);
    ASSERT_EQ(y.get(i) == 1, where[i] ? a[i] : b[i]);
  }
}

TEST(BitVectorDeathTest, VectorsOfDifferentSizesDoNotMeet) {
  BitVector a(64);
  const BitVector b(65);
  EXPECT_DEATH(a ^= b, "internal error");
  EXPECT_DEATH(a &= b, "internal error");
  EXPECT_DEATH(a.place(0, b), "internal error");
}

}  // namespace
}  // namespace smpc
