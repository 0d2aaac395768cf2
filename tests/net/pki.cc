#include "net/pki.h"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>

#include <cstdio>
#include <stdexcept>

namespace smpc::test {
namespace {

void need(bool good) {
  if (!good) throw std::runtime_error("OpenSSL made no certificate");
}

std::shared_ptr<EVP_PKEY> make_key(const std::string& kind) {
  EVP_PKEY* key = nullptr;
  if (kind == "ED25519") {
    key = EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519");
  } else if (kind.starts_with("RSA-")) {
    key = EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", static_cast<std::size_t>(std::stoul(kind.substr(4))));
  } else {
    key = EVP_EC_gen(kind.c_str());
  }
  need(key != nullptr);
  return {key, EVP_PKEY_free};
}

void add_text(X509_NAME* name, const char* field, const std::string& value) {
  need(X509_NAME_add_entry_by_txt(name, field, MBSTRING_ASC, reinterpret_cast<const unsigned char*>(value.data()),
                                  static_cast<int>(value.size()), -1, 0) == 1);
}

template <class Write>
void write(const std::filesystem::path& path, Write&& content) {
  std::FILE* file = std::fopen(path.c_str(), "w");
  need(file != nullptr);
  content(file);
  need(std::fclose(file) == 0);
}

}  // namespace

Certified certify(const Wish& wish, const Certified* issuer) {
  static int serial = 1;
  Certified out{{X509_new(), X509_free}, make_key(wish.key)};
  X509* c = out.certificate.get();
  need(X509_set_version(c, X509_VERSION_3) == 1 && ASN1_INTEGER_set(X509_get_serialNumber(c), ++serial) == 1);
  add_text(X509_get_subject_name(c), "O", "Hospital");
  add_text(X509_get_subject_name(c), "CN", wish.name);
  X509_gmtime_adj(X509_getm_notBefore(c), std::chrono::seconds(wish.starts).count());
  X509_gmtime_adj(X509_getm_notAfter(c), std::chrono::seconds(wish.starts + wish.lasts).count());
  need(X509_set_pubkey(c, out.key.get()) == 1);
  const Certified& by = issuer != nullptr ? *issuer : out;
  need(X509_set_issuer_name(c, X509_get_subject_name(by.certificate.get())) == 1);
  for (const auto& [nid, value] : wish.extensions) {
    X509V3_CTX context{};
    X509V3_set_ctx(&context, by.certificate.get(), c, nullptr, nullptr, 0);
    const std::shared_ptr<X509_EXTENSION> extension(X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str()), X509_EXTENSION_free);
    need(extension != nullptr && X509_add_ext(c, extension.get(), -1) == 1);
  }
  const bool bare = EVP_PKEY_get_base_id(by.key.get()) == EVP_PKEY_ED25519;
  need(X509_sign(c, by.key.get(), bare ? nullptr : EVP_sha256()) > 0);
  return out;
}

Wish authority_wish(const std::string& name) {
  Wish out;
  out.name = name;
  out.extensions = {{NID_basic_constraints, "critical,CA:TRUE"},
                    {NID_key_usage, "critical,keyCertSign,cRLSign"},
                    {NID_subject_key_identifier, "hash"}};
  return out;
}

Wish leaf_wish(const std::string& role, const std::string& name, const std::string& usage, const std::string& hosts) {
  Wish out;
  out.name = name;
  out.extensions = {{NID_basic_constraints, "critical,CA:FALSE"},
                    {NID_key_usage, "critical,digitalSignature"},
                    {NID_subject_alt_name, "URI:urn:smpc:" + role + ":" + name + (hosts.empty() ? "" : "," + hosts)}};
  if (!usage.empty()) out.extensions.emplace_back(NID_ext_key_usage, usage);
  return out;
}

void write_identity(const std::filesystem::path& folder, const Certified& leaf, const std::vector<Certified>& between,
                    const std::vector<Certified>& authorities) {
  std::filesystem::create_directories(folder);
  write(folder / "cert.pem", [&](std::FILE* file) {
    need(PEM_write_X509(file, leaf.certificate.get()) == 1);
    for (const Certified& c : between) need(PEM_write_X509(file, c.certificate.get()) == 1);
  });
  write(folder / "ca.pem", [&](std::FILE* file) {
    for (const Certified& c : authorities) need(PEM_write_X509(file, c.certificate.get()) == 1);
  });
  write(folder / "key.pem", [&](std::FILE* file) {
    need(::fchmod(::fileno(file), 0600) == 0);
    need(PEM_write_PKCS8PrivateKey(file, leaf.key.get(), nullptr, nullptr, 0, nullptr, nullptr) == 1);
  });
}

}  // namespace smpc::test
