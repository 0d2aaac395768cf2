// Who a party is: a role and a name, written into its certificate as the URI urn:smpc:ROLE:NAME in the subject
// alternative name. The name lasts across renewals of the certificate.
#pragma once

#include <ctime>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

namespace smpc {

enum class Role { server, client, dealer };

std::string_view role_name(Role role) noexcept;
Role parse_role(std::string_view text);  // throws a usage error

struct PeerName {
  Role role = Role::client;
  std::string name;         // [A-Za-z0-9._-]{1,64}, but not "." or ".."
  std::string uri() const;  // urn:smpc:ROLE:NAME
  friend bool operator==(const PeerName&, const PeerName&) = default;
};

bool valid_peer_name(std::string_view name) noexcept;
PeerName parse_peer_name(std::string_view uri);  // throws bad_input, naming the form expected

// Where identities live unless a command is told otherwise: $SMPC_HOME, else $XDG_CONFIG_HOME/smpc, else
// ~/.config/smpc.
std::filesystem::path default_identity_base();
// default_identity_base()/<role>
std::filesystem::path default_identity_folder(Role role);

// A folder of three files: ca.pem (whom to trust), cert.pem (who I am; may be followed by intermediates) and key.pem.
class Identity {
 public:
  // Throws bad_input, saying what to do, when a file is missing or no PEM, when group or others may read key.pem, when
  // key and certificate do not match, when the certificate is of another role than `role`, expired or not yet valid, and
  // when the other side could not accept it: its chain does not lead to ca.pem, its key or its usage is not for this.
  static Identity load(const std::filesystem::path& folder, Role role, std::time_t now = std::time(nullptr));

  const PeerName& name() const noexcept;

  struct Impl;  // the OpenSSL objects, known to this room alone
  const Impl& impl() const noexcept { return *impl_; }

 private:
  explicit Identity(std::shared_ptr<const Impl> impl) noexcept : impl_(std::move(impl)) {}
  std::shared_ptr<const Impl> impl_;
};

}  // namespace smpc
