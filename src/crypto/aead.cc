#include "smpc/crypto/aead.h"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <memory>

#include "smpc/base/error.h"

namespace smpc {
namespace {

constexpr std::size_t tag_bytes = 16;
constexpr std::size_t piece = std::size_t{1} << 20;  // that OpenSSL is given at once
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

Bytes seal(const Key& key, std::initializer_list<ByteView> parts, ByteView associated) {
  const Context context = start(key, true);
  std::size_t size = 0;
  for (const ByteView part : parts) size += part.size();
  Bytes sealed(size + tag_bytes);
  int n = 0;
  SMPC_CHECK(EVP_CipherUpdate(context.get(), nullptr, &n, in(associated), static_cast<int>(associated.size())) == 1);
  std::size_t at = 0;
  for (ByteView part : parts) {
    for (; !part.empty(); part = part.subspan(std::min(part.size(), piece))) {
      const ByteView now = part.first(std::min(part.size(), piece));
      SMPC_CHECK(EVP_CipherUpdate(context.get(), out(sealed.data()) + at, &n, in(now), static_cast<int>(now.size())) == 1);
      at += static_cast<std::size_t>(n);
    }
  }
  SMPC_CHECK(EVP_CipherFinal_ex(context.get(), out(sealed.data()) + at, &n) == 1 && at == size);
  SMPC_CHECK(EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_GET_TAG, tag_bytes, out(sealed.data()) + size) == 1);
  return sealed;
}

std::optional<SecretBytes> unseal(const Key& key, ByteView sealed, ByteView associated) {
  const auto read = [&](std::size_t from, std::span<std::byte> to) { std::copy_n(sealed.begin() + static_cast<std::ptrdiff_t>(from), to.size(), to.begin()); };
  return unseal(key, sealed.size(), read, associated);
}

std::optional<SecretBytes> unseal(const Key& key, std::size_t size, const std::function<void(std::size_t from, std::span<std::byte>)>& read,
                                  ByteView associated) {
  if (size < tag_bytes) return std::nullopt;
  const Context context = start(key, false);
  SecretBytes message(size - tag_bytes);
  int n = 0;
  SMPC_CHECK(EVP_CipherUpdate(context.get(), nullptr, &n, in(associated), static_cast<int>(associated.size())) == 1);
  Bytes sealed(std::min(message.size(), piece));
  for (std::size_t at = 0; at < message.size(); at += piece) {
    const std::span<std::byte> now = std::span(sealed).first(std::min(piece, message.size() - at));
    read(at, now);
    SMPC_CHECK(EVP_CipherUpdate(context.get(), out(message.data()) + at, &n, in(now), static_cast<int>(now.size())) == 1);
  }
  Bytes tag(tag_bytes);
  read(message.size(), tag);
  SMPC_CHECK(EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_SET_TAG, tag_bytes, out(tag.data())) == 1);
  std::array<unsigned char, tag_bytes> rest{};
  if (EVP_CipherFinal_ex(context.get(), rest.data(), &n) != 1) return std::nullopt;
  return message;
}

}  // namespace smpc
