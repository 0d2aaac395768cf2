// A pseudorandom generator: AES-128 in counter mode (NIST SP 800-38A), by OpenSSL. The AES key is the first half of the
// seed; the second half is where the counter starts, a number of 128 bits, so that a table of one start is of no use
// against many streams. One stream for one purpose: every stream has a seed of its own (derive_key), so no two uses ever
// share output.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "smpc/crypto/random.h"

namespace smpc {

class Prg {
 public:
  explicit Prg(const Key& seed);
  ~Prg();
  Prg(Prg&& other) noexcept;
  Prg& operator=(Prg&&) = delete;
  Prg(const Prg&) = delete;

  // The next bytes of the stream.
  void fill(std::span<std::byte> out);
  // Goes to byte 16 * block of the stream.
  void seek(std::uint64_t block);
  // The next 8 * out.size() bytes, as little-endian words.
  void fill(std::span<std::uint64_t> out) { fill(std::as_writable_bytes(out)); }

 private:
  void* context_;
  std::array<std::byte, 16> start_;  // of the counter, highest byte first
};

}  // namespace smpc
