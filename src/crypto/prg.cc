#include "smpc/crypto/prg.h"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "smpc/base/declassify.h"
#include "smpc/base/error.h"
#include "smpc/base/sabotage.h"

namespace smpc {
namespace {

EVP_CIPHER_CTX* context_of(void* p) { return static_cast<EVP_CIPHER_CTX*>(p); }

}  // namespace

Prg::Prg(const Key& seed) : context_(EVP_CIPHER_CTX_new()) {
  SMPC_CHECK(context_ != nullptr);
  const auto start = seed.reveal().last<16>();
  std::copy(start.begin(), start.end(), start_.begin());
  declassify(Declassified::counter, start_);
  SMPC_CHECK(EVP_EncryptInit_ex(context_of(context_), EVP_aes_128_ctr(), nullptr,
                                reinterpret_cast<const unsigned char*>(seed.reveal().data()),
                                reinterpret_cast<const unsigned char*>(start_.data())) == 1);
}

Prg::Prg(Prg&& other) noexcept : context_(std::exchange(other.context_, nullptr)), start_(other.start_) {}

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
  unsigned carry = 0;
  for (std::size_t i = 0; i < counter.size(); ++i) {
    const unsigned step = i < 8 ? static_cast<unsigned>(block >> (8 * i)) & 0xff : 0;
    carry += std::to_integer<unsigned>(start_[15 - i]) + step;
    counter[15 - i] = static_cast<unsigned char>(carry);
    carry >>= 8;
  }
  SMPC_CHECK(EVP_EncryptInit_ex(context_of(context_), nullptr, nullptr, nullptr, counter.data()) == 1);
}

}  // namespace smpc
