#include "smpc/crypto/aead.h"

#include <openssl/evp.h>

#include <array>
#include <limits>
#include <memory>

#include "smpc/base/error.h"

namespace smpc {
namespace {

constexpr std::size_t tag_bytes = 16;
using Context = std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)>;

const unsigned char* in(ByteView b) { return reinterpret_cast<const unsigned char*>(b.data()); }
unsigned char* out(std::span<std::byte> b) { return reinterpret_cast<unsigned char*>(b.data()); }

// With `associated` taken in.
Context start(const Key& key, std::uint32_t piece, ByteView associated, bool encrypt) {
  Context context(EVP_CIPHER_CTX_new(), &EVP_CIPHER_CTX_free);
  std::array<unsigned char, 12> nonce{};
  for (std::size_t i = 0; i < 4; ++i) nonce[11 - i] = static_cast<unsigned char>(piece >> (8 * i));
  int n = 0;
  SMPC_CHECK(context != nullptr);
  SMPC_CHECK(EVP_CipherInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, in(key.reveal()), nonce.data(),
                               encrypt ? 1 : 0) == 1);
  SMPC_CHECK(EVP_CipherUpdate(context.get(), nullptr, &n, in(associated), static_cast<int>(associated.size())) == 1);
  return context;
}

}  // namespace

Bytes seal(const Key& key, ByteView message, ByteView associated, std::uint32_t piece) {
  SMPC_CHECK(message.size() <= std::numeric_limits<int>::max());
  const Context context = start(key, piece, associated, true);
  Bytes sealed(message.size() + tag_bytes);
  const auto tag = std::span(sealed).last(tag_bytes);
  int n = 0;
  SMPC_CHECK(EVP_CipherUpdate(context.get(), out(sealed), &n, in(message), static_cast<int>(message.size())) == 1);
  SMPC_CHECK(EVP_CipherFinal_ex(context.get(), out(tag), &n) == 1 && n == 0);
  SMPC_CHECK(EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_GET_TAG, tag_bytes, out(tag)) == 1);
  return sealed;
}

std::optional<SecretBytes> unseal(const Key& key, ByteView sealed, ByteView associated, std::uint32_t piece) {
  if (sealed.size() < tag_bytes || sealed.size() > std::numeric_limits<int>::max()) return std::nullopt;
  const Context context = start(key, piece, associated, false);
  const ByteView encrypted = sealed.first(sealed.size() - tag_bytes);
  SecretBytes message(encrypted.size());
  Bytes tag(sealed.end() - tag_bytes, sealed.end());
  int n = 0;
  SMPC_CHECK(EVP_CipherUpdate(context.get(), out(message), &n, in(encrypted), static_cast<int>(encrypted.size())) == 1);
  SMPC_CHECK(EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_SET_TAG, tag_bytes, out(tag)) == 1);
  std::array<std::byte, tag_bytes> rest{};
  if (EVP_CipherFinal_ex(context.get(), out(rest), &n) != 1) return std::nullopt;
  return message;
}

}  // namespace smpc
