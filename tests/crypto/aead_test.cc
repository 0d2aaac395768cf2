#include "smpc/crypto/aead.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace smpc {
namespace {

bool equal(const std::optional<SecretBytes>& found, ByteView expected) {
  return found && std::equal(found->begin(), found->end(), expected.begin(), expected.end());
}

TEST(Aead, OpensWhatItSealed) {
  for (const std::size_t size : {0U, 1U, 15U, 16U, 17U, 1000U, 100000U, 1U << 20, 2500000U}) {
    const Key key = random_key();
    Bytes message(size);
    os_random(message);
    const Bytes sealed = seal(key, message, as_bytes("header"));
    EXPECT_EQ(sealed.size(), size + 16);
    EXPECT_TRUE(equal(unseal(key, sealed, as_bytes("header")), message)) << size;
  }
}

// A number of its own for each piece: another ciphertext, and neither opens as the other.
TEST(Aead, PiecesHaveNoncesOfTheirOwn) {
  const Key key = random_key();
  const Bytes zeros(64);
  for (const std::uint32_t piece : {1U, 255U, 256U, 0x80000000U, 0xFFFFFFFFU}) {
    const Bytes sealed = seal(key, zeros, as_bytes("header"), piece);
    EXPECT_TRUE(equal(unseal(key, sealed, as_bytes("header"), piece), zeros));
    EXPECT_FALSE(unseal(key, sealed, as_bytes("header"), 0));
    EXPECT_FALSE(unseal(key, sealed, as_bytes("header"), piece ^ 1));
    EXPECT_NE(to_hex(ByteView(sealed).first(16)), to_hex(ByteView(seal(key, zeros, as_bytes("header"))).first(16)));
  }
}

// The GCM specification (McGrew and Viega), test cases 13 and 14: a zero key and nonce.
TEST(Aead, IsAes256Gcm) {
  EXPECT_EQ(to_hex(seal(Key{}, {}, {})), "530f8afbc74536b9a963b4f1c4cb738b");
  EXPECT_EQ(to_hex(seal(Key{}, Bytes(16), {})), "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919");
}

TEST(Aead, EveryFlippedBitIsRefused) {
  const Key key = random_key();
  const Bytes sealed = seal(key, as_bytes("a small message"), as_bytes("header"));
  for (std::size_t bit = 0; bit < sealed.size() * 8; ++bit) {
    Bytes wrong = sealed;
    wrong[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
    EXPECT_FALSE(unseal(key, wrong, as_bytes("header"))) << bit;
  }
  EXPECT_TRUE(equal(unseal(key, sealed, as_bytes("header")), as_bytes("a small message")));
}

TEST(Aead, EveryCutIsRefused) {
  const Key key = random_key();
  const Bytes sealed = seal(key, as_bytes("a small message"), {});
  for (std::size_t size = 0; size < sealed.size(); ++size) {
    EXPECT_FALSE(unseal(key, ByteView(sealed).first(size), {})) << size;
    EXPECT_FALSE(unseal(key, ByteView(sealed).last(size), {})) << size;
  }
  Bytes longer = sealed;
  longer.push_back(std::byte{0});
  EXPECT_FALSE(unseal(key, longer, {}));
}

TEST(Aead, OtherAssociatedBytesOrAnotherKeyAreRefused) {
  const Key key = random_key();
  const Bytes sealed = seal(key, as_bytes("a small message"), as_bytes("header"));
  for (const std::string_view other : {"", "heade", "headers", "Header", "headeR"}) {
    EXPECT_FALSE(unseal(key, sealed, as_bytes(other))) << other;
  }
  for (std::size_t bit = 0; bit < 256; ++bit) {
    Key wrong = key;
    wrong.reveal()[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
    EXPECT_FALSE(unseal(wrong, sealed, as_bytes("header"))) << bit;
  }
}

}  // namespace
}  // namespace smpc
