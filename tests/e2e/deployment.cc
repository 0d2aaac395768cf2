#include "deployment.h"

#include <gtest/gtest.h>

#include "smpc/model/model.h"
#include "smpc/runtime/interpreter.h"
#include "smpc/runtime/schedule.h"

namespace smpc::testing {

namespace {

const Reference& reference_for(Reveal reveal) {
  static const auto make = [](Reveal r) {
    CompileOptions o;
    o.reveal = r;
    return o;
  };
  static const Reference logits(make(Reveal::logits));
  static const Reference label(make(Reveal::label));
  return reveal == Reveal::logits ? logits : label;
}

// The run against what the program says that it costs; the program against the one that the client names.
void expect_predicted(const nlohmann::json& j, const Reference* given) {
  const Reference& reference = given ? *given : reference_for(j["reveal"] == "logits" ? Reveal::logits : Reveal::label);
  const Program& program = reference.compiled.program;
  EXPECT_EQ(j["program"], to_hex(program_hash(program)));
  const Cost c = predicted_cost(make_schedule(program, correlation_plan(program), j["results"].size()));
  const nlohmann::json& online = j["cost"]["online"];
  EXPECT_EQ(online["sent"], c.client_to_server);
  EXPECT_EQ(online["received"], c.server_to_client);
  EXPECT_EQ(online["messages"], c.messages);
  EXPECT_EQ(online["rounds"], c.messages);
}

}  // namespace

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
  Outcome r = run("smpc-client", arguments, seconds);
  if (r.exit_code == 0 && r.out.starts_with("{") && r.json().contains("results")) expect_predicted(r.json(), reference);
  return r;
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
