#include "deployment.h"

#include <gtest/gtest.h>

#include "smpc/model/model.h"
#include "smpc/runtime/interpreter.h"

namespace smpc::testing {

Deployment::Deployment(std::vector<std::string> options) : server_options(std::move(options)) {
  EXPECT_EQ(run("smpc-certs", {"init", (folder / "id").string()}).exit_code, 0);
}

void Deployment::start_dealer(const std::string& listen) {
  dealer = std::make_unique<Daemon>("smpc-dealer",
                                    std::vector<std::string>{"--listen", listen, "--pool", "1", "--identity",
                                                             (folder / "id/dealer").string(), "--state",
                                                             (folder / "state/dealer").string()},
                                    folder / "dealer.log");
  dealer_port = dealer->port();
}

void Deployment::start_server(bool wait_until_ready) {
  std::vector<std::string> arguments{"--listen", "127.0.0.1:0", "--dealer", dealer_address(), "--identity",
                                     (folder / "id/server").string(), "--state", (folder / "state/server").string()};
  arguments.insert(arguments.end(), server_options.begin(), server_options.end());
  server = std::make_unique<Daemon>("smpc-server", arguments, folder / "server.log");
  server_port = server->port();
  if (wait_until_ready) server->wait_for("ready");
}

Outcome Deployment::client(std::vector<std::string> arguments, int seconds) const {
  arguments.insert(arguments.end(), {"--server", "127.0.0.1:" + server_port, "--dealer", dealer_address(), "--identity",
                                     (folder / "id/client").string(), "--state", (folder / "state/client").string()});
  return run("smpc-client", arguments, seconds);
}

Reference::Reference(const CompileOptions& options) {
  Model model = load_model(demo / "mlp.onnx");
  const auto metadata = model.metadata;
  network = build_network(std::move(model));
  compiled = compile(network, options, metadata);
}

RingVector Reference::output(const SecretVector<double>& volume) const {
  return interpret(compiled.program, compiled.weights, quantise(compiled.program, volume, "a volume")).back();
}

}  // namespace smpc::testing
