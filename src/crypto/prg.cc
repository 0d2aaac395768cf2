#include "smpc/crypto/prg.h"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "smpc/base/error.h"
#include "smpc/base/sabotage.h"

namespace smpc {
namespace {

EVP_CIPHER_CTX* context_of(void* p) { return static_cast<EVP_CIPHER_CTX*>(p); }

}  // namespace

Prg::Prg(const Key& seed) : context_(EVP_CIPHER_CTX_new()) {
  SMPC_CHECK(context_ != nullptr);
  const std::array<unsigned char, 16> counter{};
  SMPC_CHECK(EVP_EncryptInit_ex(context_of(context_), EVP_aes_128_ctr(), nullptr,
                                reinterpret_cast<const unsigned char*>(seed.reveal().data()), counter.data()) == 1);
}

Prg::Prg(Prg&& other) noexcept : context_(std::exchange(other.context_, nullptr)) {}

Prg::~Prg() { EVP_CIPHER_CTX_free(context_of(context_)); }

void Prg::fill(std::span<std::byte> out) {
  if (sabotaged(Sabotage::zero_masks)) return std::fill(out.begin(), out.end(), std::byte{0});
  while (!out.empty()) {
    const auto part = out.first(std::min<std::size_t>(out.size(), std::size_t{1} << 30));
    std::memset(part.data(), 0, part.size());
    auto* p = reinterpret_cast<unsigned char*>(part.data());
    int done = 0;
    SMPC_CHECK(EVP_EncryptUpdate(context_of(context_), p, &done, p, static_cast<int>(part.size())) == 1);
    SMPC_CHECK(done == static_cast<int>(part.size()));
    out = out.subspan(part.size());
  }
}

void Prg::seek(std::uint64_t block) {
  std::array<unsigned char, 16> counter{};
  for (std::size_t i = 0; i < 8; ++i) counter[15 - i] = static_cast<unsigned char>(block >> (8 * i));
  SMPC_CHECK(EVP_EncryptInit_ex(context_of(context_), nullptr, nullptr, nullptr, counter.data()) == 1);
}

}  // namespace smpc
