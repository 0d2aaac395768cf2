#include "x509.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <algorithm>

#include "smpc/base/error.h"
#include "smpc/base/file.h"
#include "smpc/base/private_file.h"
#include "smpc/base/secret.h"

namespace smpc {
namespace {

constexpr std::size_t longest_pem = std::size_t{1} << 20;
using NamesPtr = std::unique_ptr<GENERAL_NAMES, OpensslDelete<GENERAL_NAMES_free>>;

BioPtr memory_bio(const Bytes& data) {
  BioPtr bio(BIO_new_mem_buf(data.data(), static_cast<int>(data.size())));
  SMPC_CHECK(bio != nullptr);
  return bio;
}

// Never ask on a terminal for the passphrase of a key.
int no_passphrase(char*, int, int, void*) { return 0; }

NamesPtr alternative_names(const X509* certificate) {
  return NamesPtr(static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
}

std::string text_of(const ASN1_STRING* s) {
  return std::string(as_text(ByteView(reinterpret_cast<const std::byte*>(ASN1_STRING_get0_data(s)),
                                      static_cast<std::size_t>(ASN1_STRING_length(s)))));
}

std::vector<std::string> smpc_uris(const X509* certificate) {
  std::vector<std::string> out;
  const NamesPtr names = alternative_names(certificate);
  for (int i = 0; names && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type != GEN_URI) continue;
    std::string uri = text_of(name->d.uniformResourceIdentifier);
    if (uri.starts_with("urn:smpc:")) out.push_back(std::move(uri));
  }
  return out;
}

std::string address_text(const ASN1_OCTET_STRING* ip) {
  char text[INET6_ADDRSTRLEN] = "?";
  const int length = ASN1_STRING_length(ip);
  if (length == 4 || length == 16) {
    ::inet_ntop(length == 4 ? AF_INET : AF_INET6, ASN1_STRING_get0_data(ip), text, sizeof text);
  }
  return text;
}

std::string joined(const std::vector<std::string>& items) {
  std::string out;
  for (const std::string& item : items) out += (out.empty() ? "" : ", ") + item;
  return out.empty() ? "no host" : out;
}

std::string name_in_words(const X509_NAME* name) {
  const BioPtr bio(BIO_new(BIO_s_mem()));
  SMPC_CHECK(bio != nullptr);
  X509_NAME_print_ex(bio.get(), name, 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB);
  char* text = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &text);
  if (size <= 0) return "a certificate without a name";
  return std::string(text, static_cast<std::size_t>(std::min(size, 200L)));
}

}  // namespace

std::string openssl_reason() {
  const unsigned long error = ERR_peek_last_error();
  const char* reason = ERR_reason_error_string(error);
  std::string out = reason != nullptr ? reason : "unknown reason";
  ERR_clear_error();
  return out;
}

std::vector<X509Ptr> read_certificates(const std::filesystem::path& path) {
  const Bytes pem = read_file(path, longest_pem);
  const BioPtr bio = memory_bio(pem);
  std::vector<X509Ptr> out;
  while (X509Ptr next{PEM_read_bio_X509(bio.get(), nullptr, no_passphrase, nullptr)}) out.push_back(std::move(next));
  const unsigned long error = ERR_peek_last_error();
  ERR_clear_error();
  if (out.empty() || ERR_GET_REASON(error) != PEM_R_NO_START_LINE) {  // no start line is how the end shows
    fail_input(path.string() + ": expected PEM certificates (-----BEGIN CERTIFICATE-----), found something else");
  }
  return out;
}

KeyPtr read_private_key(const std::filesystem::path& path) {
  Bytes pem = read_private_file(path, longest_pem);
  KeyPtr key(PEM_read_bio_PrivateKey(memory_bio(pem).get(), nullptr, no_passphrase, nullptr));
  wipe(std::span<std::byte>(pem));
  ERR_clear_error();
  if (!key) {
    fail_input(path.string() + ": expected a PEM private key without a passphrase, found something else");
  }
  return key;
}

PeerName peer_name_of(const X509* certificate, const std::string& whose) {
  const std::vector<std::string> uris = smpc_uris(certificate);
  if (uris.size() != 1) {
    fail_input(whose +
               ": expected a certificate with one identity urn:smpc:ROLE:NAME in its subject alternative name, "
               "found " +
               (uris.empty() ? "none" : std::to_string(uris.size())) + ": issue one with smpc-certs issue");
  }
  return parse_peer_name(uris.front());
}

std::string identity_in_words(const X509* certificate) {
  const auto uris = certificate != nullptr ? smpc_uris(certificate) : std::vector<std::string>{};
  return uris.size() == 1 ? uris.front() : "no smpc identity";
}

std::vector<std::string> hosts_of(const X509* certificate) {
  std::vector<std::string> out;
  const NamesPtr names = alternative_names(certificate);
  for (int i = 0; names && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type == GEN_DNS) out.push_back(text_of(name->d.dNSName));
    if (name->type == GEN_IPADD) out.push_back(address_text(name->d.iPAddress));
  }
  return out;
}

std::string date_in_words(const ASN1_TIME* time) {
  std::tm tm{};
  if (ASN1_TIME_to_tm(time, &tm) != 1) return "an unreadable date";
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%d %H:%M UTC", &tm);
  return text;
}

std::string subject_in_words(const X509* certificate) { return name_in_words(X509_get_subject_name(certificate)); }
std::string issuer_in_words(const X509* certificate) { return name_in_words(X509_get_issuer_name(certificate)); }

std::string link_problem(int code, const X509* certificate) {
  switch (code) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return "that expired on " + date_in_words(X509_get0_notAfter(certificate)) + ": renew it";
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return "that is valid only from " + date_in_words(X509_get0_notBefore(certificate)) + ": check the clocks";
    case X509_V_ERR_INVALID_PURPOSE:
      return "that may not be used on that side of a connection (extendedKeyUsage): is it of the right role?";
    case X509_V_ERR_INVALID_CA:
    case X509_V_ERR_KEYUSAGE_NO_CERTSIGN:
      return "that may not sign others (basicConstraints CA, keyUsage keyCertSign): issue those below it by a CA";
    case X509_V_ERR_PATH_LENGTH_EXCEEDED:
      return "that may not have as many below it (basicConstraints pathlen): issue those below it by another";
    case X509_V_ERR_PERMITTED_VIOLATION:
    case X509_V_ERR_EXCLUDED_VIOLATION:
      return "whose names its CA may not sign for (nameConstraints): leave those names out";
    case X509_V_ERR_EE_KEY_TOO_SMALL:
    case X509_V_ERR_CA_KEY_TOO_SMALL:
      return "with a key that this system finds too weak: use P-256, or RSA of 2048 bits or more";
    case X509_V_ERR_CA_MD_TOO_WEAK:
      return "signed with a digest that this system finds too weak: sign it with SHA-256";
    default: return std::string("that cannot be verified: ") + X509_verify_cert_error_string(code);
  }
}

std::string certificate_problem(int code, int depth, const X509* certificate, const std::string& host) {
  const std::string identity = identity_in_words(certificate);
  const bool leaf = depth == 0 || certificate == nullptr;
  const std::string whose =
      "a certificate (" + (leaf ? identity : subject_in_words(certificate) + ", at depth " + std::to_string(depth)) + ") ";
  switch (code) {
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
      return whose + "that is not valid for the host " + host + " but for " + joined(hosts_of(certificate)) + ": dial it by one of these, " +
             (identity.starts_with("urn:smpc:server:") ? "give one as --server-name where a port is forwarded, " : "") +
             "or issue one with --host " + host;
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
      return whose + "from another CA than the one in this side's ca.pem: both sides need certificates of one CA";
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_CERT_SIGNATURE_FAILURE:
      return whose + "from another CA than the one in this side's ca.pem, or sent without an intermediate: its issuer " +
             (certificate != nullptr ? issuer_in_words(certificate) : "?") +
             " is neither there nor sent along: both sides need certificates of one CA, with the intermediates in cert.pem";
    default: return whose + link_problem(code, certificate);
  }
}

}  // namespace smpc
