#include "smpc/net/certs.h"

#include <arpa/inet.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include <array>
#include <cerrno>

#include "smpc/base/error.h"
#include "smpc/base/file.h"
#include "smpc/base/file_error.h"
#include "smpc/base/secret.h"
#include "smpc/net/address.h"
#include "x509.h"

namespace smpc {
namespace {

namespace fs = std::filesystem;
using NamePtr = std::unique_ptr<GENERAL_NAME, OpensslDelete<GENERAL_NAME_free>>;
using NamesPtr = std::unique_ptr<GENERAL_NAMES, OpensslDelete<GENERAL_NAMES_free>>;
using NumberPtr = std::unique_ptr<BIGNUM, OpensslDelete<BN_free>>;
using ExtensionPtr = std::unique_ptr<X509_EXTENSION, OpensslDelete<X509_EXTENSION_free>>;

template <std::size_t N>
std::array<std::byte, N> random_bytes() {
  std::array<std::byte, N> out{};
  SMPC_CHECK(RAND_bytes(reinterpret_cast<unsigned char*>(out.data()), N) == 1);
  return out;
}

KeyPtr make_key() {
  KeyPtr key(EVP_EC_gen("P-256"));
  SMPC_CHECK(key != nullptr);
  return key;
}

// Version, serial, dates and public key; names and extensions are the caller's.
X509Ptr blank_certificate(EVP_PKEY* key, const Validity& validity) {
  X509Ptr certificate(X509_new());
  SMPC_CHECK(certificate != nullptr && X509_set_version(certificate.get(), X509_VERSION_3) == 1);
  auto serial = random_bytes<16>();
  serial[0] = (serial[0] & std::byte{0x7f}) | std::byte{0x40};  // positive, and always of 16 bytes
  const NumberPtr number(BN_bin2bn(reinterpret_cast<const unsigned char*>(serial.data()), 16, nullptr));
  SMPC_CHECK(BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate.get())) != nullptr);
  const auto start = validity.starts.count();
  const auto end = (validity.starts + validity.lasts).count();
  SMPC_CHECK(X509_gmtime_adj(X509_getm_notBefore(certificate.get()), start) != nullptr);
  SMPC_CHECK(X509_gmtime_adj(X509_getm_notAfter(certificate.get()), end) != nullptr);
  SMPC_CHECK(X509_set_pubkey(certificate.get(), key) == 1);
  return certificate;
}

void set_common_name(X509* certificate, const std::string& name) {
  SMPC_CHECK(X509_NAME_add_entry_by_NID(X509_get_subject_name(certificate), NID_commonName, MBSTRING_ASC,
                                        reinterpret_cast<const unsigned char*>(name.data()),
                                        static_cast<int>(name.size()), -1, 0) == 1);
}

void add_extension(X509* certificate, X509* issuer, int nid, const char* value) {
  X509V3_CTX context{};
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const ExtensionPtr extension(X509V3_EXT_conf_nid(nullptr, &context, nid, value));
  SMPC_CHECK(extension != nullptr && X509_add_ext(certificate, extension.get(), -1) == 1);
}

void sign(X509* certificate, EVP_PKEY* key) { SMPC_CHECK(X509_sign(certificate, key, EVP_sha256()) > 0); }

NamePtr host_name(const std::string& host) {
  if (const std::string problem = host_problem(host, true); !problem.empty()) {
    fail_usage("--host: expected a DNS name or an IP address without a port, found '" + host + "', " + problem);
  }
  NamePtr name(GENERAL_NAME_new());
  SMPC_CHECK(name != nullptr);
  if (ASN1_OCTET_STRING* ip = a2i_IPADDRESS(host.c_str())) {
    GENERAL_NAME_set0_value(name.get(), GEN_IPADD, ip);
    return name;
  }
  ERR_clear_error();
  ASN1_IA5STRING* dns = ASN1_IA5STRING_new();
  SMPC_CHECK(dns != nullptr && ASN1_STRING_set(dns, host.data(), static_cast<int>(host.size())) == 1);
  GENERAL_NAME_set0_value(name.get(), GEN_DNS, dns);
  return name;
}

void add_alternative_names(X509* certificate, const CertificateRequest& request) {
  const NamesPtr names(GENERAL_NAMES_new());
  const auto push = [&](NamePtr name) {
    SMPC_CHECK(sk_GENERAL_NAME_push(names.get(), name.get()) > 0);
    static_cast<void>(name.release());  // the stack owns it now
  };
  NamePtr uri(GENERAL_NAME_new());
  const std::string text = request.name.uri();
  ASN1_IA5STRING* string = ASN1_IA5STRING_new();
  SMPC_CHECK(uri != nullptr && string != nullptr &&
             ASN1_STRING_set(string, text.data(), static_cast<int>(text.size())) == 1);
  GENERAL_NAME_set0_value(uri.get(), GEN_URI, string);
  push(std::move(uri));
  for (const std::string& host : request.hosts) push(host_name(host));
  SMPC_CHECK(X509_add1_ext_i2d(certificate, NID_subject_alt_name, names.get(), 0, X509V3_ADD_DEFAULT) == 1);
}

// A client only connects, a dealer only accepts, a server does both.
const char* key_usage_of(Role role) {
  switch (role) {
    case Role::client: return "clientAuth";
    case Role::dealer: return "serverAuth";
    case Role::server: return "serverAuth,clientAuth";
  }
  return "clientAuth";
}

Bytes bytes_of(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  const auto view = std::as_bytes(std::span(data, static_cast<std::size_t>(size)));
  return {view.begin(), view.end()};
}

void write_certificate(const fs::path& path, X509* certificate) {
  const BioPtr bio(BIO_new(BIO_s_mem()));
  SMPC_CHECK(bio != nullptr && PEM_write_bio_X509(bio.get(), certificate) == 1);
  write_file(path, bytes_of(bio.get()));
}

void write_key(const fs::path& path, EVP_PKEY* key) {
  const BioPtr bio(BIO_new(BIO_s_secmem()));
  SMPC_CHECK(bio != nullptr &&
             PEM_write_bio_PKCS8PrivateKey(bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr) == 1);
  Bytes pem = bytes_of(bio.get());
  write_file(path, pem, true);
  wipe(std::span<std::byte>(pem));
}

// Folders that are made are the owner's alone.
void make_folder(const fs::path& folder) {
  std::error_code error;
  const bool made = fs::create_directories(folder, error);
  if (error || !fs::is_directory(folder, error)) {
    fail_input(folder.string() + ": expected to make this folder, found that it cannot be made: " +
               file_problem(folder, error ? error.value() : EEXIST));
  }
  if (made) fs::permissions(folder, fs::perms::owner_all, error);
}

void check_request(const CertificateRequest& request, const fs::path& out) {
  if (!valid_peer_name(request.name.name)) {
    fail_usage("--name: expected 1 to 64 of A-Z a-z 0-9 . _ -, found '" + request.name.name + "'");
  }
  if (request.validity.lasts > longest_leaf_lifetime) fail_usage("expected a lifetime of at most 825 days");
  const fs::path old = out / "cert.pem";
  std::error_code ignored;
  if (fs::exists(old, ignored)) {
    const std::string found = identity_in_words(read_certificates(old).front().get());
    if (found != request.name.uri()) {
      fail_input(old.string() + ": expected an empty place or an older " + request.name.uri() + ", found " + found +
                 ": choose another --name, or move that folder away");
    }
  } else if (fs::exists(out / "key.pem", ignored)) {
    fail_input((out / "key.pem").string() + ": expected no private key without its cert.pem, found one: move it away");
  }
}

}  // namespace

void make_ca(const fs::path& folder, const Validity& validity) {
  for (const char* file : {"ca.pem", "ca.key.pem"}) {
    if (std::error_code ignored; fs::exists(folder / file, ignored)) {
      fail_input((folder / file).string() + ": expected no CA here yet, found one, which is never overwritten: " +
                 "use another folder, or add certificates to it with smpc-certs issue " + folder.string());
    }
  }
  make_folder(folder);
  const KeyPtr key = make_key();
  const X509Ptr ca = blank_certificate(key.get(), validity);
  set_common_name(ca.get(), "smpc private CA " + to_hex(random_bytes<4>()));  // two CAs never share a name
  SMPC_CHECK(X509_set_issuer_name(ca.get(), X509_get_subject_name(ca.get())) == 1);
  add_extension(ca.get(), ca.get(), NID_basic_constraints, "critical,CA:TRUE,pathlen:0");
  add_extension(ca.get(), ca.get(), NID_key_usage, "critical,keyCertSign,cRLSign");
  add_extension(ca.get(), ca.get(), NID_subject_key_identifier, "hash");
  sign(ca.get(), key.get());
  write_key(folder / "ca.key.pem", key.get());
  write_certificate(folder / "ca.pem", ca.get());
}

void issue_certificate(const fs::path& ca_folder, const CertificateRequest& request, const fs::path& out) {
  for (const char* file : {"ca.pem", "ca.key.pem"}) {
    if (std::error_code ignored; !fs::exists(ca_folder / file, ignored)) {
      fail_input((ca_folder / file).string() + ": expected a CA here (ca.pem, ca.key.pem), found no such file: run " +
                 "smpc-certs init " + ca_folder.string() + " first");
    }
  }
  check_request(request, out);
  const KeyPtr ca_key = read_private_key(ca_folder / "ca.key.pem");
  const std::vector<X509Ptr> authorities = read_certificates(ca_folder / "ca.pem");
  X509* ca = authorities.front().get();
  if (X509_check_private_key(ca, ca_key.get()) != 1) {
    ERR_clear_error();
    fail_input((ca_folder / "ca.key.pem").string() + ": expected the private key of ca.pem, found another");
  }
  const KeyPtr key = make_key();
  const X509Ptr leaf = blank_certificate(key.get(), request.validity);
  set_common_name(leaf.get(), request.name.name);
  SMPC_CHECK(X509_set_issuer_name(leaf.get(), X509_get_subject_name(ca)) == 1);
  add_extension(leaf.get(), ca, NID_basic_constraints, "critical,CA:FALSE");
  add_extension(leaf.get(), ca, NID_key_usage, "critical,digitalSignature");
  add_extension(leaf.get(), ca, NID_ext_key_usage, key_usage_of(request.name.role));
  add_alternative_names(leaf.get(), request);
  add_extension(leaf.get(), ca, NID_subject_key_identifier, "hash");
  add_extension(leaf.get(), ca, NID_authority_key_identifier, "keyid");
  sign(leaf.get(), ca_key.get());
  make_folder(out);
  write_key(out / "key.pem", key.get());
  write_certificate(out / "cert.pem", leaf.get());
  write_certificate(out / "ca.pem", ca);
}

}  // namespace smpc
