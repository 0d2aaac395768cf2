#include "smpc/base/digest.h"

#include <openssl/evp.h>

#include "smpc/base/error.h"

namespace smpc {

Sha256::Sha256() : context_(EVP_MD_CTX_new()) {
  SMPC_CHECK(context_ != nullptr);
  SMPC_CHECK(EVP_DigestInit_ex(static_cast<EVP_MD_CTX*>(context_), EVP_sha256(), nullptr) == 1);
}

Sha256::~Sha256() { EVP_MD_CTX_free(static_cast<EVP_MD_CTX*>(context_)); }

void Sha256::update(ByteView data) {
  SMPC_CHECK(EVP_DigestUpdate(static_cast<EVP_MD_CTX*>(context_), data.data(), data.size()) == 1);
}

Digest Sha256::finish() {
  Digest out;
  SMPC_CHECK(EVP_DigestFinal_ex(static_cast<EVP_MD_CTX*>(context_), reinterpret_cast<unsigned char*>(out.data()),
                                nullptr) == 1);
  return out;
}

Digest sha256(ByteView data) {
  Sha256 hash;
  hash.update(data);
  return hash.finish();
}

std::string to_hex(const Digest& digest) { return to_hex(ByteView(digest)); }

}  // namespace smpc
