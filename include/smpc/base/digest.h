// SHA-256 (FIPS 180-4), by OpenSSL.
#pragma once

#include <array>
#include <string>

#include "smpc/base/bytes.h"

namespace smpc {

using Digest = std::array<std::byte, 32>;

Digest sha256(ByteView data);
std::string to_hex(const Digest& digest);

// Over several pieces, without joining them.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;
  void update(ByteView data);
  Digest finish();

 private:
  void* context_;
};

}  // namespace smpc
