#include "smpc/crypto/aead.h"

#include <openssl/evp.h>

#include <array>
#include <memory>

#include "smpc/base/error.h"

namespace smpc {
namespace {

constexpr std::size_t tag_bytes = 16;
using Context = std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)>;

const unsigned char* in(ByteView b) { return reinterpret_cast<const unsigned char*>(b.data()); }
unsigned char* out(std::byte* b) { return reinterpret_cast<unsigned char*>(b); }

Context start(const Key& key, bool encrypt) {
  Context context(EVP_CIPHER_CTX_new(), &EVP_CIPHER_CTX_free);
  const std::array<unsigned char, 12> nonce{};
  SMPC_CHECK(context != nullptr);
  SMPC_CHECK(EVP_CipherInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, in(key.reveal()), nonce.data(),
                               encrypt ? 1 : 0) == 1);
  return context;
}

}  // namespace

Bytes seal(const Key& key, ByteView message, ByteView associated) {
  const Context context = start(key, true);
  Bytes sealed(message.size() + tag_bytes);
  int n = 0;
  SMPC_CHECK(EVP_CipherUpdate(context.get(), nullptr, &n, in(associated), static_cast<int>(associated.size())) == 1);
  SMPC_CHECK(EVP_CipherUpdate(context.get(), out(sealed.data()), &n, in(message), static_cast<int>(message.size())) == 1);
  SMPC_CHECK(EVP_CipherFinal_ex(context.get(), out(sealed.data()) + n, &n) == 1);
  SMPC_CHECK(EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_GET_TAG, tag_bytes, out(sealed.data()) + message.size()) == 1);
  return sealed;
}

std::optional<SecretBytes> unseal(const Key& key, ByteView sealed, ByteView associated) {
  if (sealed.size() < tag_bytes) return std::nullopt;
  const ByteView body = sealed.first(sealed.size() - tag_bytes);
  std::array<unsigned char, tag_bytes> tag{};
  for (std::size_t i = 0; i < tag_bytes; ++i) tag[i] = std::to_integer<unsigned char>(sealed[body.size() + i]);
  const Context context = start(key, false);
  SecretBytes message(body.size());
  int n = 0;
  SMPC_CHECK(EVP_CipherUpdate(context.get(), nullptr, &n, in(associated), static_cast<int>(associated.size())) == 1);
  SMPC_CHECK(EVP_CipherUpdate(context.get(), out(message.data()), &n, in(body), static_cast<int>(body.size())) == 1);
  SMPC_CHECK(EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_SET_TAG, tag_bytes, tag.data()) == 1);
  if (EVP_CipherFinal_ex(context.get(), out(message.data()) + n, &n) != 1) return std::nullopt;
  return message;
}

}  // namespace smpc
