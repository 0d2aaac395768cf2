// OpenSSL's objects with owners, and certificates in words.
#pragma once

#include <openssl/evp.h>
#include <openssl/x509.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "smpc/net/identity.h"

namespace smpc {

template <auto Free>
struct OpensslDelete {
  template <class T>
  void operator()(T* p) const noexcept {
    Free(p);
  }
};
using X509Ptr = std::unique_ptr<X509, OpensslDelete<X509_free>>;
using KeyPtr = std::unique_ptr<EVP_PKEY, OpensslDelete<EVP_PKEY_free>>;
using BioPtr = std::unique_ptr<BIO, OpensslDelete<BIO_free_all>>;

struct Identity::Impl {
  PeerName name;
  X509Ptr certificate;
  std::vector<X509Ptr> intermediates;
  std::vector<X509Ptr> authorities;
  KeyPtr key;
};

// One or more PEM certificates. Throws bad_input.
std::vector<X509Ptr> read_certificates(const std::filesystem::path& path);
// A PEM private key that others may not read (smpc/base/private_file.h). Throws bad_input.
KeyPtr read_private_key(const std::filesystem::path& path);

// The one urn:smpc: URI of a certificate. Throws bad_input, beginning with `whose`.
PeerName peer_name_of(const X509* certificate, const std::string& whose);
// The same for messages: the URI, or "no smpc identity".
std::string identity_in_words(const X509* certificate);
// The DNS names and addresses that it is valid for.
std::vector<std::string> hosts_of(const X509* certificate);
std::string date_in_words(const ASN1_TIME* time);  // 2031-05-01 12:00 UTC

std::string subject_in_words(const X509* certificate);  // CN=...,O=... (RFC 2253)
std::string issuer_in_words(const X509* certificate);

// Certificates above the leaf, on either side.
inline constexpr int longest_chain = 8;

// Why a certificate of a chain was not accepted, by an X509_V_ERR_ code that is not about its issuer or host: "that ...".
std::string link_problem(int code, const X509* certificate);
// Why the other side's chain was not accepted: the code, the certificate it is about (may be null) and its place in the chain,
// the other side's own at 0; the host dialled.
std::string certificate_problem(int code, int depth, const X509* certificate, const std::string& host);

// The newest entry of OpenSSL's error queue, which is emptied.
std::string openssl_reason();

}  // namespace smpc
