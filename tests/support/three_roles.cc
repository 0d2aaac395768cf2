#include "support/three_roles.h"

#include <stdexcept>

namespace smpc::testing {

ThreeRoles::ThreeRoles(std::vector<std::string> options) : server_options(std::move(options)) {
  const Outcome made = run("smpc-certs", {"init", (folder / "id").string()});
  if (made.exit_code != 0) throw std::runtime_error(made.err);
}

void ThreeRoles::start_dealer(const std::string& listen) {
  std::vector<std::string> arguments{"--listen", listen, "--identity", (folder / "id/dealer").string(), "--state",
                                     (folder / "state/dealer").string()};
  arguments.insert(arguments.end(), dealer_options.begin(), dealer_options.end());
  dealer = std::make_unique<Daemon>("smpc-dealer", arguments, folder / "dealer.log", daemons_cpu,
                                    dealer_environment);
  dealer_port = dealer->port();
}

void ThreeRoles::start_server(bool wait_until_ready) {
  std::vector<std::string> arguments{"--listen", "127.0.0.1:0", "--dealer", dealer_address(), "--identity",
                                     (folder / "id/server").string(), "--state", (folder / "state/server").string()};
  arguments.insert(arguments.end(), server_options.begin(), server_options.end());
  server = std::make_unique<Daemon>("smpc-server", arguments, folder / "server.log", daemons_cpu,
                                    server_environment);
  server_port = server->port();
  if (wait_until_ready) server->wait_for("ready");
}

Outcome ThreeRoles::run_client(std::vector<std::string> arguments, RunOptions options) const {
  arguments.insert(arguments.end(), {"--server", "127.0.0.1:" + server_port, "--dealer", dealer_address(), "--identity",
                                     (folder / "id/client").string(), "--state", (folder / "state/client").string()});
  return run("smpc-client", arguments, options);
}

}  // namespace smpc::testing
