#include "smpc/net/identity.h"

#include <openssl/err.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>

#include "own_chain.h"
#include "smpc/base/error.h"
#include "smpc/base/file_error.h"
#include "x509.h"

namespace smpc {
namespace {

constexpr std::string_view uri_prefix = "urn:smpc:";

const char* environment(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr && *value != '\0' ? value : nullptr;
}

void check_dates(const X509* certificate, const std::string& path, std::time_t now) {
  if (X509_cmp_time(X509_get0_notAfter(certificate), &now) <= 0) {
    fail_input(path + ": expected a certificate that is still valid, found one that expired on " +
               date_in_words(X509_get0_notAfter(certificate)) + ": renew it with smpc-certs issue");
  }
  if (X509_cmp_time(X509_get0_notBefore(certificate), &now) > 0) {
    fail_input(path + ": expected a certificate that is valid by now, found one that is valid only from " +
               date_in_words(X509_get0_notBefore(certificate)) + ": check this machine's clock");
  }
}

}  // namespace

std::string_view role_name(Role role) noexcept {
  switch (role) {
    case Role::server: return "server";
    case Role::client: return "client";
    case Role::dealer: return "dealer";
  }
  return "?";
}

Role parse_role(std::string_view text) {
  for (const Role role : {Role::server, Role::client, Role::dealer}) {
    if (text == role_name(role)) return role;
  }
  fail_usage("expected a role (server, client or dealer), found '" + std::string(text) + "'");
}

bool valid_peer_name(std::string_view name) noexcept {
  const auto allowed = [](unsigned char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
           c == '-';
  };
  return !name.empty() && name.size() <= 64 && name != "." && name != ".." &&
         std::all_of(name.begin(), name.end(), allowed);
}

std::string PeerName::uri() const { return std::string(uri_prefix) + std::string(role_name(role)) + ":" + name; }

PeerName parse_peer_name(std::string_view uri) {
  if (uri.starts_with(uri_prefix)) {
    const std::string_view rest = uri.substr(uri_prefix.size());
    for (const Role role : {Role::server, Role::client, Role::dealer}) {
      const std::string_view word = role_name(role);
      if (!rest.starts_with(word) || rest.substr(word.size(), 1) != ":") continue;
      const std::string_view name = rest.substr(word.size() + 1);
      if (valid_peer_name(name)) return {role, std::string(name)};
    }
  }
  fail_input(
      "expected an identity urn:smpc:ROLE:NAME (ROLE server, client or dealer; NAME 1 to 64 of A-Z a-z 0-9 . _ -)"
      ", found '" +
      std::string(uri.substr(0, 128)) + "'");
}

std::filesystem::path default_identity_base() {
  if (const char* home = environment("SMPC_HOME")) return home;
  if (const char* config = environment("XDG_CONFIG_HOME"); config != nullptr && *config == '/') {
    return std::filesystem::path(config) / "smpc";
  }
  if (const char* home = environment("HOME"); home != nullptr && *home == '/') return std::filesystem::path(home) / ".config" / "smpc";
  fail_usage("expected SMPC_HOME, XDG_CONFIG_HOME or HOME to say where identities are, found none, or a relative path: name the folder");
}

std::filesystem::path default_identity_folder(Role role) { return default_identity_base() / role_name(role); }

Identity Identity::load(const std::filesystem::path& folder, Role role, std::time_t now) {
  for (const char* file : {"ca.pem", "cert.pem", "key.pem"}) {
    struct stat found {};
    if (::stat((folder / file).c_str(), &found) == 0) continue;
    const int error = errno;
    const bool dead_link = ::lstat((folder / file).c_str(), &found) == 0;
    if (dead_link || error != ENOENT) fail_file(folder / file, "read", error);
    fail_input((folder / file).string() + ": expected an identity (ca.pem, cert.pem, key.pem), found no such file: " +
               "run smpc-certs init, or name another folder with --identity");
  }
  const std::string path = (folder / "cert.pem").string();
  auto impl = std::make_shared<Impl>();
  impl->key = read_private_key(folder / "key.pem");
  impl->authorities = read_certificates(folder / "ca.pem");
  impl->intermediates = read_certificates(folder / "cert.pem");
  impl->certificate = std::move(impl->intermediates.front());
  impl->intermediates.erase(impl->intermediates.begin());
  if (X509_check_private_key(impl->certificate.get(), impl->key.get()) != 1) {
    ERR_clear_error();
    fail_input((folder / "key.pem").string() +
               ": expected the private key of cert.pem, found another: copy both files of one certificate");
  }
  impl->name = peer_name_of(impl->certificate.get(), path);
  if (impl->name.role != role) {
    fail_input(path + ": expected the identity of a " + std::string(role_name(role)) + ", found " + impl->name.uri() +
               ": name the right folder with --identity");
  }
  check_dates(impl->certificate.get(), path, now);
  check_own_chain(*impl, folder, now);
  return Identity(std::move(impl));
}

const PeerName& Identity::name() const noexcept { return impl_->name; }

}  // namespace smpc
