// The settings that every connection of an identity shares.
#pragma once

#include <openssl/ssl.h>

#include <memory>

#include "smpc/net/identity.h"
#include "tls_words.h"

namespace smpc {

// TLS 1.3 alone, mutual authentication by the identity's CA, nothing that resumes. Safe to share between threads.
std::shared_ptr<SSL_CTX> make_tls_context(const Identity& identity, TlsSide side);

}  // namespace smpc
