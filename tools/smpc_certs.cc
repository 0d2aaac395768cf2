// smpc-certs: a private CA and the certificates of a trial.
#include <iostream>

#include "common.h"
#include "smpc/base/error.h"
#include "smpc/base/text.h"
#include "smpc/net/certs.h"

namespace {

namespace fs = std::filesystem;
using smpc::Role;

constexpr const char* about =
    "Makes a private certificate authority (CA) and the certificates by which server, client and dealer know each other. "
    "Everything that smpc sends goes over TLS 1.3 between two sides that both show one. Whoever holds the CA's key can pose "
    "as anyone.";

constexpr const char* examples =
    "  smpc-certs init\n"
    "      a first trial, everything on this machine\n"
    "  smpc-certs issue DIR --role client --name ward-3\n"
    "      another client\n"
    "  smpc-certs issue DIR --role server --name main --host smpc.example.org\n"
    "      a server on another machine\n"
    "  The same issue command again renews: the identity urn:smpc:ROLE:NAME stays,\n"
    "  certificate and key are new.";

struct Options {
  std::string folder;
  std::string role;
  std::string name;
  std::vector<std::string> hosts;
};

const char* command_of(Role role) {
  switch (role) {
    case Role::server: return "smpc-server";
    case Role::client: return "smpc-client";
    case Role::dealer: return "smpc-dealer";
  }
  return "";
}

void tell_identity(const fs::path& folder, const smpc::PeerName& name) {
  const std::string of = "the " + std::string(smpc::role_name(name.role));
  std::cout << (folder / "cert.pem").string() << ": certificate of " << name.uri() << ", valid for "
            << smpc::leaf_lifetime.count() / 24 << " days; for " << of << "'s machine\n"
            << (folder / "key.pem").string() << ": its private key; for " << of << "'s machine and nobody else\n"
            << (folder / "ca.pem").string() << ": whom " << of << " trusts; for its machine, beside the other two ("
            << command_of(name.role) << " --identity " << folder.string() << ")\n";
}

void init(const Options& options) {
  const fs::path base = options.folder.empty() ? smpc::default_identity_base() : fs::path(options.folder);
  const std::vector<std::string> hosts{"localhost", "127.0.0.1", "::1"};
  const Role roles[] = {Role::server, Role::client, Role::dealer};
  std::error_code none;
  const bool has_ca = fs::exists(base / "ca.pem", none) || fs::exists(base / "ca.key.pem", none);
  for (const Role role : roles) {  // before anything is written
    if (has_ca) break;             // make_ca says it better
    for (const char* file : {"cert.pem", "key.pem"}) {
      const fs::path path = base / smpc::role_name(role) / file;
      if (std::error_code ignored; fs::exists(path, ignored)) {
        smpc::fail_input(path.string() + ": expected no identity here yet, found one, which is never overwritten: " +
                         "use another folder, or move this one away");
      }
    }
  }
  smpc::make_ca(base);
  std::cout << (base / "ca.key.pem").string()
            << ": the CA's private key: whoever has it can pose as anyone; keep it off the three machines\n"
            << (base / "ca.pem").string() << ": the CA's certificate, public, valid for "
            << smpc::ca_lifetime.count() / 24 << " days; every identity below has a copy\n";
  for (const Role role : roles) {
    const smpc::PeerName name{role, std::string(smpc::role_name(role))};
    smpc::issue_certificate(base, {name, hosts, {}}, base / name.name);
    tell_identity(base / name.name, name);
  }
  std::cout << "valid for the hosts localhost, 127.0.0.1 and ::1 alone; for others: smpc-certs issue " << base.string()
            << " --role ROLE --name NAME --host HOST\n";
}

void issue(const Options& options) {
  if (options.folder.empty())
    smpc::fail_usage("expected the CA's folder: smpc-certs issue DIR --role ROLE --name NAME");
  if (options.role.empty()) smpc::fail_usage("expected --role server, client or dealer, found none");
  if (options.name.empty()) smpc::fail_usage("expected --name NAME, found none");
  const smpc::PeerName name{smpc::parse_role(options.role), options.name};
  if (options.hosts.empty() && name.role != Role::client) {
    smpc::fail_usage("expected --host HOST (a DNS name or address by which others will reach this " + options.role +
                     "), found none");
  }
  const fs::path out = fs::path(options.folder) / name.name;
  smpc::issue_certificate(options.folder, {name, options.hosts, {}}, out);
  tell_identity(out, name);
}

// Options of `issue` are taken before the subcommand too; there they stay out of the help.
void add_issue_options(CLI::App& app, Options& options, const std::string& group) {
  app.add_option("--role", options.role, "whose it is (required)")->type_name("server|client|dealer")->group(group);
  app.add_option("--name", options.name, "who it is: 1 to 64 of A-Z a-z 0-9 . _ - (required)")->type_name("NAME")->group(group);
  app.add_option("--host", options.hosts,
                 "DNS names and IP addresses by which others reach it (required for server and dealer; default: none)")
      ->type_name("HOST")
      ->group(group);
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app(about, "smpc-certs");
  Options options;
  app.fallthrough();
  app.require_subcommand(1);
  add_issue_options(app, options, "");
  CLI::App* init_command = app.add_subcommand(
      "init",
      "make a CA in DIR and the identities DIR/server, DIR/client and DIR/dealer, valid for localhost, "
      "127.0.0.1 and ::1; refused where there is a CA already");
  init_command
      ->add_option("DIR", options.folder,
                   "where to (default: $SMPC_HOME, else $XDG_CONFIG_HOME/smpc, else ~/.config/smpc, where the "
                   "other commands look)")
      ->type_name("DIR");
  CLI::App* issue_command =
      app.add_subcommand("issue", "add the identity DIR/NAME, or renew it, with the CA that init made in DIR");
  issue_command->add_option("DIR", options.folder, "the folder that init made (required)")->type_name("DIR");
  add_issue_options(*issue_command, options, "Identity");
  app.footer(examples);
  return smpc::tools::run_tool(app, argc, argv, [&] {
    if (issue_command->parsed()) return issue(options);
    if (!options.role.empty() || !options.name.empty() || !options.hosts.empty()) {
      smpc::fail_usage("expected --role, --name and --host with issue only, found them with init");
    }
    init(options);
  });
}
