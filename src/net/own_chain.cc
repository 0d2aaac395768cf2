#include "own_chain.h"

#include <openssl/err.h>
#include <openssl/objects.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <array>
#include <cstdint>
#include <vector>

#include "smpc/base/error.h"

namespace smpc {
namespace {

namespace fs = std::filesystem;
using StorePtr = std::unique_ptr<X509_STORE, OpensslDelete<X509_STORE_free>>;
using JudgedPtr = std::unique_ptr<X509_STORE_CTX, OpensslDelete<X509_STORE_CTX_free>>;
using ContextPtr = std::unique_ptr<SSL_CTX, OpensslDelete<SSL_CTX_free>>;
struct FreeStack {
  void operator()(STACK_OF(X509) * stack) const noexcept { sk_X509_free(stack); }
};

constexpr int smallest_rsa = 2048;

struct Use {
  std::uint32_t usage;  // X509_get_extended_key_usage's bit
  int purpose;
  const char* name;
};
constexpr Use connects{XKU_SSL_CLIENT, X509_PURPOSE_SSL_CLIENT, "clientAuth"};
constexpr Use listens{XKU_SSL_SERVER, X509_PURPOSE_SSL_SERVER, "serverAuth"};

// A client only connects, a dealer only accepts, a server does both.
std::vector<Use> uses_of(Role role) {
  switch (role) {
    case Role::client: return {connects};
    case Role::dealer: return {listens};
    case Role::server: break;
  }
  return {listens, connects};
}

// What TLS 1.3 signs with (RFC 8446, 4.2.3) and every OpenSSL 3 has; empty where it is that.
std::string key_problem(const EVP_PKEY* key) {
  const std::string use = ": use P-256, P-384, P-521, Ed25519, Ed448, or RSA of 2048 bits or more";
  switch (EVP_PKEY_get_base_id(key)) {
    case EVP_PKEY_ED25519:
    case EVP_PKEY_ED448: return {};
    case EVP_PKEY_RSA:
    case EVP_PKEY_RSA_PSS: {
      const int bits = EVP_PKEY_get_bits(key);
      return bits >= smallest_rsa ? "" : "one of RSA with " + std::to_string(bits) + " bits" + use;
    }
    case EVP_PKEY_EC: break;
    default: {
      const char* type = EVP_PKEY_get0_type_name(key);
      return "one of type " + std::string(type != nullptr ? type : "?") + use;
    }
  }
  std::array<char, 64> curve{};
  std::size_t size = 0;
  const bool named = EVP_PKEY_get_group_name(key, curve.data(), curve.size(), &size) == 1;
  const int nid = named ? OBJ_txt2nid(curve.data()) : NID_undef;
  ERR_clear_error();
  if (nid == NID_X9_62_prime256v1 || nid == NID_secp384r1 || nid == NID_secp521r1) return {};
  return "one on the curve " + (named ? std::string(curve.data()) : "of its own parameters") + ", which TLS 1.3 does not have" + use;
}

void check_usage(X509* certificate, Role role, const std::string& where) {
  if ((X509_get_key_usage(certificate) & KU_DIGITAL_SIGNATURE) == 0) {
    fail_input(where + "expected a keyUsage with digitalSignature, by which TLS 1.3 authenticates, found one without: issue it anew with it");
  }
  if ((X509_get_extension_flags(certificate) & EXFLAG_XKUSAGE) == 0) return;  // for everything
  const std::uint32_t found = X509_get_extended_key_usage(certificate);
  std::string needed;
  std::string has;
  bool enough = true;
  for (const Use& use : uses_of(role)) {
    needed += (needed.empty() ? "" : " and ") + std::string(use.name);
    enough = enough && (found & use.usage) != 0;
  }
  if (enough) return;
  for (const Use& use : {listens, connects}) {
    if ((found & use.usage) != 0) has += (has.empty() ? "" : " and ") + std::string(use.name);
  }
  fail_input(where + "expected an extendedKeyUsage with " + needed +
             (role == Role::server ? ", since a server accepts clients and connects to its dealer" : "") + ", found " +
             (has.empty() ? "neither serverAuth nor clientAuth" : has + " alone") + ": issue it anew with " + needed +
             ", or without an extendedKeyUsage");
}

// Where a chain breaks off: code 2 above a certificate of ca.pem, 20 and 21 above one of cert.pem.
[[noreturn]] void fail_link(int code, int depth, const X509* certificate, const fs::path& folder) {
  const std::string what = subject_in_words(certificate) + " (depth " + std::to_string(depth) + ")";
  const std::string in_chain = (folder / "cert.pem").string() + ": expected a chain up to a CA in ca.pem, found ";
  switch (code) {
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
      fail_input((folder / "ca.pem").string() + ": expected a root CA, found the intermediate " + what + " alone, issued by " +
                 issuer_in_words(certificate) + ": put that root's certificate into ca.pem, and the intermediate into cert.pem, below "
                 "the certificate itself");
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
      fail_input(in_chain + "that " + what + " is issued by " + issuer_in_words(certificate) +
                 ", which is in neither file: append that intermediate to cert.pem, or, where it is a root, put it into ca.pem");
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
      fail_input(in_chain + what + ", which signed itself and is not in ca.pem: put the CA of this certificate into ca.pem");
    case X509_V_ERR_CERT_SIGNATURE_FAILURE:
      fail_input(in_chain + what + ", which another CA of the same name has signed: copy ca.pem and cert.pem of one CA");
    default: fail_input(in_chain + what + " " + link_problem(code, certificate));
  }
}

// As the other side's OpenSSL will, by the system's level of security.
void check_links(const Identity::Impl& own, const Use& use, const fs::path& folder, std::time_t now) {
  const StorePtr store(X509_STORE_new());
  const std::unique_ptr<STACK_OF(X509), FreeStack> between(sk_X509_new_null());
  const JudgedPtr judged(X509_STORE_CTX_new());
  const ContextPtr system(SSL_CTX_new(TLS_method()));
  SMPC_CHECK(store && between && judged && system);
  for (const X509Ptr& authority : own.authorities) SMPC_CHECK(X509_STORE_add_cert(store.get(), authority.get()) == 1);
  for (const X509Ptr& link : own.intermediates) SMPC_CHECK(sk_X509_push(between.get(), link.get()) > 0);
  SMPC_CHECK(X509_STORE_CTX_init(judged.get(), store.get(), own.certificate.get(), between.get()) == 1);
  X509_VERIFY_PARAM* const how = X509_STORE_CTX_get0_param(judged.get());
  X509_VERIFY_PARAM_set_time(how, now);
  X509_VERIFY_PARAM_set_depth(how, longest_chain);
  X509_VERIFY_PARAM_set_auth_level(how, SSL_CTX_get_security_level(system.get()));
  SMPC_CHECK(X509_STORE_CTX_set_purpose(judged.get(), use.purpose) == 1);
  const bool accepted = X509_verify_cert(judged.get()) == 1;
  ERR_clear_error();
  if (accepted) return;
  const X509* const at = X509_STORE_CTX_get_current_cert(judged.get());
  fail_link(X509_STORE_CTX_get_error(judged.get()), X509_STORE_CTX_get_error_depth(judged.get()),
            at != nullptr ? at : own.certificate.get(), folder);
}

}  // namespace

void check_own_chain(const Identity::Impl& own, const fs::path& folder, std::time_t now) {
  X509* const certificate = own.certificate.get();
  const std::string where = (folder / "cert.pem").string() + ": ";
  if (const std::string problem = key_problem(own.key.get()); !problem.empty()) {
    fail_input(where + "expected a key that TLS 1.3 takes, found " + problem);
  }
  check_usage(certificate, own.name.role, where);
  if (own.name.role != Role::client && hosts_of(certificate).empty()) {
    fail_input(where + "expected the host names or addresses by which others reach this " + std::string(role_name(own.name.role)) +
               " (subjectAltName), found none: issue it anew with them");
  }
  for (const Use& use : uses_of(own.name.role)) check_links(own, use, folder, now);
}

}  // namespace smpc
