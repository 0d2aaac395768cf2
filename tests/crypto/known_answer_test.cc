// Published vectors, so that what runs here is the function that the documents name.
#include <gtest/gtest.h>

#include <algorithm>

#include "smpc/crypto/kdf.h"
#include "smpc/crypto/prg.h"

namespace smpc {
namespace {

// A shorter key is the same HMAC key with zeros behind it, up to the block of 64 bytes (RFC 2104).
Key key_of(ByteView bytes) {
  Key key;
  std::copy(bytes.begin(), bytes.end(), key.reveal().begin());
  return key;
}

std::string hmac_hex(std::string_view key, ByteView data) {
  const Bytes bytes = from_hex(key);
  return to_hex(hmac_sha256(key_of(bytes), data));
}

TEST(Hmac, Rfc4231Vectors) {
  EXPECT_EQ(hmac_hex("0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", as_bytes("Hi There")),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  EXPECT_EQ(hmac_hex("4a656665", as_bytes("what do ya want for nothing?")),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(hmac_hex("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", Bytes(50, std::byte{0xdd})),
            "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe");
  EXPECT_EQ(hmac_hex("0102030405060708090a0b0c0d0e0f10111213141516171819", Bytes(50, std::byte{0xcd})),
            "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b");
}

// NIST SP 800-38A: the key of appendix F. The counter begins at zero, and the stream is the encryption of 0, 1, 2, ...
TEST(Prg, IsAes128InCounterModeFromZero) {
  const Bytes expected = from_hex(
      "7df76b0c1ab899b33e42f047b91b546f57127d4034b1bebfaef466b9c7726fc6973f2ef34879e2027f1734303ff21f89469c7fcb75d5d9a1b418"
      "cb997b09a185");
  Prg prg(key_of(from_hex("2b7e151628aed2a6abf7158809cf4f3c")));
  Bytes stream(expected.size());
  prg.fill(stream);
  EXPECT_EQ(to_hex(stream), to_hex(expected));
}

// The second half of a seed takes no part.
TEST(Prg, UsesTheFirstHalfOfTheSeedAlone) {
  Bytes seed = from_hex("2b7e151628aed2a6abf7158809cf4f3cffffffffffffffffffffffffffffffff");
  Prg prg(key_of(seed));
  Bytes stream(16);
  prg.fill(stream);
  EXPECT_EQ(to_hex(stream), "7df76b0c1ab899b33e42f047b91b546f");
}

TEST(DeriveKey, IsHmacOverLabelZeroAndContext) {
  const Key key = key_of(from_hex("4a656665"));
  const Key derived = derive_key(key, "what do ya want", as_bytes("for nothing?"));
  const Digest expected = hmac_sha256(key, as_bytes(std::string_view("what do ya want\0for nothing?", 28)));
  EXPECT_EQ(to_hex(ByteView(derived.reveal())), to_hex(expected));
}

TEST(DeriveKey, DependsOnKeyLabelAndContext) {
  const Key a = random_key();
  const Key b = random_key();
  const auto hex = [](const Key& k) { return to_hex(ByteView(k.reveal())); };
  const std::string keys[] = {hex(derive_key(a, "x")),  hex(derive_key(b, "x")),
                              hex(derive_key(a, "y")),  hex(derive_key(a, "x", as_bytes("y"))),
                              hex(derive_key(a, "xy")), hex(derive_key(a, "", as_bytes("xy")))};
  for (std::size_t i = 0; i < std::size(keys); ++i) {
    for (std::size_t j = 0; j < i; ++j) EXPECT_NE(keys[i], keys[j]) << i << " and " << j;
  }
}

TEST(EqualInConstantTime, ComparesLengthAndEveryByte) {
  const Bytes a = from_hex("00112233");
  EXPECT_TRUE(equal_in_constant_time(a, from_hex("00112233")));
  EXPECT_TRUE(equal_in_constant_time({}, {}));
  EXPECT_FALSE(equal_in_constant_time(a, from_hex("001122")));
  for (std::size_t i = 0; i < a.size(); ++i) {
    Bytes b = a;
    b[i] ^= std::byte{1};
    EXPECT_FALSE(equal_in_constant_time(a, b)) << i;
  }
}

}  // namespace
}  // namespace smpc
