// A private certificate authority for trials: EC P-256 keys, SHA-256, X.509 v3. A hospital brings its own; then only
// the URI of smpc/net/identity.h matters.
#pragma once

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

#include "smpc/net/identity.h"

namespace smpc {

constexpr std::chrono::hours ca_lifetime{24 * 3650};
constexpr std::chrono::hours leaf_lifetime{24 * 365};
constexpr std::chrono::hours longest_leaf_lifetime{24 * 825};

struct Validity {
  std::chrono::seconds starts{-300};  // relative to now; a little in the past, for clocks that differ
  std::chrono::seconds lasts{leaf_lifetime};
};

struct CertificateRequest {
  PeerName name;
  std::vector<std::string> hosts;  // DNS names, *.NAME and IP addresses that it may be reached by
  Validity validity{};
};

// Writes FOLDER/ca.pem and FOLDER/ca.key.pem (0600), making the folder (0700) where needed. Throws bad_input when
// either is there already: a CA is never overwritten.
void make_ca(const std::filesystem::path& folder, const Validity& validity = {std::chrono::seconds(-300), ca_lifetime});

// Writes OUT/ca.pem, OUT/cert.pem and OUT/key.pem (0600), with a fresh key, signed by the CA in CA_FOLDER; makes OUT
// (0700) where needed. An identity already in OUT is replaced only by the same one (a renewal), else bad_input.
// A host that is none (host_problem in smpc/net/address.h), or a lifetime above 825 days, is a usage error.
void issue_certificate(const std::filesystem::path& ca_folder, const CertificateRequest& request,
                       const std::filesystem::path& out);

}  // namespace smpc
