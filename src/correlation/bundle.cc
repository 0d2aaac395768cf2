#include "smpc/correlation/bundle.h"

#include "smpc/base/declassify.h"
#include "smpc/base/error.h"
#include "smpc/crypto/kdf.h"

namespace smpc {
namespace {

constexpr std::size_t mac_bytes = 32;

ByteWriter body(const BundleHeader& h) {
  ByteWriter w;
  w.u32(bundle_version);
  w.bytes(h.instance);
  w.u64(h.epoch);
  w.text(h.client);
  w.bytes(h.program);
  w.bytes(h.mask);
  w.bytes(h.serial);
  w.i64(h.expiry);
  return w;
}

Digest mac_of(ByteView bytes, const Key& shared) { return hmac_sha256(derive_key(shared, "bundle header"), bytes); }

template <std::size_t N>
void read(ByteReader& r, std::array<std::byte, N>& out) {
  const ByteView b = r.bytes(N);
  std::copy(b.begin(), b.end(), out.begin());
}

}  // namespace

Bytes encode(const BundleHeader& header, const Key& shared) {
  ByteWriter w = body(header);
  const Digest mac = mac_of(w.data(), shared);
  declassify(Declassified::header_mac, mac);
  w.bytes(mac);
  return w.take();
}

BundleHeader decode_bundle_header(ByteView bytes) {
  try {
    ByteReader r(bytes, "a bundle header");
    BundleHeader h;
    if (const auto version = r.u32(); version != bundle_version) {
      fail_peer("a bundle header: expected version " + std::to_string(bundle_version) + ", found " +
                std::to_string(version));
    }
    read(r, h.instance);
    h.epoch = r.u64();
    h.client = r.text(longest_bundle_header);
    read(r, h.program);
    read(r, h.mask);
    read(r, h.serial);
    h.expiry = r.i64();
    r.bytes(mac_bytes);
    r.expect_end();
    return h;
  } catch (const Error& e) {
    fail_peer(e.what());
  }
}

bool has_valid_mac(ByteView header, const Key& shared) {
  if (header.size() <= mac_bytes) return false;
  const Digest expected = mac_of(header.first(header.size() - mac_bytes), shared);
  const bool valid = equal_in_constant_time(expected, header.last(mac_bytes));
  declassify(Declassified::header_verdict, std::as_bytes(std::span(&valid, 1)));
  return valid;
}

Key server_seed(const BundleHeader& h, const Key& shared) {
  ByteWriter context;
  context.u32(bundle_version);
  context.bytes(h.instance);
  context.u64(h.epoch);
  context.bytes(h.program);
  context.bytes(h.mask);
  context.bytes(h.serial);
  return derive_key(shared, "server seed", context.data());
}

}  // namespace smpc
