// Certificates as a hospital's own authority makes them, and as it makes them wrongly.
#pragma once

#include <openssl/x509.h>

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace smpc::test {

struct Certified {
  std::shared_ptr<X509> certificate;
  std::shared_ptr<EVP_PKEY> key;
};

struct Wish {
  std::string name;                                      // CN, beside O=Hospital
  std::string key = "P-256";                             // a curve, ED25519, RSA-1024, RSA-2048
  std::vector<std::pair<int, std::string>> extensions{};  // NID_..., as openssl.cnf has it
  std::chrono::hours starts{-24};
  std::chrono::hours lasts{48};
};

// Signed by `issuer`, or by itself.
Certified certify(const Wish& wish, const Certified* issuer = nullptr);

Wish authority_wish(const std::string& name);  // that may sign
// For `role`, named CN `name`: `usage` as an extendedKeyUsage unless empty, and hosts ("DNS:a,IP:b") unless empty.
Wish leaf_wish(const std::string& role, const std::string& name, const std::string& usage, const std::string& hosts);

// An identity folder.
void write_identity(const std::filesystem::path& folder, const Certified& leaf, const std::vector<Certified>& between,
                    const std::vector<Certified>& authorities);

}  // namespace smpc::test
