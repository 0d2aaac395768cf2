#include "smpc/correlation/bundle.h"

#include <gtest/gtest.h>

#include <functional>

#include "smpc/base/error.h"

namespace smpc {
namespace {

BundleHeader example() {
  BundleHeader h;
  os_random(h.instance);
  h.epoch = 7;
  h.client = "urn:smpc:client:hospital";
  os_random(h.program);
  os_random(h.mask);
  os_random(h.serial);
  h.expiry = 1'900'000'000;
  return h;
}

std::string hex(const Key& key) { return to_hex(ByteView(key.reveal())); }

TEST(BundleHeader, DecodesToWhatWasEncoded) {
  const Key key = random_key();
  BundleHeader h = example();
  EXPECT_EQ(decode_bundle_header(encode(h, key)), h);
  h.client = "urn:smpc:client:" + std::string(64, 'x');
  const Bytes longest = encode(h, key);
  EXPECT_EQ(decode_bundle_header(longest), h);
  EXPECT_LE(longest.size(), longest_bundle_header);
}

TEST(BundleHeader, HasAMacUnderTheSharedKeyAlone) {
  const Key key = random_key();
  const Bytes bytes = encode(example(), key);
  EXPECT_TRUE(has_valid_mac(bytes, key));
  EXPECT_FALSE(has_valid_mac(bytes, random_key()));
}

TEST(BundleHeader, EveryFlippedBitBreaksTheMac) {
  const Key key = random_key();
  const Bytes bytes = encode(example(), key);
  for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    Bytes wrong = bytes;
    wrong[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
    EXPECT_FALSE(has_valid_mac(wrong, key)) << bit;
  }
}

TEST(BundleHeader, EveryCutAndATrailingByteBreakTheMacAndAreRefused) {
  const Key key = random_key();
  const Bytes bytes = encode(example(), key);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const ByteView cut = ByteView(bytes).first(size);
    EXPECT_FALSE(has_valid_mac(cut, key)) << size;
    try {
      decode_bundle_header(cut);
      ADD_FAILURE() << size;
    } catch (const Error& e) {
      EXPECT_EQ(e.kind(), ErrorKind::peer);
    }
  }
  Bytes longer = bytes;
  longer.push_back(std::byte{0});
  EXPECT_FALSE(has_valid_mac(longer, key));
  EXPECT_THROW(decode_bundle_header(longer), Error);
}

TEST(BundleHeader, AnotherVersionIsRefused) {
  Bytes bytes = encode(example(), random_key());
  bytes[0] = static_cast<std::byte>(bundle_version + 1);
  try {
    decode_bundle_header(bytes);
    ADD_FAILURE();
  } catch (const Error& e) {
    EXPECT_EQ(e.kind(), ErrorKind::peer);
    EXPECT_NE(std::string(e.what()).find("version"), std::string::npos);
  }
}

TEST(ServerSeed, DependsOnEverythingButClientAndExpiry) {
  const Key key = random_key();
  const BundleHeader h = example();
  BundleHeader same = h;
  same.client = "urn:smpc:client:another";
  same.expiry = 0;
  EXPECT_EQ(hex(server_seed(same, key)), hex(server_seed(h, key)));
  EXPECT_NE(hex(server_seed(h, random_key())), hex(server_seed(h, key)));
  const std::function<void(BundleHeader&)> changes[] = {
      [](BundleHeader& x) { x.serial[15] ^= std::byte{1}; }, [](BundleHeader& x) { x.instance[0] ^= std::byte{1}; },
      [](BundleHeader& x) { ++x.epoch; },                    [](BundleHeader& x) { x.program[31] ^= std::byte{1}; },
      [](BundleHeader& x) { x.mask[0] ^= std::byte{1}; },
  };
  for (std::size_t i = 0; i < std::size(changes); ++i) {
    BundleHeader other = h;
    changes[i](other);
    EXPECT_NE(hex(server_seed(other, key)), hex(server_seed(h, key))) << i;
  }
}

}  // namespace
}  // namespace smpc
