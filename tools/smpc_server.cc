// smpc-server: the model's owner.
#include "audit_command.h"
#include "common.h"
#include "model_files.h"
#include "smpc/base/error.h"
#include "smpc/service/server.h"

namespace smpc::tools {
namespace {

// Logits are a linear function of the last layer's inputs: whoever may ask without end can solve for its weights. A limit of
// each client's is none where clients join.
void check_quota(Reveal reveal, std::uint64_t quota_total, bool no_quota) {
  if (reveal != Reveal::logits || quota_total > 0 || no_quota) return;
  fail_usage("the client learns logits: expected --quota-total N above 0, or --no-quota, found neither; about as many volumes as the "
             "last layer has inputs tell a lying client that layer's weights, so give fewer, or say that there is no limit");
}

}  // namespace
}  // namespace smpc::tools

int main(int argc, char** argv) {
  using namespace smpc;
  using namespace smpc::tools;
  CLI::App app(
      "Answers clients with a model whose weights they never see. Compiles MODEL.onnx in memory (or takes what "
      "smpc-compile wrote), registers the program with the dealer, then serves until SIGTERM or Ctrl-C.",
      "smpc-server");
  ServerOptions options;
  Folders folders;
  CompileArguments compile;
  ModelSource source;
  bool bump = false;
  bool no_quota = false;
  app.add_option("--model", source.model, "the trained model, ONNX")->type_name("FILE")->group("Model");
  app.add_option("--program", source.program, "instead of --model: the program that smpc-compile wrote")
      ->type_name("FILE")
      ->group("Model")
      ->excludes("--model");
  app.add_option("--weights", source.weights, "with --program: the weights file that smpc-compile wrote")
      ->type_name("FILE")
      ->group("Model")
      ->excludes("--model");
  compile.add_to(app);
  app.add_option("--listen", options.listen, "where to listen; port 0 picks a free one")
      ->type_name("HOST:PORT")
      ->group("Peers")
      ->capture_default_str();
  app.add_option("--dealer", options.dealer, "the dealer")->type_name("HOST:PORT")->group("Peers")->capture_default_str();
  add_folder_options(app, Role::server, folders);
  app.add_flag("--bump-epoch", bump, "after restoring --state from a backup: refuse every older bundle, and exit")->group("Folders");
  add_daemon_options(app, "Limits", options.allow, options.drain, options.max_sessions, options.max_sessions_per_peer);
  app.add_option("--quota", options.quota, "volumes that one client identity may ask for, ever; 0: no limit")
      ->group("Limits")
      ->capture_default_str();
  CLI::Option* total = app.add_option("--quota-total", options.quota_total,
                                      "volumes that all clients may ask for, ever; 0: no limit. With --reveal logits this, above 0, "
                                      "or --no-quota must be given")
                           ->group("Limits")
                           ->capture_default_str();
  app.add_flag("--no-quota", no_quota,
               "with --reveal logits: all clients together may ask without limit, and so learn the last layer's weights if they lie")
      ->group("Limits")
      ->excludes(total);
  app.fallthrough();
  AuditArguments audit;
  const CLI::App* of_audit = add_audit_command(app, audit);
  app.footer("  smpc-server --model mlp.onnx --reveal logits --quota-total 100\n"
             "      for a client on this machine\n"
             "  smpc-server --model mlp.onnx --listen 0.0.0.0:7200 --dealer dealer.example.org:7100 --identity model-1\n"
             "      for clients on others\n"
             "  smpc-server audit verify\n"
             "      whether the record of inferences is whole");
  return run_tool(app, argc, argv, [&] {
    if (of_audit->parsed()) return run_audit_command(audit, folders.state, Role::server);
    if (bump) {
      log_line("the epoch of " + folders.state.string() + " is now " + std::to_string(bump_epoch(folders.state)));
      return;
    }
    if (source.model.empty() && (source.program.empty() || source.weights.empty())) {
      fail_usage("expected --model MODEL.onnx, or --program and --weights; see --help");
    }
    if (source.model.empty() && compile.any()) {
      fail_usage("compile options go with --model; a program has been compiled already");
    }
    const CompileOptions chosen = compile.options();
    check_quota(chosen.reveal, options.quota_total, no_quota);
    const Identity identity = Identity::load(folders.identity, Role::server);
    Compiled compiled = load_compiled(source, chosen);
    check_quota(compiled.program.reveal, options.quota_total, no_quota);  // of a program that was compiled elsewhere
    compile.check_mask(compiled.program);
    options.state = folders.state;
    options.log = log_line;
    const std::string hash = to_hex(program_hash(compiled.program));
    const Reveal reveal = compiled.program.reveal;
    options.on_ready = [hash, reveal] {
      log_line("smpc-server ready: program " + hash + ", reveals " + std::string(to_text(reveal)));
    };
    const HeldSignals signals;
    ServerService server(identity, std::move(compiled.program), std::move(compiled.weights), options);
    log_line("smpc-server listening on port " + std::to_string(server.port()) + " as " + identity.name().uri());
    signals.serve([&] { server.run(); }, [&] { server.stop(); }, [&] { server.reload(); });
    log_line("smpc-server stopped");
  });
}
