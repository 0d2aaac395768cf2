#include "tls_context.h"

#include "smpc/base/error.h"
#include "x509.h"

namespace smpc {

std::shared_ptr<SSL_CTX> make_tls_context(const Identity& identity, TlsSide side) {
  const Identity::Impl& own = identity.impl();
  const std::shared_ptr<SSL_CTX> context(
      SSL_CTX_new(side == TlsSide::client ? TLS_client_method() : TLS_server_method()), SSL_CTX_free);
  SSL_CTX* c = context.get();
  SMPC_CHECK(c != nullptr);
  SMPC_CHECK(SSL_CTX_set_min_proto_version(c, TLS1_3_VERSION) == 1);
  SMPC_CHECK(SSL_CTX_set_max_proto_version(c, TLS1_3_VERSION) == 1);
  SSL_CTX_set_options(c, SSL_OP_NO_TICKET | SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_CLEANSE_PLAINTEXT);
  SMPC_CHECK(SSL_CTX_set_num_tickets(c, 0) == 1);
  SSL_CTX_set_session_cache_mode(c, SSL_SESS_CACHE_OFF);
  SMPC_CHECK(SSL_CTX_set_max_early_data(c, 0) == 1);
  SSL_CTX_set_mode(c, SSL_MODE_NO_AUTO_CHAIN);
  SSL_CTX_set_verify(c, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  SSL_CTX_set_verify_depth(c, longest_chain);
  X509_STORE* store = SSL_CTX_get_cert_store(c);
  for (const X509Ptr& authority : own.authorities) SMPC_CHECK(X509_STORE_add_cert(store, authority.get()) == 1);
  // A policy of the system may find a key too weak: that is the folder's fault, not ours.
  bool accepted =
      SSL_CTX_use_certificate(c, own.certificate.get()) == 1 && SSL_CTX_use_PrivateKey(c, own.key.get()) == 1;
  for (const X509Ptr& link : own.intermediates) accepted = accepted && SSL_CTX_add1_chain_cert(c, link.get()) == 1;
  if (!accepted) {
    fail_input(identity.name().uri() + ": expected a certificate that TLS accepts, found one that it refuses (" +
               openssl_reason() + "): issue one with smpc-certs");
  }
  return context;
}

}  // namespace smpc
