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

// NIST SP 800-38A, F.5.1: key, first counter, and the four output blocks that are added to the plaintext there.
TEST(Prg, IsAes128InCounterModeFromTheSecondHalfOfTheSeed) {
  const Bytes seed = from_hex("2b7e151628aed2a6abf7158809cf4f3cf0f1f2f3f4f5f6f7f8f9fafbfcfdfeff");
  const std::string expected =
      "ec8cdf7398607cb0f2d21675ea9ea1e4362b7c3c6773516318a077d7fc5073ae6a2cc3787889374fbeb4c81b17ba6c44"
      "e89c399ff0f198c6d40a31db156cabfe";
  Bytes stream(64);
  Prg prg(key_of(seed));
  prg.fill(stream);
  EXPECT_EQ(to_hex(stream), expected);
  Bytes third(16);
  prg.seek(2);
  prg.fill(third);
  EXPECT_EQ(to_hex(third), expected.substr(64, 32));
}

// The counter is one number of 128 bits, also where it begins anew at zero, and where seeking adds to it.
// $ head -c 64 /dev/zero | openssl enc -aes-128-ctr -K 2b7e151628aed2a6abf7158809cf4f3c -iv fffffffffffffffffffffffffffffffe
TEST(Prg, CountsBeyondTheLargestCounterAsOpensslDoes) {
  const Bytes seed = from_hex("2b7e151628aed2a6abf7158809cf4f3cfffffffffffffffffffffffffffffffe");
  const std::string expected = 
      "d1b714b6fbf5fff1289aee2a4c4eeda38af2860142f786f409307c1a3f7eaaac7df76b0c1ab899b33e42f047b91b546f"
      "57127d4034b1bebfaef466b9c7726fc6";
  Bytes stream(64);
  Prg(key_of(seed)).fill(stream);
  EXPECT_EQ(to_hex(stream), expected);
  for (std::size_t block = 0; block < 4; ++block) {
    Prg prg(key_of(seed));
    Bytes one(16);
    prg.seek(block);
    prg.fill(one);
    EXPECT_EQ(to_hex(one), expected.substr(32 * block, 32)) << block;
  }
}

// NIST SP 800-38A: the key of appendix F. Of a second half of zeros the stream is the encryption of 0, 1, 2, ...
TEST(Prg, OfASecondHalfOfZerosBeginsAtZero) {
  const Bytes expected = from_hex(
      "7df76b0c1ab899b33e42f047b91b546f57127d4034b1bebfaef466b9c7726fc6973f2ef34879e2027f1734303ff21f89469c7fcb75d5d9a1b418"
      "cb997b09a185");
  Prg prg(key_of(from_hex("2b7e151628aed2a6abf7158809cf4f3c")));
  Bytes stream(expected.size());
  prg.fill(stream);
  EXPECT_EQ(to_hex(stream), to_hex(expected));
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
