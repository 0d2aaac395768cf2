// A bundle is the correlated randomness of one inference of one volume. Its header says for whom and for what it is, and
// carries a MAC under the key that server and dealer share (program_key, masks.h); the client hands the header on, and the server derives its
// own part of the randomness from it.
//
// Canonical bytes: version u32, instance 16, epoch u64, client (text), program hash 32, mask id 32, serial 16,
// expiry i64 (seconds since 1970), MAC 32.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "smpc/correlation/masks.h"

namespace smpc {

using Instance = std::array<std::byte, 16>;  // of a server's state: random, made once
using Serial = std::array<std::byte, 16>;    // of a bundle: random

constexpr std::uint32_t bundle_version = 4;  // also of how plans and seeds make corrections
constexpr std::size_t longest_bundle_header = 512;  // bytes

struct BundleHeader {
  Instance instance{};
  std::uint64_t epoch = 0;
  std::string client;  // identity, urn:smpc:client:NAME
  Digest program{};
  MaskId mask{};
  Serial serial{};
  std::int64_t expiry = 0;
  friend bool operator==(const BundleHeader&, const BundleHeader&) = default;
};

// With the MAC under the shared key.
Bytes encode(const BundleHeader& header, const Key& shared);
// Refuses (peer error) bytes that are no header. The MAC is checked by has_valid_mac: clients cannot.
BundleHeader decode_bundle_header(ByteView bytes);
bool has_valid_mac(ByteView header, const Key& shared);

// The seed of the server's part: KDF(shared, everything in the header but client and expiry). The serial makes it
// unique; client and expiry are left out so that a dealer can make bundles before it knows whom they are for.
Key server_seed(const BundleHeader& header, const Key& shared);

}  // namespace smpc
