// Memory that holds a secret: it is wiped when it goes, and what would print it does not compile: streams, hexadecimal,
// text, JSON, and the log (tools/log.h). A key is read by reveal() and is not compared with ==. docs/SECURITY.md ("Types of
// secrets") says what that is worth; tests/secret_types checks it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <ostream>
#include <span>
#include <type_traits>
#include <vector>

namespace smpc {

// Overwrites in a way the optimiser keeps (OPENSSL_cleanse).
void wipe(std::span<std::byte> memory) noexcept;
void wipe(std::span<std::uint64_t> memory) noexcept;

// An allocator that wipes what it gives back.
template <class T>
struct WipingAllocator {
  using value_type = T;
  WipingAllocator() = default;
  template <class U>
  WipingAllocator(const WipingAllocator<U>&) noexcept {}  // NOLINT: an allocator converts
  T* allocate(std::size_t n) { return std::allocator<T>().allocate(n); }
  void deallocate(T* p, std::size_t n) noexcept {
    wipe(std::as_writable_bytes(std::span(p, n)));
    std::allocator<T>().deallocate(p, n);
  }
  friend bool operator==(const WipingAllocator&, const WipingAllocator&) noexcept { return true; }
};

// Shares, masks, voxels, weights: a vector whose memory is wiped, also when it grows.
template <class T>
using SecretVector = std::vector<T, WipingAllocator<T>>;
using SecretBytes = SecretVector<std::byte>;

// A key of N bytes.
template <std::size_t N>
class SecretArray {
 public:
  SecretArray() noexcept { bytes_.fill(std::byte{0}); }
  explicit SecretArray(std::span<const std::byte, N> from) noexcept {
    for (std::size_t i = 0; i < N; ++i) bytes_[i] = from[i];
  }
  SecretArray(const SecretArray&) = default;
  SecretArray& operator=(const SecretArray&) = default;
  ~SecretArray() { wipe(std::span<std::byte>(bytes_)); }
  std::span<const std::byte, N> reveal() const noexcept { return bytes_; }
  std::span<std::byte, N> reveal() noexcept { return bytes_; }

 private:
  std::array<std::byte, N> bytes_;
};

template <std::size_t N>
bool operator==(const SecretArray<N>&, const SecretArray<N>&) = delete;

// What prints. to_json is what nlohmann's library looks for; no room below needs to know it.
template <class T>
std::ostream& operator<<(std::ostream&, const SecretVector<T>&) = delete;
template <std::size_t N>
std::ostream& operator<<(std::ostream&, const SecretArray<N>&) = delete;
template <class T>
void to_hex(const SecretVector<T>&) = delete;
template <std::size_t N>
void to_hex(const SecretArray<N>&) = delete;
template <class T>
void as_text(const SecretVector<T>&) = delete;
template <std::size_t N>
void as_text(const SecretArray<N>&) = delete;
template <class Json, class T>
void to_json(Json&, const SecretVector<T>&) = delete;
template <class Json, std::size_t N>
void to_json(Json&, const SecretArray<N>&) = delete;

// Bytes of a fixed number are what reveal() gives of a key; digests are arrays.
template <class Byte, std::size_t N>
concept RevealedBytes = std::is_same_v<std::remove_const_t<Byte>, std::byte> && N != std::dynamic_extent;
template <class Byte, std::size_t N>
  requires RevealedBytes<Byte, N>
void to_hex(std::span<Byte, N>) = delete;
template <class Byte, std::size_t N>
  requires RevealedBytes<Byte, N>
void as_text(std::span<Byte, N>) = delete;

}  // namespace smpc
