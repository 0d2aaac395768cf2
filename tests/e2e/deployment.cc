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

void expect_line(const Outcome& r, int code, const std::string& part) {
  EXPECT_EQ(r.exit_code, code) << r.err;
  EXPECT_EQ(r.out, "");
  EXPECT_EQ(std::count(r.err.begin(), r.err.end(), '\n'), 1) << r.err;
  EXPECT_NE(r.err.find(part), std::string::npos) << r.err;
}

NiftiSpec mni_header() {
  NiftiSpec s;
  s.dim = {3, 45, 54, 45, 1, 1, 1, 1};
  return s;
}

Deployment::~Deployment() {
  for (Daemon* daemon : {server.get(), dealer.get()}) {
    if (daemon == nullptr) continue;
    EXPECT_NE(daemon->stop(), -1) << "SIGTERM did not end it: " << daemon->log();
  }
}

Outcome Deployment::client(std::vector<std::string> arguments, int seconds) const {
  Outcome r = run_client(std::move(arguments), RunOptions{.limit = std::chrono::seconds(seconds)});
  if (r.exit_code == 0 && r.out.starts_with("{") && r.json().contains("results")) expect_predicted(r.json(), reference);
  return r;
}

Reference::Reference(const CompileOptions& options, const std::filesystem::path& path) {
  Model model = load_model(path);
  const auto metadata = model.metadata;
  network = build_network(std::move(model));
  compiled = compile(network, options, metadata);
}

RingVector Reference::output(const SecretVector<double>& volume) const {
  return interpret(compiled.program, compiled.weights, quantise(compiled.program, volume, "a volume")).back();
}

}  // namespace smpc::testing
